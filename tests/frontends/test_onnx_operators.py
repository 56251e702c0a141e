"""Every operator against onnx's own evaluator, on graphs of one or a few nodes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from cortado.frontends.onnx.reader import parse_onnx
from cortado.graph.check import check
from cortado.net.net import Net
from cortado.passes.pipeline import prepare

RNG = np.random.default_rng(20161207)
PICTURE = (2, 6, 9, 8)


def numbers(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def integers(*values):
    return np.array(values, np.int64)


def call(operator, *inputs, to="y", name=None, **attributes):
    """A node that gives `to`."""
    return helper.make_node(operator, list(inputs), to.split(), name=name or f"{operator}_{to}", **attributes)


def as_float(value, to="y"):
    """A node that gives `to`, `value` as FLOAT."""
    return helper.make_node("Cast", [value], [to], name=f"Cast_{to}", to=TensorProto.FLOAT)


def model(nodes, shape=PICTURE, *, constants=None, inputs=("x",), outputs=("y",), opset=20):
    """A file's model with inputs of one shape."""
    graph = helper.make_graph(
        list(nodes), "g", [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def ours(made, feed):
    """Outputs of our network, by name."""
    net = Net(*parse_onnx(made.SerializeToString()))
    with torch.no_grad():
        return net({name: torch.from_numpy(value) for name, value in feed.items()})


def compare(made, *, positive=False):
    """Ours and onnx's own evaluator agree on the outputs."""
    feed = {}
    for value in made.graph.input:
        drawn = numbers(*(dim.dim_value for dim in value.type.tensor_type.shape.dim))
        feed[value.name] = np.abs(drawn) + np.float32(0.1) if positive else drawn
    names = [output.name for output in made.graph.output]
    expected = ReferenceEvaluator(made).run(names, feed)
    found = ours(made, feed)
    for name, wanted in zip(names, expected, strict=True):
        np.testing.assert_allclose(found[name].numpy(), wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("node", [
    call("Abs", "x"), call("Elu", "x"), call("Elu", "x", alpha=0.3), call("Exp", "x"), call("Gelu", "x"),
    call("Gelu", "x", approximate="tanh"), call("LeakyRelu", "x"), call("LeakyRelu", "x", alpha=0.3), call("Neg", "x"),
    call("Relu", "x"), call("Sigmoid", "x"), call("Tanh", "x"), call("Softmax", "x"), call("Softmax", "x", axis=1),
    call("Dropout", "x"), call("Identity", "x"), as_float("x"), call("GlobalAveragePool", "x"),
    call("GlobalMaxPool", "x"), call("Flatten", "x"), call("Flatten", "x", axis=2), call("Flatten", "x", axis=0),
    call("Flatten", "x", axis=4),
    call("Add", "x", "x"), call("Sub", "x", "x"), call("Mul", "x", "x"), call("Sum", "x", "x", "x"), call("Sum", "x"),
    call("Max", "x", "x"), call("Concat", "x", "x", axis=1), call("Concat", "x", "x", axis=-1),
    call("Concat", "x", axis=1), call("Clip", "x"),
    call("ReduceMean", "x", "axes", to="y"), call("ReduceMean", "x", "axes", keepdims=0),
    call("Squeeze", "u", "axes4"), call("Transpose", "x", perm=[0, 1, 2, 3]), call("Pad", "x", "no_pads"),
    call("Split", "x", to="y", num_outputs=1),
], ids=lambda node: f"{node.op_type}-{'-'.join(attribute.name for attribute in node.attribute)}")
def test_without_constants(node):
    compare(model([call("Unsqueeze", "x", "axes4", to="u"), node], constants={
        "axes": integers(-1, 2), "axes4": integers(4), "no_pads": integers(*[0] * 8)}))


@pytest.mark.parametrize("node", [call("Log", "x"), call("Sqrt", "x"), call("Pow", "x", "c"), call("Pow", "x", "two")])
def test_of_positive_values(node):
    constants = {"c": np.float32(1.7), "two": np.float32(2)}
    compare(model([node], constants=constants), positive=True)


@pytest.mark.parametrize("shape", [(), (1,), (6, 1, 1), (1, 6, 1, 1), (9, 1), (8,), (9, 8), (6, 9, 8), (1, 1, 1, 1)])
@pytest.mark.parametrize(("operator", "first"), [("Add", False), ("Add", True), ("Mul", False), ("Mul", True),
                                                 ("Sub", False), ("Div", False)])
def test_with_a_constant(operator, first, shape):
    inputs = ("c", "x") if first else ("x", "c")
    compare(model([call(operator, *inputs)], constants={"c": np.abs(numbers(*shape)) + np.float32(0.5)}))


def test_a_number_minus_a_blob():
    compare(model([call("Sub", "c", "x")], constants={"c": np.float32(3)}))


def test_two_inputs_and_two_outputs():
    compare(model([call("Sub", "x", "z"), call("Mul", "x", "z", to="w")], inputs=("x", "z"), outputs=("y", "w")))


@pytest.mark.parametrize(("kernel", "attributes"), [
    ((3, 3), {}), ((3, 3), {"pads": [1, 2, 1, 2], "strides": [2, 1]}), ((1, 5), {"pads": [0, 2, 0, 2]}),
    ((3, 2), {"dilations": [2, 3]}), ((3, 3), {"auto_pad": "SAME_UPPER"}), ((3, 3), {"auto_pad": "VALID"}),
    ((3, 3), {"auto_pad": "NOTSET", "kernel_shape": [3, 3]}), ((3, 3), {"group": 2}), ((2, 2), {"group": 6}),
])
@pytest.mark.parametrize("bias", [False, True])
def test_conv(kernel, attributes, bias):
    weight = numbers(12, 6 // attributes.get("group", 1), *kernel)
    inputs = ("x", "w", "b") if bias else ("x", "w")
    compare(model([call("Conv", *inputs, **attributes)], constants={"w": weight, "b": numbers(12)}))


def test_a_pad_goes_into_the_convolution():
    nodes = [call("Pad", "x", "pads", to="p"), call("Conv", "p", "w", pads=[0, 0, 1, 0])]
    constants = {"pads": integers(0, 0, 1, 2, 0, 0, 0, 2), "w": numbers(4, 6, 3, 3)}
    made = model(nodes, constants=constants)
    compare(made)
    spec, _ = parse_onnx(made.SerializeToString())
    assert [layer.type for layer in spec.layers] == ["Input", "Convolution"]


@pytest.mark.parametrize(("operator", "attributes"), [
    ("MaxPool", {"kernel_shape": [3, 3]}),
    ("MaxPool", {"kernel_shape": [3, 2], "strides": [2, 3]}),
    ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
    ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "ceil_mode": 1}),
    # As Caffe's rounding is written in the model zoo of ONNX: padded behind, rounded down.
    ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [0, 0, 1, 1]}),
    ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2], "auto_pad": "SAME_UPPER"}),
    ("AveragePool", {"kernel_shape": [3, 3], "strides": [2, 2]}),
    ("AveragePool", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
    ("AveragePool", {"kernel_shape": [2, 3], "strides": [2, 3], "ceil_mode": 1}),
    # The only window is larger than the bottom: it averages what there is.
    ("AveragePool", {"kernel_shape": [10, 10], "pads": [0, 0, 1, 2]}),
], ids=str)
def test_pool(operator, attributes):
    compare(model([call(operator, "x", **attributes)]))


