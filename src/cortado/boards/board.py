"""A board an engine may go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cortado.errors import ConfigurationError
from cortado.gateware.configuration import LEGAL_VALUES
from cortado.registry import Registry
from cortado.synthesis.family import families

SERIAL_PINS = ("clk", "rx", "tx", "led")
"""What a board without a processor needs: the ports of `SerialTop`."""

boards: Registry[Board] = Registry("board")


@dataclass(frozen=True, kw_only=True)
class Board:
    """One board. With `pins` the engine stands behind a serial line; without, behind the ports of a processor.

    Raises `ConfigurationError` where the fields do not go together.
    """

    name: str
    title: str
    part: str
    """As the vendor's tools name it."""
    family: str
    """As `synthesis.family` names it."""
    clock_mhz: float
    """The clock the files ask for; nobody has measured it on the board."""
    port_bits: int
    """Width of the widest port to memory."""
    memory_base: int
    """Where an engine's memory begins."""
    memory_bytes: int
    """What an engine can reach of it."""
    multipliers: int
    """DSPs of the part."""
    pins: Mapping[str, str] = field(default_factory=dict)
    """Sites of the ports of `SerialTop`."""
    baud: int | None = None
    """Of the serial line."""
    place_and_route: tuple[str, ...] = ()
    """What names the part to nextpnr."""

    def __post_init__(self) -> None:
        self._require(self.family in families, f"family must be one of {', '.join(families)}, not {self.family}")
        self._require(self.port_bits in LEGAL_VALUES["beat_bits"],
                      f"port_bits must be one of {LEGAL_VALUES['beat_bits']}, not {self.port_bits}")
        self._require(self.clock_mhz > 0, f"clock_mhz must be above 0, not {self.clock_mhz:g}")
        self._require(not self.pins or tuple(self.pins) == SERIAL_PINS,
                      f"pins must be those of {', '.join(SERIAL_PINS)} or none, not {', '.join(self.pins)}")
        self._require(bool(self.pins) == (self.baud is not None) == bool(self.place_and_route),
                      "pins, baud and place_and_route must be given together")
        self._require(not self.pins or self.memory_bytes & (self.memory_bytes - 1) == 0,
                      f"memory_bytes must be a power of two where the memory is block RAM, not {self.memory_bytes}")

    @property
    def is_serial(self) -> bool:
        """Whether the engine stands behind a serial line."""
        return bool(self.pins)

    @property
    def clock_ns(self) -> float:
        """Period of the clock."""
        return 1000 / self.clock_mhz

    def _require(self, holds: bool, words: str) -> None:
        if not holds:
            raise ConfigurationError(f"board '{self.name}': {words}")
