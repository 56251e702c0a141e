"""The texts of the kernels: always the same, each with its banner, every number from its one place."""

from __future__ import annotations

import re

import pytest

from cortado.errors import ConfigurationError
from cortado.gateware.configuration import WinogradConfiguration
from cortado.hls.kernel_configuration import KernelConfiguration
from cortado.hls.linear_expression import shifted_sum
from cortado.hls.render import kernel_files
from cortado.resources import hls_root


@pytest.mark.parametrize("fields", [{}, {"m": 2, "pc": 2}, {"m": 6, "pk": 8}, {"data_bits": 16, "weight_bits": 16}])
def test_every_file_names_its_template_parameters_and_hash(fields):
    configuration = WinogradConfiguration(**fields)
    files = kernel_files(configuration)
    assert set(files) == {path.name.removesuffix(".j2") for path in (hls_root() / "kernels").iterdir()}
    for name, text in files.items():
        first = text.splitlines()[0]
        assert re.fullmatch(rf"// cortado \S+: kernels/{re.escape(name)}\.j2; {re.escape(str(configuration))}; "
                            rf"configuration {configuration.hash}", first), first
        assert "{{" not in text
        assert "{%" not in text


def test_the_same_configuration_gives_the_same_bytes():
    first = kernel_files(WinogradConfiguration(m=6))
    assert first == kernel_files(WinogradConfiguration(m=6)) != kernel_files(WinogradConfiguration(m=6, pc=2))


def test_no_template_holds_a_matrix():
    """Transforms are written by winograd/: a template has no row of constants of its own."""
    for path in (hls_root() / "kernels").iterdir():
        assert not re.search(r"\{\s*-?\d+\s*,\s*-?\d+\s*,\s*-?\d+", path.read_text()), path.name


@pytest.mark.parametrize("row", [(4, 0, -5, 0, 1, 0), (0, -21, 126, 3, 0, 1), (-1, -1, -1), (0, 7)])
def test_an_expression_has_the_value_of_its_sum(row):
    x = [3, -2, 11, 5, 8, -6]
    expression = shifted_sum(row, "x")
    assert eval(expression, {"x": x}) == sum(factor * value for factor, value in zip(row, x, strict=False))


def test_larger_than_c_simulation_can_hold_is_refused():
    with pytest.raises(ConfigurationError) as caught:
        KernelConfiguration(WinogradConfiguration(m=6, pc=16, pk=16, tiles=1024))
    assert str(caught.value) == (
        "HLS kernels: buffer_words, tiles, pc and pk must ask for at most 4194304 bytes on chip, not 13107200; take "
        "fewer (--engine buffer_words=N,tiles=N)")