@pytest.mark.parametrize(("size", "kernel", "stride", "pad"), [(9, 3, 2, 0), (8, 3, 2, 0), (8, 3, 2, 1), (7, 2, 3, 0),
                                                              (7, 3, 3, 1), (10, 2, 2, 1), (5, 2, 4, 0), (8, 5, 3, 2)])
@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize("average", [False, True])
def test_pool_as_torch(size, kernel, stride, pad, ceil, average):
    """The evaluator's rounding up is not torch's at every size; torch's is the one that is exported."""
    module = torch.nn.AvgPool2d if average else torch.nn.MaxPool2d
    x = torch.from_numpy(numbers(1, 2, size, size))
    attributes = {"count_include_pad": 1} if average else {}
    made = model([call("AveragePool" if average else "MaxPool", "x", kernel_shape=[kernel] * 2, strides=[stride] * 2,
                       pads=[pad] * 4, ceil_mode=int(ceil), **attributes)], tuple(x.shape))
    torch.testing.assert_close(ours(made, {"x": x.numpy()})["y"], module(kernel, stride, pad, ceil_mode=ceil)(x))


def test_a_pad_goes_into_the_average():
    constants = {"pads": integers(0, 0, 1, 1, 0, 0, 1, 1)}
    compare(model([call("Pad", "x", "pads", to="p"), call("AveragePool", "p", kernel_shape=[3, 3])],
                  constants=constants))


