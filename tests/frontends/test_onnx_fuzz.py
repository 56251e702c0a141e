"""Files that nobody would write: read, or refused in one line; never a crash, a hang, or more than 2 GiB of memory."""

from __future__ import annotations

import math
import random
import resource
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.backend.test.loader import load_model_tests

from cortado.errors import LayerError, ModelFileError, WeightsError
from cortado.frontends.onnx.node import QONNX
from cortado.frontends.onnx.operator_registry import supported_operators
from cortado.frontends.onnx.reader import parse_onnx
from cortado.graph.spec import NetSpec, Weights
from cortado.net.net import Net
from cortado.net.shape_inference import count_macs, infer_shapes

LARGEST_BYTES = 2**31
LONGEST_SECONDS = 20
# Values of a network that is run too.
LARGEST_RUN = 2**22

OPERATORS = (*supported_operators(), "Einsum", "")

# Of any operator, and a few of none.
NAMES = ("axis", "axes", "perm", "pads", "mode", "kernel_shape", "strides", "dilations", "group", "auto_pad", "alpha",
         "beta", "gamma", "epsilon", "to", "value", "value_float", "value_ints", "keepdims", "transA", "transB",
         "ceil_mode", "count_include_pad", "storage_order", "p", "size", "bias", "starts", "ends", "split",
         "num_outputs", "output_padding", "output_shape", "blocksize", "start", "end", "allowzero", "training_mode",
         "momentum", "ratio", "scales", "coordinate_transformation_mode", "nearest_mode", "cubic_coeff_a",
         "exclude_outside", "antialias", "keep_aspect_ratio_policy", "noop_with_empty_axes", "select_last_index",
         "block_size", "output_dtype", "signed", "narrow", "rounding_mode", "k", "dtype", "fmod", "approximate",
         "then_branch", "else_branch", "colour")
WORDS = ("constant", "reflect", "edge", "wrap", "SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET", "nearest", "linear",
         "cubic", "half_pixel", "asymmetric", "align_corners", "tf_crop_and_resize", "floor", "ceil", "DCR", "CRD",
         "tanh", "ROUND", "not_larger", "", "\udc80")
SCHEMAS = {name: onnx.defs.get_schema(name) for name in supported_operators() if "." not in name}
# The kinds of attribute that `Maker.attribute` makes.
KINDS = {"INT": 0, "INTS": 2, "FLOAT": 4, "STRING": 5, "TENSOR": 6, "GRAPH": 7}
INTEGERS = (0, 1, 2, 3, 4, 5, 7, -1, -2, -3, 64, 2**20, 2**31 - 1, 2**31, 2**40, 2**62, -2**31, -2**63, 2**63 - 1)
NUMBERS = (0.0, 1.0, -1.0, 0.5, 2.0, 1e-30, 1e30, 3.4e38, math.inf, -math.inf, math.nan)
DTYPES = (np.float32, np.float32, np.float32, np.int64, np.int64, np.int32, np.bool_, np.int8, np.uint8, np.float16,
          np.float64, np.uint64, ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, ml_dtypes.int4, ml_dtypes.uint2)


