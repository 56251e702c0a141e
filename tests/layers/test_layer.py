"""What holds of every registered layer type."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path

import pytest

from cortado.layers.layer import Layer, layer_types

TYPES = list(layer_types)


def test_every_file_has_registered_its_type():
    folder = Path(inspect.getfile(Layer)).parent
    workloads = folder.parent / "workloads"
    registering = [path for path in (*folder.glob("*.py"), *workloads.glob("*/layers/*.py"))
                   if "@layer_types.register(" in path.read_text()]
    assert {"Convolution", "Gelu", "LRN", "XCLProgram", "LogDifferenceData", "GraphData"} <= set(TYPES)
    assert len(registering) == len(TYPES)


@pytest.mark.parametrize("name", TYPES)
def test_parameters_are_a_frozen_dataclass(name):
    parameters = layer_types[name].parameters_type
    assert dataclasses.is_dataclass(parameters)
    assert parameters.__dataclass_params__.frozen
    assert all(field.kw_only for field in dataclasses.fields(parameters))


@pytest.mark.parametrize("name", TYPES)
def test_answers_every_question_itself(name):
    for question in ("top_shapes", "blob_shapes", "macs", "keeps_scale", "forward"):
        assert getattr(layer_types[name], question) is not getattr(Layer, question), question


def test_unknown_type_lists_the_known_ones():
    with pytest.raises(LookupError) as caught:
        layer_types["Convolutoin"]
    assert str(caught.value) == ("unknown layer type 'Convolutoin'; did you mean 'Convolution' or 'ConvolutionND' or "
                                     "'Deconvolution'? "
                                 f"(known: {', '.join(TYPES)})")