@pytest.mark.parametrize("attributes", [{}, {"transB": 1}, {"alpha": 0.5, "beta": 2.0}, {"alpha": 0.5, "transB": 1}])
@pytest.mark.parametrize("summand", [None, (7,), (1, 7), (1,), ()])
def test_gemm(attributes, summand):
    constants = {"b": numbers(7, 5) if attributes.get("transB") else numbers(5, 7)}
    if summand is not None:
        constants["c"] = numbers(*summand)
    compare(model([call("Gemm", "x", *constants, **attributes)], (3, 5), constants=constants))


@pytest.mark.parametrize("shape", [(3, 5), (2, 4, 5), (2, 1, 4, 5)])
def test_matmul_and_add_are_one_layer(shape):
    made = model([call("MatMul", "x", "b", to="p"), call("Add", "p", "c")], shape,
                 constants={"b": numbers(5, 7), "c": numbers(7)})
    compare(made)
    spec, weights = parse_onnx(made.SerializeToString())
    assert [layer.name for layer in spec.layers] == ["x", "MatMul_p"]
    assert [blob.shape for blob in weights["MatMul_p"]] == [(7, 5), (7,)]


def test_a_product_that_is_read_twice_keeps_its_add():
    compare(model([call("MatMul", "x", "b", to="p"), call("Add", "p", "c"), call("Relu", "p", to="z")], (3, 5),
                  constants={"b": numbers(5, 7), "c": numbers(7)}, outputs=("y", "z")))
    compare(model([call("MatMul", "x", "b", to="p"), call("Identity", "p", to="q"), call("Add", "q", "c", to="r"),
                   call("Mul", "q", "r")], (3, 5), constants={"b": numbers(5, 7), "c": numbers(7)}))


def test_conv_and_add_are_one_layer():
    made = model([call("Conv", "x", "w", to="p"), call("Add", "p", "c")],
                 constants={"w": numbers(4, 6, 3, 3), "c": numbers(4, 1, 1)})
    compare(made)
    assert [layer.type for layer in parse_onnx(made.SerializeToString())[0].layers] == ["Input", "Convolution"]


@pytest.mark.parametrize("shape", [PICTURE, (3, 6)])
def test_batch_normalization(shape):
    constants = {"g": numbers(6), "b": numbers(6), "m": numbers(6), "v": np.abs(numbers(6))}
    compare(model([call("BatchNormalization", "x", *constants, epsilon=1e-3, momentum=0.5)], shape,
                  constants=constants))


@pytest.mark.parametrize("shape", [(6, 1, 1), (1, 6, 1, 1), (1,), (1, 1, 1)])
def test_prelu(shape):
    compare(model([call("PRelu", "x", "s")], constants={"s": numbers(*shape)}))


@pytest.mark.parametrize("limits", [("zero",), ("zero", "infinity"), ("minus", "infinity"), ("", "infinity")])
def test_clip(limits):
    constants = {"zero": np.float32(0), "infinity": np.float32(np.inf), "minus": np.finfo(np.float32).min}
    compare(model([call("Clip", "x", *limits)], constants=constants))


@pytest.mark.parametrize("shape", [(2, -1), (0, -1), (-1, 432), (2, 54, 8), (0, 0, 72), (4, 3, 9, 8), (864,),
                                   (2, 6, 9, 8)])
def test_reshape(shape):
    compare(model([call("Reshape", "x", "s")], constants={"s": integers(*shape)}))


def test_split():
    compare(model([call("Split", "x", "sizes", to="a b c", axis=1), call("Sum", "b", "c"), call("Relu", "a", to="z")],
                  constants={"sizes": integers(2, 2, 2)}, outputs=("y", "z")))
    compare(model([call("Split", "x", to="a b", axis=2, num_outputs=2), call("Relu", "b"), call("Relu", "a", to="z")],
                  outputs=("y", "z")))


