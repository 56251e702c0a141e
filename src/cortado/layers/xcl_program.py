"""XCLProgram: which engine the FPGA is programmed with, in the words of the paper's fork of Caffe.

`layer { name: "program" type: "XCLProgram" xcl_name: "winograd_m4_pc4_pk4.xclbin" kernel_name: "winograd_pe" }`
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, layer_types

GRAMMAR = ("xcl_name is ENGINE or ENGINE_pe, any number of _FIELDnumber, and perhaps .xclbin "
           '("winograd_m4_pc4_pk4.xclbin"); kernel_name is ENGINE or ENGINE_pe ("winograd_pe")')

_KERNEL = re.compile(r"([a-z]+?)(?:_pe)?")
_PROGRAM = re.compile(r"([a-z]+?)(?:_pe)?((?:_[a-z]+(?:_[a-z]+)*[0-9]+)*)(?:\.xclbin)?")
_FIELD = re.compile(r"_([a-z_]+)([0-9]+)")
# More digits are no field of any engine, and Python reads no number of thousands.
_LARGEST_DIGITS = 9


@dataclass(frozen=True, kw_only=True)
class XCLProgramParameters:
    """The fork's XCLParameter. `once`, to program in the first pass only, asks for what always happens here."""

    xcl_name: str = ""
    kernel_name: str = ""
    once: bool = False

    def __post_init__(self) -> None:
        if not self.xcl_name and not self.kernel_name:
            raise FieldError("xcl_name", f"or kernel_name must be given; {GRAMMAR}")
        for name, value, pattern in (("xcl_name", self.xcl_name, _PROGRAM), ("kernel_name", self.kernel_name, _KERNEL)):
            if value and not pattern.fullmatch(value):
                raise FieldError(name, f"must name an engine, not '{value}'; {GRAMMAR}")
        fields = self._named_fields
        for index, (field, digits) in enumerate(fields):
            if field in [earlier for earlier, _ in fields[:index]]:
                raise FieldError("xcl_name", f"must give field '{field}' once, not twice ('{self.xcl_name}')")
            if len(digits) > _LARGEST_DIGITS:
                raise FieldError("xcl_name", f"must have numbers of at most {_LARGEST_DIGITS} digits, not {len(digits)}"
                                             f" for field '{field}'")
        if self.xcl_name and self.kernel_name and _PROGRAM.fullmatch(self.xcl_name)[1] != self.engine:
            raise FieldError("kernel_name", f"must be of the engine of xcl_name '{self.xcl_name}', "
                                            f"not '{self.kernel_name}'")

    @property
    def engine(self) -> str:
        """Name of the engine."""
        if self.kernel_name:
            return _KERNEL.fullmatch(self.kernel_name)[1]
        return _PROGRAM.fullmatch(self.xcl_name)[1]

    @property
    def fields(self) -> Mapping[str, int]:
        """Fields of the engine's configuration that are not the default."""
        return {name: int(digits) for name, digits in self._named_fields}

    @property
    def _named_fields(self) -> list[tuple[str, str]]:
        return _FIELD.findall(_PROGRAM.fullmatch(self.xcl_name)[2]) if self.xcl_name else []


@layer_types.register("XCLProgram")
class XCLProgram(UntrainedLayer):
    """Names the engine configuration that the layers behind it run on; it has no bottoms and no tops.

    In the fork it loads a bitstream; here the planner makes the engine that the names describe:

        kernel_name: ENGINE["_pe"]                          "winograd_pe"
        xcl_name:    ENGINE["_pe"]{"_"FIELD number}[".xclbin"]   "winograd_m4_pc4_pk4.xclbin"

    ENGINE is an engine of cortado and FIELD a field of its configuration; fields that are not named have the model's
    values or the defaults. One of the two names suffices, and both must mean one engine. The fields stand in the layer
    itself (the fork of 2016) or in `xcl_param` (2017).
    """

    parameters_type = XCLProgramParameters
    parameters_field = "xcl_param"
    layer_fields = ("xcl_name", "kernel_name", "once")
    bottom_counts = range(1)
    top_counts = range(1)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return ()

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return ()
