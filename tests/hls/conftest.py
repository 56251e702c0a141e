"""Small engines, and layers drawn at random to run on their C++ kernels."""

from __future__ import annotations

import numpy as np
import pytest

from cortado.device.csim import CsimDevice
from cortado.device.device import Device, DeviceOptions
from cortado.engines.winograd import Winograd
from cortado.errors import LayerError
from cortado.executor.executor import run_job
from cortado.graph.shape import TensorShape
from cortado.numerics.convolution import IntegerConvolution

MEMORY_BYTES = 2**24
# Buffers so small that a layer of a few channels takes several blocks.
ENGINES = {
    "m 2": {"m": 2, "pc": 4, "pk": 2, "beat_bits": 64, "largest_taps": 1100, "tiles": 12, "buffer_words": 96},
    "m 4": {"m": 4, "pc": 2, "pk": 2, "largest_taps": 1100, "tiles": 20, "buffer_words": 96, "leaky": 1, "pooling": 2,
            "elementwise_add": 1, "pooling_row_beats": 8},
    "m 4, pk 4": {"m": 4, "pc": 2, "pk": 4, "largest_taps": 1100, "tiles": 20, "buffer_words": 96, "leaky": 1},
    "m 6": {"m": 6, "pc": 1, "pk": 1, "largest_taps": 1100, "tiles": 40, "buffer_words": 96},
    "m 2, 16 x 8": {"m": 2, "pc": 2, "pk": 2, "data_bits": 16, "largest_taps": 1100, "tiles": 12},
    "m 4, 16 x 8": {"m": 4, "pc": 2, "pk": 1, "data_bits": 16, "largest_taps": 1100, "tiles": 30},
    "m 2, 16 x 16": {"m": 2, "pc": 1, "pk": 2, "data_bits": 16, "weight_bits": 16, "largest_taps": 1100},
    "m 4, 16 x 16": {"m": 4, "pc": 2, "pk": 2, "data_bits": 16, "weight_bits": 16, "largest_taps": 1100},
}


@pytest.fixture
def csim() -> Device:
    """The csim device, closed at the end."""
    with CsimDevice(DeviceOptions(memory_bytes=MEMORY_BYTES)) as device:
        yield device


def engine(name: str) -> Winograd:
    """One of `ENGINES`."""
    return Winograd.from_fields(ENGINES[name])


def drawn_layer(rng: np.random.Generator, taken: Winograd) -> tuple[IntegerConvolution, np.ndarray]:
    """A convolution and its maps: any kernel, stride, dilation, group and pads, numbers over the whole range."""
    kernel = rng.choice([(1, 1), (3, 3), (3, 3), (3, 3), (5, 5), (2, 3), (7, 1), (4, 4)])
    stride = (1, 1) if rng.random() < 0.6 else tuple(int(step) for step in rng.integers(1, 4, 2))
    dilation = (1, 1) if rng.random() < 0.8 else tuple(int(step) for step in rng.integers(1, 3, 2))
    group = int(rng.choice([1, 1, 2, 3]))
    channels, filters = (int(count) * group for count in rng.integers(1, 7, 2))
    reach = [(int(size) - 1) * step + 1 for size, step in zip(kernel, dilation, strict=True)]
    height, width = (int(edge) + size for edge, size in zip(rng.integers(0, 14, 2), reach, strict=True))
    data, weight = np.dtype(f"int{taken.data_bits}"), np.dtype(f"int{taken.weight_bits}")
    taps = channels // group * int(kernel[0]) * int(kernel[1])
    relu = bool(rng.random() < 0.5)
    return IntegerConvolution(
        weight=whole_range(rng, (filters, channels // group, *kernel), weight),
        bias=rng.integers(-2**12, 2**12, filters).astype(np.int32),
        multiplier=rng.integers(2**15, 2**16, filters).astype(np.uint16),
        # Results over the whole range, some of which saturate.
        shift=(rng.integers(15, 19, filters) + taken.weight_bits - 2 + int(np.log2(taps) / 2)).astype(np.uint8),
        pad=tuple(int(pad) for pad in rng.integers(0, 3, 4)), stride=stride, dilation=dilation, group=group,
        relu=relu, slope=int(rng.integers(0, 256)) if relu and taken.configuration.leaky else 0,
        data_bits=taken.data_bits,
    ), whole_range(rng, (int(rng.integers(1, 4)), channels, height, width), data)


def whole_range(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Numbers of a type, its ends among them more often than chance has it."""
    limits = np.iinfo(dtype)
    numbers = rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    extreme = rng.random(shape)
    return np.where(extreme < 0.1, limits.min, np.where(extreme > 0.9, limits.max, numbers)).astype(dtype)


def run(device: Device, taken: Winograd, convolution: IntegerConvolution, maps: np.ndarray) -> np.ndarray | None:
    """The maps a device makes of a layer; None where the engine's small buffers do not take it."""
    try:
        job = taken.job("layer", convolution, TensorShape(maps.shape))
    except LayerError:
        return None
    return run_job(device, job, maps)[0]