def flattened():
    """What torch writes for x.view(x.size(0), -1), spelled out."""
    return [call("Shape", "x", to="s"), call("Gather", "s", "zero", to="n", axis=0),
            call("Unsqueeze", "n", "axis", to="u"), call("Concat", "u", "rest", to="t", axis=0),
            call("Reshape", "x", "t")]


def test_shapes_are_computed_while_reading():
    made = model(flattened(), constants={"zero": np.int64(0), "axis": integers(0), "rest": integers(-1)})
    compare(made)
    spec, _ = parse_onnx(made.SerializeToString())
    assert [layer.type for layer in spec.layers] == ["Input", "Flatten"]
    # The batch may be another one than the file's.
    assert Net(spec)({"x": torch.zeros(5, 6, 9, 8)})["y"].shape == (5, 432)


def test_an_open_batch_is_one():
    made = model(flattened(), ("batch", 6, 9, 8), constants={"zero": np.int64(0), "axis": integers(0),
                                                             "rest": integers(-1)})
    net = Net(parse_onnx(made.SerializeToString())[0])
    assert net.shapes["x"].dims == (1, 6, 9, 8)
    assert net({"x": torch.zeros(3, 6, 9, 8)})["y"].shape == (3, 432)


@pytest.mark.parametrize("node", [
    call("Add", "a", "b", to="c"), call("Sub", "a", "b", to="c"), call("Mul", "a", "b", to="c"),
    call("Div", "a", "b", to="c"), call("Concat", "a", "b", to="c", axis=0), call("Gather", "a", "i", to="c"),
    call("Slice", "a", "one", "three", to="c"), call("Slice", "a", "three", "least", "zero", "minus", to="c"),
    call("Identity", "a", to="c"), call("Reshape", "a", "s", to="c"), call("Squeeze", "a", to="c"),
    call("Unsqueeze", "a", "zero", to="c"), call("Flatten", "a", to="c", axis=0), call("Transpose", "m", to="c"),
    call("Transpose", "m", to="c", perm=[1, 0]), as_float("i", to="c"),
], ids=lambda node: node.op_type)
def test_constants_are_computed(node):
    """The result is added to a number of the input."""
    constants = {"a": numbers(4), "b": numbers(4), "i": integers(2, 0), "one": integers(1), "three": integers(3),
                 "least": integers(-100), "zero": integers(0), "minus": integers(-1), "s": integers(2, -1),
                 "m": numbers(4, 3)}
    made = model([node], (1,), constants=constants, outputs=("c",))
    expected, = ReferenceEvaluator(made).run(None, {"x": numbers(1)})
    dims = expected.shape
    compare(model([node, call("Add", "x", "c")], (2, *dims), constants=constants))


def test_whole_numbers_are_divided_towards_zero():
    nodes = [call("Div", "a", "b", to="q"), as_float("q", to="f"), call("Add", "x", "f")]
    compare(model(nodes, (2, 3), constants={"a": integers(7, -7, 6), "b": integers(2, 2, -4)}))


def test_weights_of_one_value():
    value = helper.make_tensor("v", TensorProto.FLOAT, [1], [0.25])
    made = model([call("ConstantOfShape", "dims", to="w", value=value), call("Conv", "x", "w")],
                 constants={"dims": integers(4, 6, 3, 3)})
    compare(made)


@pytest.mark.parametrize("wanted", [6, 7])
def test_a_settled_condition(wanted):
    """Whether there are `wanted` channels."""
    branches = [helper.make_graph([call(operator, "x", to="r", name=operator)], operator, [],
                                  [helper.make_tensor_value_info("r", TensorProto.FLOAT, None)])
                for operator in ("Relu", "Tanh")]
    nodes = [call("Shape", "x", to="s", start=1, end=2), call("Constant", to="n", value_ints=[wanted]),
             call("Equal", "s", "n", to="c"),
             helper.make_node("If", ["c"], ["p"], then_branch=branches[0], else_branch=branches[1]), call("Neg", "p")]
    x = numbers(*PICTURE)
    expected = -np.maximum(x, 0) if wanted == 6 else -np.tanh(x)
    np.testing.assert_allclose(ours(model(nodes), {"x": x})["y"].numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("value", [{"value_float": 2.5}, {"value_int": 2}, {"value_ints": [2, 3]},
                                   {"value": helper.make_tensor("v", TensorProto.FLOAT, [2], [2, 3])}], ids=str)
def test_constants_in_nodes(value):
    nodes = [call("Constant", to="c", **value), as_float("c", to="f"), call("Add", "x", "f")]
    compare(model(nodes, (3, 2)))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32, np.int8, np.uint8, np.bool_])
