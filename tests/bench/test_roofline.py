"""Ceilings against the published table of tile edges and against counting by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cortado.bench.roofline import ConvolutionGeometry, Roofline


def square(edge: int, *, channels: int = 64, filters: int = 64, batch: int = 1, kernel: int = 3, stride: int = 1,
           pad: int = 1, group: int = 1) -> ConvolutionGeometry:
    out = (edge + 2 * pad - kernel) // stride + 1
    return ConvolutionGeometry(batch=batch, channels=channels, filters=filters, size=(edge, edge),
                               out_size=(out, out), kernel=(kernel, kernel), strides=(stride, stride),
                               pads=(pad, pad), group=group)


def roofline(geometry: ConvolutionGeometry, m: int = 4, beat_bytes: int = 16) -> Roofline:
    return Roofline(geometry=geometry, m=m, multipliers=(m + 2)**2 * 16, beat_bytes=beat_bytes)


# Operations, two for a MAC, for each multiplier and cycle on one image, with whole tiles.
@pytest.mark.parametrize(("edge", "by_m"), [
    (224, {2: 4.5, 4: 8.0, 6: 9.77}),
    (112, {2: 4.5, 4: 8.0, 6: 9.77}),
    (56, {2: 4.5, 4: 8.0, 6: 8.82}),
    (28, {2: 4.5, 4: 8.0, 6: 8.82}),
    (27, {2: 4.18, 4: 7.44, 6: 8.20}),
    (14, {2: 4.5, 4: 6.12, 6: 6.12}),
    (13, {2: 3.88, 4: 5.28, 6: 5.28}),
    (12, {2: 4.5, 4: 8.0, 6: 10.1}),
    (7, {2: 3.45, 4: 6.12, 6: 3.45}),
])
def test_tile_edges(edge, by_m):
    assert {m: 2 * roofline(square(edge), m).with_edges for m in by_m} == pytest.approx(by_m, abs=0.03)


@pytest.mark.parametrize(("m", "peak"), [(2, 2.25), (4, 4.0), (6, 5.0625)])
def test_the_peak_of_3x3(m, peak):
    assert roofline(square(13), m).peak == peak


@pytest.mark.parametrize(("kernel", "stride", "pieces"), [
    # 11 taps in four phases of 3, 3, 3 and 2; 7 in phases of 4 and 3, the first of which takes two pieces.
    (11, 4, 16), (7, 2, 9), (5, 1, 4), (3, 1, 1), (6, 1, 4), (7, 1, 9),
])
def test_the_peak_of_larger_kernels(kernel, stride, pieces):
    assert roofline(square(50, kernel=kernel, stride=stride)).peak == pytest.approx(kernel**2 / (pieces * 36 / 16))


@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (1, 2), (3, 2)])
def test_what_winograd_does_not_help_is_pointwise(kernel, stride):
    assert roofline(square(50, kernel=kernel, stride=stride)).peak == 1


@pytest.mark.parametrize(("edge", "batch", "share"), [(13, 1, 0.66), (13, 4, 0.86), (14, 1, 0.77), (14, 9, 0.91)])
def test_images_share_tiles(edge, batch, share):
    assert roofline(square(edge, batch=batch)).with_edges / 4 == pytest.approx(share, abs=0.006)


def test_images_that_gain_nothing_share_nothing():
    # 7 x 7 and a zero line are two tiles to an image, alone or not.
    assert roofline(square(7, batch=8)).with_edges == roofline(square(7)).with_edges


def test_pointwise_images_lie_end_to_end():
    geometry = square(7, kernel=1, pad=0)
    assert roofline(geometry).with_edges == pytest.approx(49 / 72)
    assert roofline(replace(geometry, batch=8)).with_edges == pytest.approx(8 * 49 / (11 * 36))


def test_what_has_to_move():
    geometry = square(13, channels=6, filters=4, batch=2, group=2)
    assert geometry.macs == 2 * 169 * 4 * 3 * 9
    assert geometry.bytes_in == 4 * 3 * 9 + 4 * 8 + 2 * 6 * 169
    assert geometry.bytes_out == 2 * 4 * 169


def test_what_has_to_move_in_two_bytes():
    geometry = replace(square(13, channels=6, filters=4, batch=2, group=2), data_bytes=2)
    assert geometry.bytes_in == 4 * 3 * 9 + 4 * 8 + 2 * 2 * 6 * 169
    assert geometry.bytes_out == 2 * 2 * 4 * 169
    assert replace(geometry, weight_bytes=2).bytes_in == 2 * 4 * 3 * 9 + 4 * 8 + 2 * 2 * 6 * 169


def test_a_stride_beyond_the_kernel_leaves_pixels_out():
    geometry = square(14, channels=1, filters=1, kernel=1, stride=2, pad=0)
    assert geometry.bytes_in == 1 + 8 + 49


@pytest.mark.parametrize(("geometry", "bound", "cycles"), [
    # One image, many kernels: 9 * 512 * 512 bytes and more through 16 bytes a cycle, against 4 tiles for each pair.
    (square(7, channels=512, filters=512), "read", (9 * 512 * 512 + 512 * 8 + 512 * 49) / 16),
    (square(112, channels=64, filters=64), "compute", 28 * 28 * 64 * 64 / 16),
    (square(112, channels=1, filters=64), "write", 112 * 112 * 64 / 16),
])
def test_the_slowest_sets_the_roofline(geometry, bound, cycles):
    result = roofline(geometry)
    assert (result.bound, result.cycles) == (bound, cycles)
    assert result.with_memory == pytest.approx(geometry.macs / (576 * cycles))


def test_a_wider_port_moves_more():
    geometry = square(7, channels=512, filters=512)
    assert roofline(geometry, beat_bytes=64).read_cycles == -(-geometry.bytes_in // 64)
