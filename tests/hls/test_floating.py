"""The kernels in floating point, against float64."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from cortado.errors import ConfigurationError, LayerError
from cortado.hls.compilation import build_kernels
from cortado.hls.floating import FloatingConfiguration
from cortado.hls.floating_convolution import FloatingConvolution, error_growth
from cortado.hls.floating_normalisation import FloatingNormalisation
from cortado.hls.kernel_library import KernelLibrary


@cache
def library(value: str, m: int) -> KernelLibrary:
    return KernelLibrary(build_kernels(FloatingConfiguration(value=value, m=m).files()))


def drawn(rng: np.random.Generator, value: str, m: int, channels: int = 48, **fields: object,
          ) -> tuple[FloatingConvolution, np.ndarray]:
    configuration = FloatingConfiguration(value=value, m=m)
    kernel = fields.pop("kernel", (3, 3))
    taps = channels * kernel[0] * kernel[1]
    weight = (rng.standard_normal((5, channels, *kernel)) / np.sqrt(taps)).astype(configuration.dtype)
    convolution = FloatingConvolution(
        name="layer", configuration=configuration, weight=weight, pad=(1, 0, 2, 1), dims=(2, channels, 13, 18),
        bias=rng.standard_normal(5).astype(np.float32), **fields)
    return convolution, rng.standard_normal(convolution.dims).astype(configuration.dtype)


DIRECT = {"kernel": (5, 4), "stride": (2, 3), "dilation": (2, 1), "winograd": False}


@pytest.mark.parametrize(("value", "m", "fields", "most"), [
    ("float", 2, {"relu": True}, 1e-3), ("float", 2, {"winograd": False}, 1e-3), ("float", 2, DIRECT, 2e-3),
    ("half", 2, {}, 0.3), ("half", 2, DIRECT, 0.03), ("half", 4, {"relu": True}, 10),
    pytest.param("float", 4, {}, 0.03, marks=pytest.mark.slow)])
@pytest.mark.parametrize("size", [1, 1e-4])
def test_the_error_is_within_the_derived_bound(rng, value, m, fields, most, size):
    convolution, maps = drawn(rng, value, m, **fields)
    maps = (maps * size).astype(maps.dtype)
    errors = np.abs(convolution.run(library(value, m), maps).astype(np.float64) - convolution.exact(maps))
    bound = convolution.bound(maps)
    assert (errors <= bound).all()
    # The bound is of the size of what rounding does; values are up to 4. The worst case of F(4x4) in half is wide.
    assert 0 < errors.max() < bound.max() < most


@pytest.mark.parametrize("fields", [{"relu": True}, DIRECT])
def test_float64_is_that_of_torch(rng, fields):
    convolution, maps = drawn(rng, "float", 2, **fields)
    padded = torch.nn.functional.pad(torch.from_numpy(maps.astype(np.float64)), (2, 1, 1, 0))
    expected = torch.nn.functional.conv2d(padded, torch.from_numpy(convolution.weight.astype(np.float64)),
                                          torch.from_numpy(convolution.bias.astype(np.float64)),
                                          convolution.stride, dilation=convolution.dilation)
    if convolution.relu:
        expected = torch.relu(expected)
    np.testing.assert_allclose(convolution.exact(maps), expected.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("value", "m", "least", "most"), [
    ("float", 2, 0.5, 3), ("half", 2, 1, 3), ("half", 4, 4, 20),
    pytest.param("float", 4, 2, 20, marks=pytest.mark.slow)])
def test_growth_of_the_error(rng, value, m, least, most):
    convolution, maps = drawn(rng, value, m)
    growth = error_growth(convolution, replace(convolution, winograd=False), library(value, m), maps)
    assert least < growth < most


@pytest.mark.parametrize("value", ["float", "half"])
@pytest.mark.parametrize("local_size", [5, pytest.param(3, marks=pytest.mark.slow)])
def test_local_response_normalisation_is_that_of_torch(rng, value, local_size):
    configuration = FloatingConfiguration(value=value, m=2, local_size=local_size)
    layer = FloatingNormalisation(name="norm", configuration=configuration, dims=(2, 11, 3, 4), alpha=1e-1, beta=0.75,
                                  k=2.0)
    maps = (3 * rng.standard_normal(layer.dims)).astype(configuration.dtype)
    expected = torch.nn.functional.local_response_norm(torch.from_numpy(maps.astype(np.float64)), local_size, 1e-1,
                                                       0.75, 2.0).numpy()
    np.testing.assert_allclose(layer.exact(maps), expected, rtol=1e-12)
    kernels = KernelLibrary(build_kernels(configuration.files())) if local_size != 5 else library(value, 2)
    errors, bound = np.abs(layer.run(kernels, maps).astype(np.float64) - expected), layer.bound(maps)
    assert (errors <= bound).all()
    assert 0 < errors.max() < bound.max() < 10 * np.finfo(configuration.dtype).eps * np.abs(expected).max()


def test_a_layer_that_does_not_fit_names_the_limit(rng):
    configuration = FloatingConfiguration(buffer_words=8)
    convolution = FloatingConvolution(name="wide", configuration=configuration, dims=(1, 20, 5, 5),
                                      weight=np.ones((1, 20, 3, 3), np.float32), bias=np.zeros(1, np.float32))
    with pytest.raises(LayerError) as caught:
        convolution.calls()
    assert str(caught.value) == (
        "layer 'wide': no block of it fits the floating kernel 'winograd_convolution': the window of one takes 10 "
        "words of the buffer, which has 8 (buffer_words of the configuration)")


def test_a_row_in_several_blocks(rng):
    convolution, maps = drawn(rng, "float", 2, channels=6)
    small = replace(convolution.configuration, buffer_words=12)
    narrow = replace(convolution, configuration=small)
    assert narrow.calls()[0].scalars["block_columns"] < convolution.calls()[0].scalars["block_columns"]
    kernels = KernelLibrary(build_kernels(small.files()))
    np.testing.assert_array_equal(narrow.run(kernels, maps), convolution.run(library("float", 2), maps))


@pytest.mark.parametrize(("fields", "message"), [
    ({"m": 6}, "floating configuration: m must be one of 2, 4, not 6"),
    ({"value": "double"}, "floating configuration: value must be one of float, half, not double"),
    ({"tiles": 4}, "floating configuration: tiles must be from 8 to 1024, not 4"),
])
def test_outside_the_legal_range(fields, message):
    with pytest.raises(ConfigurationError) as caught:
        FloatingConfiguration(**fields)
    assert str(caught.value) == message


def test_the_same_configuration_gives_the_same_bytes():
    files = FloatingConfiguration(value="half", m=4).files()
    assert files == FloatingConfiguration(value="half", m=4).files()
    for name, text in files.items():
        assert text.startswith("// cortado ")
        assert f"/{name}.j2; value=half, m=4," in text.splitlines()[0]
