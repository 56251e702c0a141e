"""How weights and channel records lie in memory for the C++ kernels.

For each bundle of groups and each of its blocks of pk output channels: pk records, filled up to whole beats, then the
passes, each filled up to whole beats. A pass of the Winograd kernel is a channel block: pk * pc kernels of nine
weights, output channel outermost. A pass of any other kernel is one tap of a channel block: pk * pc weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cortado.gateware.blocking import Bundle, Span
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.weight_packing import channel_records, dense_kernels
from cortado.numerics.convolution import IntegerConvolution


def pack_bundles(convolution: IntegerConvolution, weight: np.ndarray, configuration: WinogradConfiguration,
                 bundles: Sequence[Bundle], *, winograd: bool) -> list[np.ndarray]:
    """The bytes of each bundle, uint8; `weight` are the kernels (K, C / group, R, S) of the convolution that runs."""
    return [_pack(convolution, weight, configuration, bundle, winograd) for bundle in bundles]


def _pack(convolution: IntegerConvolution, weight: np.ndarray, configuration: WinogradConfiguration, bundle: Bundle,
          winograd: bool) -> np.ndarray:
    filter_blocks = configuration.filter_blocks(bundle.filters.count)
    records = channel_records(convolution, bundle.filters, filter_blocks * configuration.pk)
    return pack_kernels(dense_kernels(weight, configuration, bundle, convolution.group), records.view(np.uint8),
                        pk=configuration.pk, pc=configuration.pc, beat_bytes=configuration.beat_bytes,
                        winograd=winograd)


def pack_kernels(kernels: np.ndarray, records: np.ndarray, *, pk: int, pc: int, beat_bytes: int,
                 winograd: bool) -> np.ndarray:
    """The bytes of kernels (K, C, R, S) in whole blocks, of any type, with the bytes of a record for each of K."""
    filter_blocks, channel_blocks = len(kernels) // pk, kernels.shape[1] // pc
    split = kernels.reshape(filter_blocks, pk, channel_blocks, pc, -1)
    # Filter block, channel block, then what a pass holds.
    order = (0, 2, 1, 3, 4) if winograd else (0, 2, 4, 1, 3)
    passes = channel_blocks * (1 if winograd else split.shape[-1])
    numbers = np.ascontiguousarray(split.transpose(order)).reshape(filter_blocks, passes, -1).view(np.uint8)
    return np.concatenate([to_beats(records.reshape(filter_blocks, -1), beat_bytes),
                           to_beats(numbers, beat_bytes).reshape(filter_blocks, -1)], axis=1).reshape(-1)


def to_beats(numbers: np.ndarray, beat_bytes: int) -> np.ndarray:
    """Bytes filled up to whole beats along the last axis."""
    missing = -numbers.shape[-1] % beat_bytes
    return np.pad(numbers, [(0, 0)] * (numbers.ndim - 1) + [(0, missing)])


def pack_inner_product(convolution: IntegerConvolution, configuration: WinogradConfiguration) -> np.ndarray:
    """An inner product for the kernel `inner_product`, uint8: for each output a beat with its record, then weights."""
    outputs = convolution.out_channels
    records = channel_records(convolution, Span(0, outputs), outputs).view(np.uint8).reshape(outputs, -1)
    weights = convolution.weight.reshape(outputs, -1).view(np.uint8)
    return np.concatenate([to_beats(records, configuration.beat_bytes),
                           to_beats(weights, configuration.beat_bytes)], axis=1).reshape(-1)
