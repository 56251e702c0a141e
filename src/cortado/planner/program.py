"""What the XCLProgram layers of a network say of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cortado.engines.engine import engine_types
from cortado.graph.spec import NetSpec
from cortado.layers.xcl_program import GRAMMAR


@dataclass(frozen=True, kw_only=True)
class Program:
    """The engine a network names, and the fields of its configuration that are not the default."""

    layer: str
    """The XCLProgram layer; it governs the layers behind it, up to the next one."""
    engine: str
    fields: Mapping[str, int]

    def __str__(self) -> str:
        fields = ", ".join(f"{name}={value}" for name, value in sorted(self.fields.items()))
        return f"{self.engine}{f' with {fields}' if fields else ''}"


def read_programs(net: NetSpec) -> tuple[Program, ...]:
    """What the XCLProgram layers of the network say, in their order; `LayerError` for an engine that is not known."""
    programs = []
    for layer in net.layers:
        if layer.type != "XCLProgram":
            continue
        program = Program(layer=layer.name, engine=layer.parameters.engine, fields=layer.parameters.fields)
        if program.engine not in engine_types:
            raise layer.error(f"{engine_types.unknown(program.engine)}; {GRAMMAR}")
        programs.append(program)
    return tuple(programs)