def test_element_types(dtype):
    """As raw bytes, and one by one."""
    values = (RNG.standard_normal(3) * 3 + 5).astype(dtype)
    single = helper.make_tensor("c", helper.np_dtype_to_tensor_dtype(values.dtype), [3], values.tolist())
    nodes = [as_float("c", to="f"), call("Add", "x", "f")]
    made = model(nodes, (2, 3), constants={"c": values})
    compare(made)
    made.graph.initializer[0].CopyFrom(single)
    compare(made)


def normalised(pads=(0, 0, 2, 0, 0, 0, 0, 2, 0, 0), size=5):
    """torch.nn.LocalResponseNorm(5, 0.3, 0.6, 2.0)."""
    nodes = [call("Mul", "x", "x", to="q"), call("Unsqueeze", "q", "axis", to="u"), call("Pad", "u", "pads", to="p"),
             call("AveragePool", "p", to="a", kernel_shape=[size, 1, 1]), call("Squeeze", "a", "axis", to="m"),
             call("Mul", "m", "alpha", to="s"), call("Add", "s", "k", to="t"), call("Pow", "t", "beta", to="d"),
             call("Div", "x", "d")]
    return nodes, {"axis": integers(1), "pads": integers(*pads), "alpha": np.float32(0.3), "k": np.float32(2),
                   "beta": np.float32(0.6)}


def test_local_response_normalisation_in_parts():
    nodes, constants = normalised()
    made = model(nodes, constants=constants)
    x = numbers(*PICTURE)
    expected = torch.nn.functional.local_response_norm(torch.from_numpy(x), 5, 0.3, 0.6, 2.0)
    torch.testing.assert_close(ours(made, {"x": x})["y"], expected)
    spec, _ = parse_onnx(made.SerializeToString())
    assert [layer.type for layer in spec.layers] == ["Input", "LRN"]


@pytest.mark.parametrize("given", [{"size": 3}, {"size": 5, "alpha": 0.5, "beta": 0.6, "bias": 2.0}])
def test_lrn_as_torch(given):
    """The evaluator normalises as many channels as there are pictures."""
    x = numbers(*PICTURE)
    expected = torch.nn.functional.local_response_norm(torch.from_numpy(x), given["size"], given.get("alpha", 1e-4),
                                                       given.get("beta", 0.75), given.get("bias", 1.0))
    torch.testing.assert_close(ours(model([call("LRN", "x", **given)]), {"x": x})["y"], expected)


def test_its_squares_may_have_other_readers():
    nodes, constants = normalised()
    nodes += [call("Relu", "q", to="z"), call("Identity", "q", to="v"), call("Flatten", "u", to="w")]
    made = model(nodes, constants=constants, outputs=("y", "z", "v", "w"))
    x = numbers(*PICTURE)
    found = ours(made, {"x": x})
    for name, expected in (("z", x * x), ("v", x * x), ("w", (x * x).reshape(2, -1))):
        np.testing.assert_allclose(found[name].numpy(), expected, rtol=1e-6)


def test_an_average_of_squares():
    compare(model([call("Mul", "x", "x", to="q"), call("AveragePool", "q", kernel_shape=[3, 3], strides=[2, 2])]))


def test_names():
    """Layers are called after nodes and blobs after values; a name that is taken or missing is made up."""
    nodes = [call("Relu", "x", to="a", name="n"), call("Relu", "a", to="b", name="n"),
             call("Neg", "b", to="c", name="x"), helper.make_node("Identity", ["c"], ["d"]),
             helper.make_node("Abs", ["d"], ["y"])]
    spec, _ = parse_onnx(model(nodes, outputs=("y", "d")).SerializeToString(), file="folder/net.onnx")
    assert spec.name == "net"
    assert [(layer.name, layer.type, layer.bottoms, layer.tops) for layer in spec.layers] == [
        ("x", "Input", (), ("x",)), ("n", "ReLU", ("x",), ("a",)), ("n_2", "ReLU", ("a",), ("b",)),
        ("x_2", "Power", ("b",), ("c",)), ("y", "AbsVal", ("c",), ("y",)), ("d", "Split", ("c",), ("d",))]


