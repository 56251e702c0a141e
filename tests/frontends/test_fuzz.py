"""Readers of files from others: whatever comes, a value or one error of one line, soon and in little memory."""

from __future__ import annotations

import dataclasses
import resource
import string
from enum import Enum
from typing import get_args, get_type_hints

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cortado.errors import CortadoError, ModelFileError
from cortado.frontends.caffemodel import encode_caffemodel, parse_caffemodel
from cortado.frontends.prototxt import parse_prototxt
from cortado.frontends.solver_file import parse_solver
from cortado.layers.filler import Filler
from cortado.layers.input import BlobShape
from cortado.layers.layer import layer_types
from cortado.messages.blob import encoded_blob
from cortado.messages.datum import encode_datum, parse_datum
from cortado.messages.solver_state import SolverState, encode_solver_state, parse_solver_state
from cortado.net.net import Net
from cortado.net.shape_inference import infer_shapes
from cortado.resources import models_root

# Of this process, in KiB: far below the 2 GiB no small file may take.
LARGEST_GROWTH = 512 * 1024

TEXTS = [path.read_text() for path in sorted(models_root().rglob("*.prototxt")) if path.stat().st_size < 8000]

# Values of all blobs of a network that is run.
LARGEST_NETWORK = 10**6

# Types that would read files: what they open is not the reader's.
FILES = {"Data", "HDF5Data", "HDF5Output", "ImageData", "InfogainLoss", "Python", "Dataset"}
TYPES = sorted(name for name in {*layer_types} - FILES if layer_types[name].__module__.startswith("cortado.layers."))

WEIGHTS = encode_caffemodel("n", {"a": ("Convolution", (np.ones((2, 3, 1, 1), np.float32), np.ones(2, np.float32)))})
STATE = encode_solver_state(SolverState(iteration=3, learned_net="n", history=(np.ones((2, 2), np.float32),),
                                        arrays={"x": np.arange(3)}))
DATUM = encode_datum(np.zeros((1, 2, 2), np.uint8), 3)


@pytest.fixture(autouse=True)
def little_memory():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < LARGEST_GROWTH


def refused_in_one_line(read, *arguments):
    """Runs a reader; what it may raise is one line."""
    try:
        return read(*arguments)
    except CortadoError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return None


@st.composite
def mutated(draw, originals):
    """A file with pieces cut out, doubled or replaced."""
    data = draw(st.sampled_from(originals))
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(data)))
        end = min(len(data), begin + draw(st.integers(0, 40)))
        piece = draw(st.one_of(
            st.just(data[:0]), st.just(2 * data[begin:end]),
            st.text(string.printable, max_size=12) if isinstance(data, str) else st.binary(max_size=12)))
        data = data[:begin] + piece + data[end:]
    return data


ANYTHING = st.one_of(st.integers(-3, 9).map(str), st.floats().map(str), st.sampled_from(
    ["2147483647", "9223372036854775807", "1" * 30, "-1", "true", "MAX", '"a"', "inf", "{ }"]))


def value_of(hint):
    """Texts of values a field of that type takes, mostly."""
    kinds = [kind for kind in (get_args(hint) or (hint,)) if kind not in (type(None), Ellipsis)]
    kind = kinds[0]
    if kind is bool:
        return st.sampled_from(["true", "false"])
    if kind is int:
        return st.integers(0, 4).map(str)
    if kind is float:
        return st.floats(-2, 2).map(str)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from([*kind.__members__])
    if kind is Filler:
        return st.sampled_from([f'{{ type: "{name}" }}' for name in ("xavier", "constant", "bilinear")])
    if kind is BlobShape:
        return st.lists(st.integers(1, 4), min_size=1, max_size=4).map(lambda dims: f"{{ dim: {dims} }}")
    return ANYTHING


