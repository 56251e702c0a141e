"""The kernels in floating point, against float64."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from cortado.errors import ConfigurationError
from cortado.hls.compilation import build_kernels
from cortado.hls.floating import FloatingConfiguration
from cortado.hls.floating_convolution import FloatingConvolution, error_growth
from cortado.hls.kernel_library import KernelLibrary


@cache
def library(value: str, m: int) -> KernelLibrary:
    return KernelLibrary(build_kernels(FloatingConfiguration(value=value, m=m).files()))


def drawn(rng: np.random.Generator, value: str, m: int, channels: int = 48, *, relu: bool = False,
          ) -> tuple[FloatingConvolution, np.ndarray]:
    configuration = FloatingConfiguration(value=value, m=m)
    weight = (rng.standard_normal((5, channels, 3, 3)) / np.sqrt(9 * channels)).astype(configuration.dtype)
    convolution = FloatingConvolution(configuration=configuration, weight=weight, pad=(1, 0, 2, 1), relu=relu,
                                      bias=rng.standard_normal(5).astype(np.float32))
    return convolution, rng.standard_normal((2, channels, 13, 18)).astype(configuration.dtype)


@pytest.mark.parametrize("relu", [False, True])
def test_f2_in_float_is_within_the_derived_bound(rng, relu):
    convolution, maps = drawn(rng, "float", 2, relu=relu)
    errors = np.abs(convolution.run(library("float", 2), maps).astype(np.float64) - convolution.exact(maps))
    bound = convolution.bound(maps)
    assert (errors <= bound).all()
    # The bound is of the size of what rounding does, not of the values.
    assert 0 < errors.max() < bound.max() < 1e-3


def test_float64_is_that_of_torch(rng):
    convolution, maps = drawn(rng, "float", 2, relu=True)
    padded = torch.nn.functional.pad(torch.from_numpy(maps.astype(np.float64)), (2, 1, 1, 0))
    expected = torch.relu(torch.nn.functional.conv2d(padded, torch.from_numpy(convolution.weight.astype(np.float64)),
                                                     torch.from_numpy(convolution.bias.astype(np.float64))))
    np.testing.assert_allclose(convolution.exact(maps), expected.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("value", "m", "least", "most"), [
    ("float", 2, 0.5, 3), ("half", 2, 1, 3), ("half", 4, 4, 20),
    pytest.param("float", 4, 2, 20, marks=pytest.mark.slow)])
def test_growth_of_the_error(rng, value, m, least, most):
    convolution, maps = drawn(rng, value, m)
    growth = error_growth(convolution, library(value, m), maps)
    assert least < growth < most


@pytest.mark.parametrize("size", [5])
def test_local_response_normalisation_is_that_of_torch(rng, size):
    values = rng.standard_normal((7, 11)).astype(np.float32)
    output = np.zeros_like(values)
    library("float", 2).call("local_response_normalization", values.reshape(-1).view(np.uint8),
                             output.reshape(-1).view(np.uint8), *values.shape, 1e-1, 0.75, 2.0)
    expected = torch.nn.functional.local_response_norm(torch.from_numpy(values.astype(np.float64))[..., None], size,
                                                       1e-1, 0.75, 2.0)[..., 0]
    np.testing.assert_allclose(output, expected, rtol=1e-6)


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
