"""What an engine emits: a circuit with its configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from amaranth.hdl import Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In


@dataclass(frozen=True, kw_only=True)
class Design:
    """A circuit a device can be programmed with.

    `component` makes the circuit; elaborating a large one takes seconds, so it is made when it is needed.
    """

    engine: str
    """Name of the engine in the registry."""
    configuration: object
    """The engine's frozen configuration."""
    configuration_hash: str
    """Sixteen hex digits, baked into the circuit and checked by the driver."""
    beat_bits: int
    """Width of the memory port."""
    multipliers: int
    """Products of data and weights in one cycle."""
    multiplier_unit: str
    """The submodule, `a.b` from the top, that makes these products."""
    factor_bits: tuple[int, int]
    """Widths of their signed factors."""
    signature: wiring.Signature
    """The ports of the circuit."""
    component: Callable[[], wiring.Component]

    @property
    def ports(self) -> dict[str, dict[str, object]]:
        """Verilog name of each port: its direction and width in bits, clock and reset included."""
        ports: dict[str, dict[str, object]] = {
            name: {"direction": "input", "width": 1} for name in ("clk", "rst")
        }
        for path, member, value in self.signature.flatten(self.signature.create()):
            direction = "input" if member.flow is In else "output"
            ports["__".join(str(part) for part in path)] = {
                "direction": direction, "width": len(Value.cast(value))}
        return ports