@contextmanager
def limits() -> Iterator[None]:
    """At most 2 GiB more than now, and not for ever."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])

    def too_long(number: int, frame: object) -> None:
        raise TimeoutError(f"reading must end within {LONGEST_SECONDS} s")

    before = signal.signal(signal.SIGALRM, too_long)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + LARGEST_BYTES, hard))
    signal.alarm(LONGEST_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.signal(signal.SIGALRM, before)


def read(data: bytes) -> None:
    """A network, or one line that says why there is none."""
    with limits():
        try:
            spec, weights = parse_onnx(data, file="f.onnx")
        except ModelFileError as error:
            check_refusal(str(error), start="f.onnx: ")
            return
        run(spec, weights)


def check_refusal(text: str, *, start: str = "", words: tuple[str, ...] = ("",)) -> None:
    """One line, not too long, that says where and what."""
    assert text.startswith(start)
    assert any(word in text for word in words)
    assert "\n" not in text
    assert len(text) < 6000


def run(spec: NetSpec, weights: Weights) -> None:
    """A network that was read computes; only places that depend on values may turn out not to be there."""
    shapes = infer_shapes(spec)
    if sum(shape.count for shape in shapes.values()) > LARGEST_RUN or sum(count_macs(spec, shapes).values()) > 2**24:
        return
    try:
        net = Net(spec, weights)
    except WeightsError as error:
        check_refusal(str(error), words=("must have finite values",))
        return
    with warnings.catch_warnings(), torch.no_grad():
        # Of what comes of values that are no numbers.
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            values = net({name: torch.ones(net.shapes[name].dims) for name in net.inputs})
        except LayerError as error:
            check_refusal(str(error), words=("places must be", "UINT64 must be below"))
            return
    assert {name: tuple(value.shape) for name, value in values.items()} == {
        name: shape.dims for name, shape in net.shapes.items()}


class Maker:
    """Draws models; most parts of them fit, so that they are not refused at once."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def dims(self, least: int = 1) -> list[int]:
        rank = self.rng.choice((0, 1, 2, 2, 3, 4, 4, 4, 5))
        return [self.rng.choice((least, 1, 1, 2, 3, 4, 6)) for _ in range(rank)]

    def tensor(self, name: str) -> TensorProto:
        dtype = np.dtype(self.rng.choice(DTYPES))
        if self.rng.random() < 0.3:
            # As shapes, axes and pads are.
            value = np.array([self.rng.choice(INTEGERS[:14 if self.rng.random() < 0.8 else None])
                              for _ in range(self.rng.randrange(9))], np.int64)
        else:
            size = self.dims(least=self.rng.choice((0, 1, 1)))
            value = np.array([self.rng.choice((0, 1, 2, 3, 100, 0.5)) for _ in range(math.prod(size))]).astype(
                dtype).reshape(size)
        made = numpy_helper.from_array(value, name)
        if self.rng.random() < 0.03:
            made.dims[:] = [self.rng.choice(INTEGERS) for _ in range(self.rng.randrange(4))]
        if self.rng.random() < 0.02:
            made.data_type = self.rng.randrange(27)
        return made

    def attribute(self, operator: str, depth: int) -> AttributeProto:
        """One of the operator's own, of its own type, most of the time."""
        name, kind = self.rng.choice(NAMES), self.rng.randrange(8 if depth else 7)
        own = SCHEMAS[operator].attributes if operator in SCHEMAS else {}
        if own and self.rng.random() < 0.9:
            name = self.rng.choice(sorted(own))
            kind = KINDS.get(own[name].type.name, kind)
            if kind == 7 and not depth:
                kind = 0
        few = INTEGERS[:self.rng.choice((4, 4, 7, 11))] if self.rng.random() < 0.9 else INTEGERS
        if kind < 2:
            return helper.make_attribute(name, self.rng.choice(few))
        if kind < 4:
            count = self.rng.choice((1, 2, 2, 3, 4, 4, 6, 8))
            made = AttributeProto(name=name, type=AttributeProto.INTS)
            made.ints.extend(self.rng.choice(few) for _ in range(count))
            return made
        if kind == 4:
            return helper.make_attribute(name, self.rng.choice(NUMBERS))
        if kind == 5:
            return helper.make_attribute(name, self.rng.choice(WORDS).encode("utf-8", "surrogateescape"))
        if kind == 6:
            return helper.make_attribute(name, self.tensor("t"))
        return helper.make_attribute(name, self.graph(depth - 1, outer=True))

    def node(self, known: list[str], index: int, depth: int) -> NodeProto:
        operator = self.rng.choice(OPERATORS)
        domain = ""
        if operator.startswith(QONNX):
            domain, operator = QONNX, operator.rpartition(".")[2]
        count = self.rng.choice((1, 1, 2, 2, 2, 3, 4, 5, 8))
        if operator in SCHEMAS and self.rng.random() < 0.95:
            count = self.rng.randint(SCHEMAS[operator].min_input, min(SCHEMAS[operator].max_input, 9))
        computed = [name for name in known if name[0] in "xzv"]
        inputs = [self.rng.choice(computed[-4:] if place == 0 and self.rng.random() < 0.9 else known)
                  if self.rng.random() < 0.97 else "" for place in range(count)]
        outputs = [f"v{depth}_{index}_{place}" for place in range(self.rng.choice((1, 1, 1, 2, 3)))]
        node = NodeProto(op_type=operator, domain=domain, name=self.rng.choice(("", "n", f"n{index}")))
        node.input.extend(inputs)
        node.output.extend(outputs)
        names = set()
        for _ in range(self.rng.choice((0, 0, 1, 1, 2, 3))):
            attribute = self.attribute(operator, depth)
            if attribute.name not in names:
                names.add(attribute.name)
                node.attribute.append(attribute)
        known.extend(outputs)
        return node

    def graph(self, depth: int = 1, *, outer: bool = False) -> GraphProto:
        inputs = [] if outer else [helper.make_tensor_value_info(
            name, TensorProto.FLOAT, self.dims() or [2]) for name in ("x", "z")]
        constants = [self.tensor(f"c{depth}_{index}") for index in range(self.rng.randrange(5))]
        known = ["x", "z", *(constant.name for constant in constants)]
        nodes = [self.node(known, index, depth) for index in range(self.rng.choice((1, 1, 2, 3, 6)))]
        outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
                   for name in dict.fromkeys((known[-1], self.rng.choice(known)))]
        return helper.make_graph(nodes, "g", inputs, outputs, constants)

    def model(self) -> ModelProto:
        made = helper.make_model(self.graph(), opset_imports=[helper.make_opsetid("", self.rng.choice(
            (6, 7, 8, 9, 10, 11, 12, 13, 13, 18, 18, 20, 20, 21, 28)))], ir_version=10)
        return made


