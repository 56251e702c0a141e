"""What the XCLProgram layers of a network say of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cortado.engines.engine import engine_types
from cortado.errors import PlanError
from cortado.graph.spec import NetSpec
from cortado.layers.xcl_program import GRAMMAR


@dataclass(frozen=True, kw_only=True)
class Program:
    """The engine a network names, and the fields of its configuration that are not the default."""

    layer: str
    """The first XCLProgram layer; it governs the layers behind it."""
    engine: str
    fields: Mapping[str, int]

    def __str__(self) -> str:
        fields = ", ".join(f"{name}={value}" for name, value in sorted(self.fields.items()))
        return f"{self.engine}{f' with {fields}' if fields else ''}"


def read_program(net: NetSpec) -> Program | None:
    """The engine configuration of the network; None without an XCLProgram layer.

    Raises `LayerError` for an engine that is not known and `PlanError` for two different configurations.
    """
    first: Program | None = None
    for layer in net.layers:
        if layer.type != "XCLProgram":
            continue
        program = Program(layer=layer.name, engine=layer.parameters.engine, fields=layer.parameters.fields)
        if program.engine not in engine_types:
            raise layer.error(f"{engine_types.unknown(program.engine)}; {GRAMMAR}")
        if first is not None and (program.engine, program.fields) != (first.engine, first.fields):
            raise PlanError(f"network '{net.name}': its XCLProgram layers must name one engine configuration, several "
                            f"are not supported yet: '{first.layer}' names {first}, '{layer.name}' names {program}")
        first = first or program
    return first
