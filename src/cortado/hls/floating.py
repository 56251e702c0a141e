"""Floating point, as the paper's engines had it: the convolution kernels on float or half, and LRN.

They are the templates of the exact kernels with other types: `types.h`, `beat.h` and `requantize.h` of `hls/floating`
stand in for those of `hls/kernels`. Half is multiplied as half and summed as float.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cortado.errors import ConfigurationError
from cortado.gateware.configuration import BURST_BEATS, CHANNEL_RECORD_BYTES
from cortado.hls.kernel_configuration import ARRANGE_CYCLES
from cortado.hls.linear_expression import float_sum
from cortado.hls.render import DEFAULT_DEPTH, SUFFIX, memory_port, render_text, scalar_ports
from cortado.resources import hls_root
from cortado.simulation.memory_model import MemoryModel
from cortado.winograd.transform import WinogradTransform

VALUES = {"float": np.dtype(np.float32), "half": np.dtype(np.float16)}
EDGES = (2, 4)
# C++ types as wide as a value.
BITS_TYPES = {16: "unsigned short", 32: "unsigned int"}
# What the floating kernels take of the exact ones.
SHARED = ("parameters.h", "pixel.h", "convolution.h", "input_buffer.h", "output_rows.h", "weights.h", "tap_sums.h",
          "transforms.h", "winograd_stages.h", "winograd_convolution.h", "winograd_convolution.cpp",
          "direct_convolution.h", "direct_convolution.cpp")
# Cycles of one addition of floats at a few hundred MHz: those between two visits of one sum.
ADD_CYCLES = 8


@dataclass(frozen=True, kw_only=True)
class FloatingConfiguration:
    """Kernels of one value type. Raises `ConfigurationError` outside the legal range."""

    value: str = "float"
    m: int = 2
    pc: int = 2
    pk: int = 2
    beat_bits: int = 128
    tiles: int = 64
    buffer_words: int = 512
    """Of banks x banks pixels."""
    local_size: int = 5
    """Channels of a window of LRN."""

    def __post_init__(self) -> None:
        for name, legal in (("value", tuple(VALUES)), ("m", EDGES), ("pc", (1, 2, 4)), ("pk", (1, 2, 4)),
                            ("beat_bits", (128, 256, 512)), ("local_size", (3, 5, 7, 9))):
            if getattr(self, name) not in legal:
                raise ConfigurationError(f"floating configuration: {name} must be one of "
                                         f"{', '.join(map(str, legal))}, not {getattr(self, name)}")
        for name, low, high in (("tiles", ADD_CYCLES, 1024), ("buffer_words", 4, 4096)):
            if not low <= getattr(self, name) <= high:
                raise ConfigurationError(f"floating configuration: {name} must be from {low} to {high}, not "
                                         f"{getattr(self, name)}")

    def __str__(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in asdict(self).items())

    @property
    def dtype(self) -> np.dtype:
        """Of the maps and weights."""
        return VALUES[self.value]

    @property
    def beat_bytes(self) -> int:
        """Bytes of a beat."""
        return self.beat_bits // 8

    @property
    def transform(self) -> WinogradTransform:
        """F(m x m, 3 x 3)."""
        return WinogradTransform(self.m)

    @property
    def banks(self) -> int:
        """Rows and columns of banks a window is spread over: the power of two that holds one."""
        return 1 << (self.transform.alpha - 1).bit_length()

    def files(self) -> dict[str, str]:
        """The text of every kernel and header by file name; the same configuration always gives the same texts."""
        own = {path.name.removesuffix(SUFFIX): f"floating/{path.name}"
               for path in sorted((hls_root() / "floating").glob(f"*{SUFFIX}"))}
        templates = {name: f"kernels/{name}{SUFFIX}" for name in SHARED} | own
        return {name: render_text(template, str(self), self._values) for name, template in sorted(templates.items())}

    @property
    def _values(self) -> dict[str, Any]:
        bits, pairs = 8 * self.dtype.itemsize, self.pc * self.pk
        memory = MemoryModel(beat_bits=self.beat_bits)
        bt, g, at = self.transform.published

        def beats(count: int) -> int:
            return -(-count * bits // self.beat_bits)

        return {
            **asdict(self), "data_bits": bits, "weight_bits": bits, "bits_type": BITS_TYPES[bits],
            "transform": self.transform, "r": self.transform.r, "scale": 1, "banks": self.banks,
            "winograd_pass_beats": beats(9 * pairs), "pass_beats": beats(pairs), "pairs": 1,
            "record_beats": -(-8 * CHANNEL_RECORD_BYTES * self.pk // self.beat_bits),
            "accumulate_cycles": ADD_CYCLES, "arrange_cycles": ARRANGE_CYCLES, "largest_width": 1, "largest_inputs": 1,
            "burst_beats": BURST_BEATS, "outstanding_bursts": memory.outstanding_bursts,
            "input_sums": [float_sum(row, "x") for row in bt], "weight_sums": [float_sum(row, "x") for row in g],
            "inverse_sums": [float_sum(row, "s") for row in at],
            "transform_notes": (), "division": ["return multiple;"],
            "memory_ports": lambda names: "\n".join(memory_port(name, DEFAULT_DEPTH, memory) for name in names),
            "scalar_ports": scalar_ports,
        }