FEW = settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
MANY = settings(FEW, max_examples=30_000)

randoms = st.integers(0, 2**64 - 1).map(random.Random)


@FEW
@given(randoms)
def test_graphs(rng):
    read(Maker(rng).model().SerializeToString())


@pytest.mark.slow
@MANY
@given(randoms)
def test_many_graphs(rng):
    read(Maker(rng).model().SerializeToString())


def damaged(rng: random.Random) -> bytes:
    """A model with a few bytes changed, left out or put in."""
    data = bytearray(Maker(rng).model().SerializeToString())
    for _ in range(rng.choice((1, 1, 2, 5))):
        place = rng.randrange(len(data)) if data else 0
        match rng.randrange(4):
            case 0:
                data[place:place + 1] = bytes([rng.randrange(256)])
            case 1:
                del data[place:place + rng.choice((1, 2, 50))]
            case 2:
                data[place:place] = rng.randbytes(rng.choice((1, 2, 8)))
            case 3:
                data[place:] = data[place:] * 2
    return bytes(data)


@FEW
@given(randoms)
def test_bytes(rng):
    read(damaged(rng))


@pytest.mark.slow
@MANY
@given(randoms)
def test_many_bytes(rng):
    read(damaged(rng))


@pytest.fixture(scope="module")
def node_models() -> list[ModelProto]:
    """onnx's node tests of operators that are read; every input but the first is a constant of the file."""
    made = []
    with warnings.catch_warnings():
        # Making its cases it divides by zero and overflows.
        warnings.simplefilter("ignore")
        cases = load_model_tests(kind="node")
    for case in cases:
        if {node.op_type for node in case.model.graph.node} <= set(OPERATORS) and len(case.model.graph.node) < 6:
            model = ModelProto.FromString(case.model.SerializeToString())
            values = case.data_sets[0][0]
            for value, constant in list(zip(model.graph.input, values, strict=False))[1:]:
                if isinstance(constant, (np.ndarray, np.generic)) and constant.dtype.kind in "fiub":
                    model.graph.initializer.append(numpy_helper.from_array(np.asarray(constant), value.name))
            made.append(model)
    return made


def bent(rng: random.Random, models: list[ModelProto]) -> bytes:
    """A model of onnx's with a few numbers changed."""
    model = ModelProto.FromString(rng.choice(models).SerializeToString())
    maker, values = Maker(rng), {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for _ in range(rng.choice((1, 1, 2, 3))):
        node = rng.choice(model.graph.node)
        few = INTEGERS[:11] if rng.random() < 0.7 else INTEGERS
        match rng.randrange(7):
            case 0 | 1 if node.attribute:
                attribute = rng.choice(node.attribute)
                if attribute.type == AttributeProto.INT:
                    attribute.i = rng.choice(few)
                elif attribute.type == AttributeProto.FLOAT:
                    attribute.f = rng.choice(NUMBERS)
                elif attribute.type == AttributeProto.STRING:
                    attribute.s = rng.choice(WORDS).encode("utf-8", "surrogateescape")
                elif attribute.ints:
                    attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice(few)
            case 2 if node.op_type in SCHEMAS:
                attribute = maker.attribute(node.op_type, 1)
                if attribute.name not in [other.name for other in node.attribute]:
                    node.attribute.append(attribute)
            case 3 | 4 if model.graph.initializer:
                tensor = rng.choice(model.graph.initializer)
                value = values[tensor.name].copy()
                if value.size:
                    with np.errstate(all="ignore"):
                        value.reshape(-1)[rng.randrange(value.size)] = np.array(rng.choice(
                            few if value.dtype.kind in "iu" else NUMBERS)).astype(value.dtype)
                tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))
            case 5 if model.graph.initializer:
                tensor = rng.choice(model.graph.initializer)
                tensor.CopyFrom(maker.tensor(tensor.name))
            case 6 if model.graph.input:
                shape = model.graph.input[0].type.tensor_type.shape
                if shape.dim:
                    rng.choice(shape.dim).dim_value = rng.choice((1, 1, 2, 3, 5, 8, 100, 2**31))
    if rng.random() < 0.2:
        model.opset_import[0].version = rng.choice((7, 9, 10, 11, 12, 13, 18, 21))
    return model.SerializeToString()


@FEW
@given(rng=randoms)
def test_models_of_onnx(node_models, rng):
    read(bent(rng, node_models))


@pytest.mark.slow
@MANY
@given(rng=randoms)
def test_many_models_of_onnx(node_models, rng):
    read(bent(rng, node_models))


@FEW
@given(st.binary(max_size=200))
def test_noise(data):
    read(data)
