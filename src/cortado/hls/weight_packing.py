"""How weights and channel records lie in memory for the C++ kernels.

For each bundle of groups and each of its blocks of pk output channels: pk records, filled up to whole beats, then the
passes, each filled up to whole beats. A pass of the Winograd kernel is a channel block: pk * pc kernels of nine
weights, output channel outermost. A pass of any other kernel is one tap of a channel block: pk * pc weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cortado.gateware.blocking import Bundle
from cortado.gateware.configuration import CHANNEL_RECORD_BYTES, WinogradConfiguration
from cortado.gateware.weight_packing import channel_records, dense_kernels
from cortado.numerics.convolution import IntegerConvolution


def pack_bundles(convolution: IntegerConvolution, weight: np.ndarray, configuration: WinogradConfiguration,
                 bundles: Sequence[Bundle], *, winograd: bool) -> list[np.ndarray]:
    """The bytes of each bundle, uint8; `weight` are the kernels (K, C / group, R, S) of the convolution that runs."""
    return [_pack(convolution, weight, configuration, bundle, winograd) for bundle in bundles]


def _pack(convolution: IntegerConvolution, weight: np.ndarray, configuration: WinogradConfiguration, bundle: Bundle,
          winograd: bool) -> np.ndarray:
    pk, pc = configuration.pk, configuration.pc
    filter_blocks = configuration.filter_blocks(bundle.filters.count)
    channel_blocks = configuration.channel_blocks(bundle.channels.count)
    dense = dense_kernels(weight, configuration, bundle, convolution.group)
    kernels = dense.reshape(filter_blocks, pk, channel_blocks, pc, -1)
    # Filter block, channel block, then what a pass holds.
    order = (0, 2, 1, 3, 4) if winograd else (0, 2, 4, 1, 3)
    ordered = np.ascontiguousarray(kernels.transpose(order))
    passes = channel_blocks * (1 if winograd else kernels.shape[-1])
    numbers = ordered.reshape(filter_blocks, passes, -1)
    pitch = configuration.beat_bytes * (configuration.pass_beats if winograd else configuration.point_pass_beats)
    packed = np.zeros((filter_blocks, passes, pitch), np.uint8)
    packed[..., : numbers.shape[-1] * configuration.weight_bytes] = numbers.view(np.uint8).reshape(
        filter_blocks, passes, -1)
    records = np.zeros((filter_blocks, configuration.record_beats * configuration.beat_bytes), np.uint8)
    records[:, : pk * CHANNEL_RECORD_BYTES] = channel_records(
        convolution, bundle.filters, filter_blocks * pk).view(np.uint8).reshape(filter_blocks, -1)
    return np.concatenate([records, packed.reshape(filter_blocks, -1)], axis=1).reshape(-1)