def test_nodes_that_no_output_needs_are_left_out():
    spec, _ = parse_onnx(model([call("Relu", "x"), call("NoSuchOperator", "x", to="z")]).SerializeToString())
    assert [layer.type for layer in spec.layers] == ["Input", "ReLU"]


def test_the_passes_take_it():
    nodes = [call("Conv", "x", "w", to="a"), call("Relu", "a", to="b"), call("Dropout", "b", to="c"),
             call("MaxPool", "c", kernel_shape=[2, 2])]
    spec, weights = parse_onnx(model(nodes, constants={"w": numbers(4, 6, 3, 3)}).SerializeToString())
    check(spec)
    prepared, _ = prepare(spec, weights)
    assert [(layer.name, *(fused.name for fused in layer.fused)) for layer in prepared.layers] == [
        ("x",), ("Conv_a", "Relu_b"), ("MaxPool_y",)]


def repeated(x, *factors):
    """As nearest neighbours grow."""
    for axis, factor in enumerate(factors):
        x = np.repeat(x, factor, axis)
    return x


def softmax_from(x, axis):
    flat = np.exp(x.reshape(*x.shape[:axis], -1))
    return (flat / flat.sum(-1, keepdims=True)).reshape(x.shape)


@pytest.mark.parametrize(("opset", "node", "expected"), [
    (7, call("Clip", "x", min=-0.5, max=0.25), lambda x: np.clip(x, -0.5, 0.25)),
    (10, call("Clip", "x", max=0.25), lambda x: np.minimum(x, 0.25)),
    (7, call("Pad", "x", pads=[0, 1, 2, 0, 0, 0, 1, 3], value=1.5),
     lambda x: np.pad(x, ((0, 0), (1, 0), (2, 1), (0, 3)), constant_values=1.5)),
    (10, call("Pad", "x", pads=[0, 0, 2, 1, 0, 0, 1, 3], mode="reflect"),
     lambda x: np.pad(x, ((0, 0), (0, 0), (2, 1), (1, 3)), mode="reflect")),
    (7, call("Slice", "x", starts=[1, -3], ends=[4, 100], axes=[1, 3]), lambda x: x[:, 1:4, :, -3:]),
    (9, call("Slice", "x", starts=[0, 2], ends=[2, 6]), lambda x: x[0:2, 2:6]),
    (7, call("Upsample", "x", scales=[1.0, 1.0, 2.0, 3.0]), lambda x: repeated(x, 1, 1, 2, 3)),
    (9, call("Upsample", "x", "scales"), lambda x: repeated(x, 1, 1, 2, 3)),
    (10, call("Resize", "x", "scales"), lambda x: repeated(x, 1, 1, 2, 3)),
    (11, call("Resize", "x", "none", "scales", coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
     lambda x: repeated(x, 1, 1, 2, 3)),
    (7, call("Softmax", "x"), lambda x: softmax_from(x, 1)), (12, call("Softmax", "x", axis=2),
                                                             lambda x: softmax_from(x, 2)),
    (11, call("LogSoftmax", "x", axis=2), lambda x: np.log(softmax_from(x, 2))),
    (7, call("ReduceSum", "x", axes=[1, -1], keepdims=0), lambda x: x.sum((1, 3))),
    (12, call("ReduceSum", "x"), lambda x: x.sum(keepdims=True)),
    (17, call("ReduceL2", "x", axes=[2]), lambda x: np.sqrt((x * x).sum(2, keepdims=True))),
    (7, call("ReduceMean", "x", axes=[2, 3]), lambda x: x.mean((2, 3), keepdims=True)),
    (11, call("Split", "x", to="y z", axis=1, split=[2, 4]), lambda x: x[:, :2]),
    (11, call("Unsqueeze", "x", axes=[0, 5]), lambda x: x[None, ..., None]),
    (18, call("GlobalLpPool", "x", p=3), lambda x: (np.abs(x)**3).sum((2, 3), keepdims=True)**(1 / 3)),
    (7, call("Dropout", "x", ratio=0.3), lambda x: x), (9, call("Flatten", "x", axis=2), lambda x: x.reshape(12, 72)),
    (7, call("Add", "x", "row"), lambda x: x + np.arange(8, dtype=np.float32)),
    (7, call("Transpose", "x", perm=[0, 2, 3, 1]), lambda x: x.transpose(0, 2, 3, 1)),
    (8, call("Sum", "x", "row", "row"), lambda x: x + 2 * np.arange(8, dtype=np.float32)),
    (8, call("Max", "x", "row"), lambda x: np.maximum(x, np.arange(8, dtype=np.float32))),
    (8, call("Expand", "x", "shape"), lambda x: np.broadcast_to(x, (3, 2, 6, 9, 8))),
], ids=lambda value: f"{value.op_type}" if hasattr(value, "op_type") else "")
def test_older_versions_of_an_operator(opset, node, expected):
    x = numbers(*PICTURE)
    constants = {"scales": np.array([1, 1, 2, 3], np.float32), "row": np.arange(8, dtype=np.float32),
                 "shape": integers(3, 1, 1, 1, 1), "none": np.zeros(0, np.float32)}
    found = ours(model([node], constants=constants, opset=opset), {"x": x})["y"].numpy()
    np.testing.assert_allclose(found, expected(x), rtol=1e-5, atol=1e-6)


def test_an_operator_that_opset_7_did_not_change():
    x = numbers(*PICTURE)
    found = ours(model([call("Relu", "x")], opset=6), {"x": x})["y"].numpy()
    np.testing.assert_array_equal(found, np.maximum(x, 0))


def test_an_open_batch_through_every_kind_of_layer():
    """Declared with one picture, run with three."""
    nodes = [call("Conv", "x", "w", to="a", pads=[1, 1, 1, 1]), call("GlobalAveragePool", "a", to="g"),
             call("Mul", "a", "g", to="b"), call("Resize", "b", "", "scales", to="c"),
             call("Pad", "c", "pads", to="d", mode="reflect"), call("ReduceMax", "d", "axes", to="e", keepdims=0),
             call("Reshape", "e", "shape", to="f"), call("MatMul", "f", "m", to="h"), call("Transpose", "h", to="t",
                                                                                         perm=[0, 2, 1]),
             call("Slice", "t", "one", "two", "one", to="s"), call("Tile", "s", "twice", to="u"),
             call("Where", "mask", "u", "zero", to="y")]
    constants = {"w": numbers(6, 6, 3, 3), "scales": np.array([1, 1, 2, 2], np.float32),
                 "pads": integers(0, 0, 1, 1, 0, 0, 1, 1), "axes": integers(2), "shape": integers(0, 9, -1),
                 "m": numbers(12, 5), "one": integers(1), "two": integers(3), "twice": integers(1, 2, 1),
                 "mask": np.array([True, False, True] * 3), "zero": np.float32(0)}
    made = model(nodes, ("N", *PICTURE[1:]), constants=constants)
    x = numbers(3, *PICTURE[1:])
    expected, = ReferenceEvaluator(made).run(None, {"x": x})
    np.testing.assert_allclose(ours(made, {"x": x})["y"].numpy(), expected, rtol=1e-4, atol=1e-5)


def test_pieces_without_a_value_are_left_out():
    """As exporters write the rest of a split that takes everything: an empty piece, put back at the end."""
    constants = {"sizes": np.array([0, 6]), "start": np.array([6]), "end": np.array([9]), "axes": np.array([1])}
    compare(model([
        call("Split", "x", "sizes", to="none all", axis=1), call("Slice", "all", "start", "end", "axes", to="e"),
        call("Mul", "e", "none", to="m"), call("Concat", "m", "all", "e", axis=1)], constants=constants))


def test_sums_of_nothing():
    constants = {"e": np.zeros((1, 0, 9, 8), np.float32), "axes": np.array([1])}
    compare(model([call("ReduceSum", "e", "axes", to="s"), call("ReduceProd", "e", "axes", to="p", keepdims=1),
                   call("Add", "s", "p", to="a"), call("Add", "x", "a")], constants=constants))
