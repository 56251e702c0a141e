"""How weights and channel records lie in the engine's memory."""

from __future__ import annotations

import numpy as np

from cortado.gateware.blocking import Blocking, Bundle, Span
from cortado.gateware.channel_record import RECORD_LAYOUT, ChannelFlag
from cortado.gateware.configuration import CHANNEL_RECORD_BYTES, WinogradConfiguration
from cortado.gateware.convolution_shape import PIECE
from cortado.numerics.convolution import IntegerConvolution

_RECORD = np.dtype([("bias", "<i4"), ("multiplier", "<u2"), ("shift_and_flags", "u1"), ("slope", "u1")])
_FLAGS_AT = RECORD_LAYOUT["flags"].offset - RECORD_LAYOUT["shift"].offset
assert _RECORD.itemsize == CHANNEL_RECORD_BYTES == RECORD_LAYOUT.size // 8


def pack_weights(convolution: IntegerConvolution, weight: np.ndarray, blocking: Blocking) -> np.ndarray:
    """Records and kernels of a layer in the order the engine reads them, as uint8.

    `weight` are the kernels of the convolution the engine runs, int8 or int16 (K, C / group, R, S). For each run of the
    blocking and each of its blocks of pk output channels: pk records where the sums end, then for each plane pk * pc
    kernels of nine weights (pointwise, of one), output channel outermost; records and passes are filled up to whole
    beats.
    """
    configuration = blocking.configuration
    pk, pc = configuration.pk, configuration.pc
    pass_pitch = configuration.beat_bytes * (
        configuration.point_pass_beats if blocking.pointwise else configuration.pass_beats)
    parts = []
    for number in range(len(blocking.bundles)):
        channel_blocks, filter_blocks = blocking.channel_blocks(number), blocking.filter_blocks(number)
        kernels = _kernels(weight, blocking, number)
        taps = kernels.shape[-1]
        kernels = kernels.reshape(filter_blocks, pk, len(kernels[0]), channel_blocks, pc, taps)
        passes = np.zeros((filter_blocks, blocking.planes(number), pass_pitch), np.uint8)
        ordered = np.ascontiguousarray(kernels.transpose(0, 2, 3, 1, 4, 5))
        passes[..., : pk * pc * taps * configuration.weight_bytes] = ordered.reshape(
            filter_blocks, blocking.planes(number), -1).view(np.uint8)
        records = _records(convolution, blocking, number)
        for filters, planes in blocking.bundle_runs(number):
            rows = slice(filters.first, filters.end)
            part = passes[rows, planes.first : planes.end].reshape(filters.count, -1)
            if planes.end == blocking.planes(number):
                part = np.concatenate([records[rows], part], axis=1)
            parts.append(part.reshape(-1))
    return np.concatenate(parts)


def _kernels(weight: np.ndarray, blocking: Blocking, number: int) -> np.ndarray:
    """The kernels of a bundle: (filters, views, channels, taps), in whole blocks, zero between groups."""
    configuration, bundle = blocking.configuration, blocking.bundles[number]
    dense = dense_kernels(weight, configuration, bundle, blocking.shape.group)
    if blocking.pointwise:
        return dense.reshape(len(dense), 1, dense.shape[1], 1)
    pieces = np.zeros((len(dense), len(blocking.views), dense.shape[1], PIECE, PIECE), dense.dtype)
    for index, view in enumerate(blocking.views):
        for row, row_tap in enumerate(view.row.taps):
            for column, column_tap in enumerate(view.column.taps):
                if row_tap is not None and column_tap is not None:
                    pieces[:, index, :, row, column] = dense[:, :, row_tap, column_tap]
    return pieces.reshape(*pieces.shape[:3], PIECE * PIECE)


def dense_kernels(weight: np.ndarray, configuration: WinogradConfiguration, bundle: Bundle,
                  groups: int) -> np.ndarray:
    """The kernels of a bundle as one convolution: (filters, channels, R, S), in whole blocks, zero between groups."""
    filters, channels = len(weight) // groups, weight.shape[1]
    dense = np.zeros((configuration.filter_blocks(bundle.filters.count) * configuration.pk,
                      configuration.channel_blocks(bundle.channels.count) * configuration.pc, *weight.shape[2:]),
                     f"<i{configuration.weight_bytes}")
    for group in range(bundle.filters.count // filters):
        first = bundle.filters.first + group * filters
        dense[group * filters : (group + 1) * filters, group * channels : (group + 1) * channels] = (
            weight[first : first + filters])
    return dense


def channel_records(convolution: IntegerConvolution, filters: Span, count: int) -> np.ndarray:
    """`count` records for the output channels `filters`: those behind the last are zero."""
    records = np.zeros(count, _RECORD)
    for name, field in (("bias", "bias"), ("multiplier", "multiplier"), ("shift", "shift_and_flags")):
        records[field][: filters.count] = getattr(convolution, name)[filters.first : filters.end]
    if convolution.relu:
        records["shift_and_flags"] |= ChannelFlag.RELU << _FLAGS_AT
        records["slope"] = convolution.slope
    return records


def _records(convolution: IntegerConvolution, blocking: Blocking, number: int) -> np.ndarray:
    """The records of a bundle: uint8 (filter blocks, bytes)."""
    configuration, filters = blocking.configuration, blocking.bundles[number].filters
    count = configuration.filter_blocks(filters.count)
    records = channel_records(convolution, filters, count * configuration.pk)
    packed = np.zeros((count, configuration.record_beats * configuration.beat_bytes), np.uint8)
    packed[:, : configuration.pk * CHANNEL_RECORD_BYTES] = records.view(np.uint8).reshape(count, -1)
    return packed
