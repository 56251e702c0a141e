"""Somebody else's test suite: onnx.backend.test, over the operators that docs/onnx.md claims."""

from __future__ import annotations

import fnmatch
import re
import unittest
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx import AttributeProto, GraphProto, ModelProto, TensorProto, helper
from onnx.backend.test import BackendTest

from cortado.errors import GraphError, LayerError, ModelFileError
from cortado.executor.onnx_backend import OnnxBackend, OnnxRep
from cortado.frontends.onnx.operator_registry import supported_operators
from cortado.frontends.onnx.reader import net_of, translate
from cortado.frontends.onnx.translation import Blob
from cortado.frontends.onnx.writing.graph import onnx_model
from cortado.layers.element_type import ElementType
from cortado.net.net import Net

PAGE = (Path(__file__).parents[2] / "docs" / "onnx.md").read_text(encoding="utf-8")

# Element types that came after opset 20, which is written.
NEWER = ("INT4", "UINT4", "INT2", "UINT2", "FLOAT4E2M1")

# Operators without a node test of their own.
UNTESTED = {"GlobalLpPool", "qonnx.custom_op.general.Quant"}


def table(header: str) -> list[tuple[list[str], str]]:
    """Words in backticks of the first column, and the second column."""
    rows = re.search(rf"^\| {header} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE).group(1)
    cells = [row.strip("|").split("|") for row in rows.splitlines()]
    return [(re.findall(r"`([^`]+)`", first), second.strip()) for first, second in cells]


CLAIMED = [name for names, _ in table("operators") for name in names]
ELEMENTS = [name for names, _ in table("element types") for name in names]
REFUSED = [name for names, _ in table("node tests") for name in names]

# Element types that are not claimed.
REFUSED_ELEMENTS = set(TensorProto.DataType.values()) - {TensorProto.DataType.Value(name) for name in ELEMENTS}


@dataclass(frozen=True)
class Outcome:
    """What became of one test: `error` is None where it passes."""

    model: ModelProto
    inputs: list[np.ndarray]
    error: Exception | None

    @property
    def operators(self) -> set[str]:
        """Of all its nodes, those in branches too."""
        return {f"{node.domain}.{node.op_type}" if node.domain not in ("", "ai.onnx") else node.op_type
                for node in nodes(self.model.graph)}

    @property
    def is_beyond_blobs(self) -> bool:
        """Whether it has a value that is no tensor, or of an element type that is not claimed."""
        values = [*self.model.graph.input, *self.model.graph.output, *(
            value for node in nodes(self.model.graph) for attribute in node.attribute
            for value in (*attribute.g.output, *attribute.g.input))]
        kinds = [value.type for value in values]
        casts = {attribute.i for node in nodes(self.model.graph) for attribute in node.attribute
                 if attribute.name in ("to", "output_dtype")}
        return bool(casts & REFUSED_ELEMENTS - {TensorProto.UNDEFINED}) or any(
            kind.WhichOneof("value") != "tensor_type" or kind.tensor_type.elem_type in REFUSED_ELEMENTS
            for kind in kinds)


def nodes(graph: GraphProto) -> Iterator:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                yield from nodes(attribute.g)


class RecordingRep(OnnxRep):
    """Keeps what it was run with."""

    def run(self, inputs, **kwargs):
        Recording.inputs = inputs
        return super().run(inputs, **kwargs)


class Recording(OnnxBackend):
    """Keeps the model it was asked to prepare, and what it was run with last."""

    model: ModelProto
    inputs: list[np.ndarray]

    @classmethod
    def is_compatible(cls, model, device="CPU", **kwargs):
        cls.model = model
        return super().is_compatible(model, device, **kwargs)

    @classmethod
    def prepare(cls, model, device="CPU", **kwargs):
        cls.model = model
        super().prepare(model, device, **kwargs)
        return RecordingRep(model)


@pytest.fixture(scope="module")
def suite(tmp_path_factory) -> Iterator[dict[str, type[unittest.TestCase]]]:
    """The classes of onnx's tests; it writes inputs of its models below ONNX_HOME."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONNX_HOME", str(tmp_path_factory.mktemp("onnx_home")))
        with warnings.catch_warnings():
            # Making its cases it divides by zero and overflows.
            warnings.simplefilter("ignore")
            yield BackendTest(Recording).test_cases


def outcomes(cases: type[unittest.TestCase], *, names: str = "*") -> dict[str, Outcome]:
    found = {}
    for method in fnmatch.filter(dir(cases), f"test_{names}_cpu"):
        error, Recording.inputs = None, []
        try:
            cases(method).debug()
        except (AssertionError, ModelFileError, GraphError, unittest.SkipTest) as raised:
            error = raised
        found[method.removesuffix("_cpu")] = Outcome(Recording.model, Recording.inputs, error)
    return found


@pytest.fixture(scope="module")
def node_outcomes(suite) -> dict[str, Outcome]:
    return outcomes(suite["OnnxBackendNodeModelTest"])


def test_the_page_claims_what_is_supported():
    assert sorted(CLAIMED) == list(supported_operators())
    assert sorted(ELEMENTS) == sorted(element.name for element in ElementType)


def test_every_node_test_of_a_claimed_operator_passes(node_outcomes):
    claimed = {name: outcome for name, outcome in node_outcomes.items() if outcome.operators <= set(CLAIMED)}
    tested = {operator for outcome in claimed.values() for operator in outcome.operators}
    assert set(CLAIMED) - tested == UNTESTED
    failed = {name: outcome.error for name, outcome in claimed.items() if outcome.error is not None
              and not outcome.is_beyond_blobs and not any(fnmatch.fnmatch(name, pattern) for pattern in REFUSED)}
    assert failed == {}
    assert sum(outcome.error is None for outcome in claimed.values()) > 1200


def test_what_the_page_excepts_does_not_pass(node_outcomes):
    for pattern in REFUSED:
        excepted = fnmatch.filter(node_outcomes, pattern)
        assert [name for name in excepted if node_outcomes[name].error is not None], pattern


def test_what_is_beyond_blobs_is_refused_and_never_wrong(node_outcomes):
    wrong = {name: outcome.error for name, outcome in node_outcomes.items()
             if outcome.is_beyond_blobs and not isinstance(outcome.error, (type(None), ModelFileError, GraphError))}
    assert wrong == {}


def test_what_is_not_claimed_is_refused_for_its_type(node_outcomes):
    """Of the tests whose operators are all claimed."""
    beyond = [outcome for outcome in node_outcomes.values()
              if outcome.is_beyond_blobs and outcome.operators <= set(CLAIMED)]
    assert beyond
    reasons = r"must be a tensor of one of|must be another element type|is not supported"
    assert [str(outcome.error) for outcome in beyond if not re.search(reasons, str(outcome.error))] == []


def test_every_other_operator_is_refused_by_name(node_outcomes):
    others = {name: outcome for name, outcome in node_outcomes.items() if not outcome.operators <= set(CLAIMED)}
    assert len(others) > 500
    for name, outcome in others.items():
        operators = {operator.rpartition(".")[2] for operator in outcome.operators - set(CLAIMED)}
        if outcome.error is None:
            # Settled by the branch that is taken.
            assert "If" in outcome.operators, name
        else:
            assert any(operator in str(outcome.error) for operator in operators) or outcome.is_beyond_blobs, name


def test_what_passes_is_written_and_read_back_the_same_to_the_bit(node_outcomes):
    """Every network of real inputs that a node test makes, but for what the writer refuses by name."""
    compared, refused = 0, set()
    for name, outcome in node_outcomes.items():
        if outcome.error is not None:
            continue
        names = [value.name for value in outcome.model.graph.input]
        translation = translate(outcome.model, given=dict(zip(names, outcome.inputs, strict=False)))
        outputs = [translation.output(value.name) for value in outcome.model.graph.output]
        if not all(isinstance(output, Blob) for output in outputs) or any(
                blob.element is not ElementType.FLOAT for blob in translation.inputs.values()):
            continue
        spec = net_of(translation, "TEST")
        try:
            made = onnx_model(spec, translation.weights)
        except LayerError as error:
            refused.add(str(error).partition(": ")[2].split(",")[0])
            continue
        feed = {top: outcome.inputs[names.index(translation.graph_names[top])].reshape(blob.shape.dims or 1)
                for top, blob in translation.inputs.items()}
        with torch.no_grad():
            expected = Net(spec, translation.weights)({top: torch.from_numpy(np.array(value))
                                                       for top, value in feed.items()})
        for value, found in zip(made.graph.output, OnnxBackend.prepare(made).run(feed), strict=True):
            wanted = expected[value.name]
            # What NumPy has no type for is compared as the float32 that holds it.
            is_known = found.dtype.isbuiltin == 1
            np.testing.assert_array_equal(*((found, wanted.numpy()) if is_known else
                                            (found.astype(np.float32), wanted.float().numpy())), err_msg=name)
        compared += 1
    assert compared > 700
    assert refused == {
        "the remainder of real numbers with the sign of the divisor is not written: opset 20 has no operator for it",
        "a QuantizeLinear between FLOAT and UINT8", "a QuantizeLinear between FLOAT and INT16",
        *(f"a QuantizeLinear between FLOAT and {element}" for element in NEWER),
        *(f"a Cast to {element} is not written: opset 20 has no such type" for element in NEWER),
        "scales and sizes of a Resize must follow from each other to be written"}


@pytest.mark.parametrize("category", ["Simple", "PyTorchConverted", "PyTorchOperator"])
def test_other_tests_pass_or_are_not_for_us(suite, category):
    found = outcomes(suite[f"OnnxBackend{category}ModelTest"])
    # An old opset or an operator that is not claimed, which `is_compatible` says.
    assert {name: outcome.error for name, outcome in found.items()
            if not isinstance(outcome.error, (type(None), unittest.SkipTest))} == {}
    assert sum(outcome.error is None for outcome in found.values()) >= {
        "Simple": 6, "PyTorchConverted": 59, "PyTorchOperator": 24}[category]


@pytest.mark.parametrize("name", ["bvlc_alexnet", "inception_v1", "inception_v2", "shufflenet", "squeezenet",
                                  "zfnet512", *(pytest.param(name, marks=pytest.mark.slow)
                                                for name in ("densenet121", "resnet50", "vgg19"))])
def test_real_models(suite, name):
    found = outcomes(suite["OnnxBackendRealModelTest"], names=name)
    assert [outcome.error for outcome in found.values()] == [None]


RELU = helper.make_node("Relu", ["x"], ["y"])


def model(*graph_nodes, shape=("N", 3), **inputs):
    graph = helper.make_graph(
        graph_nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape), *(
            helper.make_tensor_value_info(name, element, None) for name, element in inputs.items())],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def test_a_batch_and_constants_of_each_run():
    """Shapes and axes may change from run to run."""
    rep = OnnxBackend.prepare(model(helper.make_node("ReduceSum", ["x", "a"], ["y"], keepdims=0),
                                    shape=("N", "C"), a=TensorProto.INT64))
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(rep.run([x, np.array([0])])[0], [3, 5, 7])
    np.testing.assert_array_equal(rep.run({"a": np.array([1]), "x": x})[0], [3, 12])
    np.testing.assert_array_equal(rep.run([x.T, np.array([1])])[0], [3, 5, 7])


def test_an_input_that_is_missing():
    with pytest.raises(GraphError, match=r"^input 'x' of the graph must be given$"):
        OnnxBackend.prepare(model(RELU)).run([])


def test_prepare_names_what_is_not_supported():
    made = model(helper.make_node("Einsum", ["x"], ["y"], equation="ij->ji"))
    assert not OnnxBackend.is_compatible(made)
    assert OnnxBackend.is_compatible(model(RELU))
    with pytest.raises(ModelFileError, match=r"^<model>: node 'y' \(Einsum\): operator 'Einsum' is not supported "):
        OnnxBackend.prepare(made)


def test_only_the_host():
    assert OnnxBackend.supports_device("CPU")
    assert not OnnxBackend.supports_device("CUDA")