@st.composite
def layers(draw):
    """A network of layers with fields of their own types, one in eight with a value of any kind."""
    lines = ['input: "b0" input_shape { dim: 2 dim: 3 dim: 5 dim: 4 } input: "b1" input_shape { dim: 2 }']
    made = ["b0", "b0", "b1"]
    for index in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(TYPES))
        layer_type = layer_types[kind]
        hints = get_type_hints(layer_type.parameters_type)
        required = {entry.name for entry in dataclasses.fields(layer_type.parameters_type)
                    if entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING}
        chosen = draw(st.sets(st.sampled_from(sorted(hints)), max_size=2)) if hints else set()
        fields = [f"{name}: {draw(ANYTHING if draw(st.integers(0, 7)) == 0 else value_of(hints[name]))}"
                  for name in sorted(required | chosen)]
        few, many = layer_type.bottom_counts[0], min(layer_type.bottom_counts[-1], layer_type.bottom_counts[0] + 1)
        bottoms = [draw(st.sampled_from(made)) for _ in range(draw(st.integers(few, many)))]
        tops = [f"l{index}_{top}" for top in range(max(layer_type.top_counts[0], 0))]
        blobs = [*(f"bottom: {bottom!r}" for bottom in bottoms), *(f"top: {top!r}" for top in tops)]
        lines.append(f'layer {{ name: "l{index}" type: "{kind}" {" ".join(blobs)} '
                     f'{layer_type.parameters_field} {{ {" ".join(fields)} }} }}')
        made += tops
    return "\n".join(lines)


def build(text):
    return infer_shapes(parse_prototxt(text, file="f"))


def run(text):
    """A network that is read and small runs, and its blobs have the shapes that were said before."""
    spec = parse_prototxt(text, file="f")
    shapes = infer_shapes(spec)
    if sum(shape.count for shape in shapes.values()) > LARGEST_NETWORK:
        return
    net = Net(spec, seed=0)
    values = net({name: torch.ones(shapes[name].dims) * (shapes[name].rank > 1) for name in net.inputs})
    # How many pictures Filter lets through is known only now.
    if all(layer.type != "Filter" for layer in spec.layers):
        assert {name: tuple(value.shape) for name, value in values.items()} == {
            name: shape.dims for name, shape in shapes.items()}


MANY = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


@MANY
@given(st.one_of(st.text(max_size=200), st.text("{}:<>[]\"'\\#,;-. \nabc019x", max_size=200), mutated(TEXTS)))
def test_any_text_as_a_network(text):
    refused_in_one_line(build, text)


@MANY
@given(layers())
def test_any_layers_of_any_fields(text):
    refused_in_one_line(run, text)


@MANY
@given(st.one_of(st.text(max_size=200), mutated(TEXTS)))
def test_any_text_as_a_solver(text):
    refused_in_one_line(parse_solver, text, "f")


@MANY
@given(st.one_of(st.binary(max_size=200), mutated([WEIGHTS])))
def test_any_bytes_as_weights(data):
    refused_in_one_line(lambda: parse_caffemodel(data, file="f"))


@MANY
@given(st.one_of(st.binary(max_size=200), mutated([STATE, WEIGHTS])))
def test_any_bytes_as_a_solver_state(data):
    refused_in_one_line(parse_solver_state, data, "f")


@MANY
@given(st.one_of(st.binary(max_size=200), mutated([DATUM, encoded_blob(np.ones(3, np.float32))])))
def test_any_bytes_as_a_datum(data):
    refused_in_one_line(parse_datum, data, "f")


def test_a_small_file_that_names_a_huge_blob_is_refused():
    with pytest.raises(ModelFileError, match=r"up to 2147483647 values in all"):
        parse_caffemodel(b"\xa2\x06\x16\x0a\x01a\x3a\x11\x3a\x0f\x0a\x0d" + b"\xff\xff\xff\xff\x07" * 2 + b"\x01" * 3,
                         file="f")


def test_numbers_of_thousands_of_digits_and_deep_nesting_end_soon():
    for text in ("a: " + "9" * 100_000, "a { " * 100_000, "layer { " * 5000 + "}" * 5000, '"' * 100_001):
        with pytest.raises(ModelFileError):
            parse_prototxt(text)
