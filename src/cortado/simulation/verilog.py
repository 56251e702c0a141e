"""Verilog out of Amaranth."""

from __future__ import annotations

from amaranth.back import verilog
from amaranth.lib import wiring

TOP_NAME = "engine"


def to_verilog(component: wiring.Component, name: str = TOP_NAME) -> str:
    """The Verilog text of a component and everything in it; its top module is called `name`.

    The text is the same wherever it is made: no source paths, no dates. A port `a.b` of the component is `a__b`.
    """
    return verilog.convert(component, name=name, emit_src=False, strip_internal_attrs=True)
