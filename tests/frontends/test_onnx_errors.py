"""What an ONNX file must not hold, and in which words it is refused."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from cortado.errors import ModelFileError
from cortado.frontends.model import load_model
from cortado.frontends.onnx.operator_registry import supported_operators
from cortado.frontends.onnx.reader import parse_onnx, read_onnx
from cortado.net.shape_inference import infer_shapes
from cortado.net.weights import expected_blobs

PICTURE = (1, 6, 9, 8)


def call(operator, *inputs, to="y", **attributes):
    """A node called n that gives `to`."""
    return helper.make_node(operator, list(inputs), to.split(), name="n", **attributes)


def model(*nodes, shape=PICTURE, inputs=("x",), outputs=("y",), opset=20, **constants):
    """A file's model with inputs of one shape."""
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def numbers(*shape):
    return np.full(shape, 0.5, np.float32)


def refusal(made, **where):
    with pytest.raises(ModelFileError) as caught:
        parse_onnx(made if isinstance(made, bytes) else made.SerializeToString(), file="f.onnx", **where)
    return str(caught.value)


SUPPORTED = ", ".join(supported_operators())
ONLY = "nothing else is supported"
LRN = (f"squares that are padded or averaged must become local response normalisation as torch.nn.LocalResponseNorm "
       f"writes it: {ONLY}")
PADS = np.array([0, 0, 1, 1, 0, 0, 1, 1])


@pytest.mark.parametrize(("nodes", "constants", "text"), [
    ([call("Einsum", "x", equation="ij->ji")], {},
     f"(Einsum): operator 'Einsum' is not supported (supported: {SUPPORTED})"),
    ([call("Foo", "x", to="a"), call("Bar", "a", to="b"), call("Baz", "b")], {},
     f"(Foo): operator 'Foo' is not supported, nor are Bar, Baz (supported: {SUPPORTED})"),
    ([call("Relu", "x", domain="com.example")], {},
     f"(Relu): operator 'Relu' of domain 'com.example' is not supported (supported: {SUPPORTED})"),
    ([call("Relu", "x", slope=1)], {}, "(Relu): attribute 'slope' is not supported (supported: none)"),
    ([call("Elu", "x", beta=1)], {}, "(Elu): attribute 'beta' is not supported (supported: alpha)"),
    ([call("Elu", "x", alpha=1)], {}, "(Elu): attribute 'alpha' must be a number"),
    ([call("LRN", "x")], {}, "(LRN): attribute 'size' must be given"),
    ([call("LRN", "x", size=4)], {}, "(LRN): local_size must be odd and at least 1, not 4"),
    ([call("Relu", "z")], {}, ("(Relu): input 0 'z' must be the output of an earlier node, an input of the graph or an "
                               "initialiser")),
    ([call("Relu")], {}, "(Relu): input 0 must be given"),
    ([call("Conv", "x", "x")], {}, "(Conv): input 1 'x' must be a constant, it depends on the network's input"),
    ([call("Conv", "x", "c")], {"c": np.array([1])}, "(Conv): input 1 'c' must be floating-point numbers, not int64"),
    ([call("Conv", "x", "c")], {"c": numbers(4, 6, 3)},
     "(Conv): input 1 must have as many dimensions as input 0, 4, not 3"),
    ([call("Conv", "x", "c")], {"c": numbers(4, 5, 3, 3)},
     "(Conv): trained blob 0 must have shape 4x6x3x3, not 4x5x3x3"),
    ([call("Conv", "x", "c", pads=[0, 1])], {"c": numbers(4, 6, 3, 3)},
     "(Conv): pads must be 4 numbers for 2 axes, not 2"),
    ([call("Conv", "x", "c", strides=[0, 1])], {"c": numbers(4, 6, 3, 3)},
     "(Conv): strides must be from 1 to 1048576, not [0, 1]"),
    ([call("Conv", "x", "c", strides=[2])], {"c": numbers(4, 6, 3, 3)},
     "(Conv): strides must be 2 numbers for 2 axes, not 1"),
    ([call("Conv", "x", "c", auto_pad="SAME")], {"c": numbers(4, 6, 3, 3)},
     "(Conv): auto_pad must be NOTSET, VALID, SAME_UPPER or SAME_LOWER"),
    ([call("Conv", "x", "c", kernel_shape=[5, 5])], {"c": numbers(4, 6, 3, 3)},
     "(Conv): kernel_shape must be the 3x3 of input 1, not 5x5"),
    ([call("Conv", "x", "c", group=4)], {"c": numbers(4, 6, 3, 3)},
     "(Conv): the channels of bottom 'x' must be a multiple of group 4, not 6"),
    ([call("Conv", "x", "c")], {"c": numbers(4, 6, 10, 3)},
     "(Conv): the padded height of bottom 'x' must be at least the kernel's 10, not 9"),
    ([call("Flatten", "x", to="a"), call("MaxPool", "a", kernel_shape=[2, 2])], {},
     "(MaxPool): input 0 must have three to five dimensions (N, C, ...), not 1x432"),
    ([call("MaxPool", "x", kernel_shape=[2, 2], to="y i"), call("Relu", "i", to="z")], {},
     "(Relu): its values must be FLOAT, FLOAT16, DOUBLE, BFLOAT16 in layer type ReLU, not INT64 (bottom 0)"),
    ([call("MaxPool", "x", kernel_shape=[12, 2])], {},
     "(MaxPool): kernel_shape must reach over at most the padded input, not 12 over 9"),
    ([call("MaxPool", "x", kernel_shape=[2, 2], pads=[0, 0, 5, 5])], {},
     ("(MaxPool): the first and last window along axis 2 must hold values of bottom 'x', not padding alone")),
    ([call("Flatten", "x", to="a"), call("Gemm", "a", "c")], {"c": numbers(431, 5)},
     "(Gemm): trained blob 0 must have shape 5x432, not 5x431"),
    ([call("Flatten", "x", to="a"), call("Gemm", "a", "c", "d")], {"c": numbers(432, 5), "d": numbers(4)},
     "(Gemm): bottoms must be of one size, or 1, along axis 1, not 1x5, 4"),
    ([call("MatMul", "x", "c")], {"c": numbers(6, 7, 2)},
     ("(MatMul): the last axis of bottom 'x' (1x6x9x8) must be as large as the last but one of bottom 'y/constant' "
      "(6x7x2)")),
    ([call("Pad", "x", "c", mode="reflect")], {"c": np.array([0, 0, 9, 0, 0, 0, 0, 0])},
     "(Pad): axis 2 must be padded by less than its 9 values where they are mirrored, not by 9"),
    ([call("Pad", "x", "c", mode="mirror")], {"c": PADS}, "(Pad): mode must be constant, edge, reflect or wrap"),
    ([call("Pad", "x", "c")], {"c": PADS[:6]}, "(Pad): pads must be 8 numbers for 4 different dimensions, not 6"),
    ([call("Pad", "x", "c")], {"c": -9 * PADS},
     "(Pad): something of the 9 of axis 2 must be left, -9 and -9 take all"),
    ([call("Resize", "x", "", "c")], {"c": numbers(3)},
     "(Resize): scales or sizes must be one for each of 4 different axes, not 3"),
    ([call("Resize", "x", "", "c")], {"c": numbers(4) * 2**14},
     "(Resize): scale must be from 1/4096 to 4096, not 8192"),
    ([call("Resize", "x")], {}, "(Resize): there must be either scales or sizes"),
    ([call("ReduceSum", "x", "c")], {"c": np.array([4])},
     "(ReduceSum): axis must be from -4 to 3 for 4 dimensions, not 4"),
    ([call("ReduceSum", "x", "c")], {"c": np.array([1, 1])},
     "(ReduceSum): axis must be different axes of at least 0, not 1"),
    ([call("Slice", "x", "c", "c", to="e"), call("Concat", "x", "e", axis=1)], {"c": np.array([1])},
     "(Concat): inputs must agree except on axis 1"),
    ([call("Slice", "x", "c", "c", to="e"), call("Softmax", "e")], {"c": np.array([1])},
     "(Softmax): shape 0x6x9x8: every dimension must be a whole number of at least 1, not 0"),
    ([call("Tile", "x", "c")], {"c": np.array([2])},
     "(Tile): repeats must be 4 numbers of at least 1, one for each axis"),
    ([call("QuantizeLinear", "x", "c")], {"c": numbers(5)},
     "(QuantizeLinear): scale and zero point must be single numbers or of shape 6, not 5"),
    ([call("QLinearConv", "x", "c", "c", "c", "c", "c", "c", "c")], {"c": numbers()},
     "(QLinearConv): input 0 must be INT8 or UINT8, not FLOAT"),
    ([call("Equal", "x", "c")], {"c": np.array(1)}, "(Equal): inputs must be of one element type, not FLOAT, INT64"),
    ([call("Where", "x", "x", "x")], {},
     "(Where): input 0 must be truth values (BOOL), and inputs 1 and 2 of one element type"),
    ([call("Add", "x", "c")], {"c": np.array(1.0)}, "(Add): inputs must be of one element type, not FLOAT, DOUBLE"),
    ([call("Add", "x", "c")], {"c": numbers(7, 1, 1)},
     "(Add): bottoms must be of one size, or 1, along axis 1, not 1x6x9x8, 7x1x1"),
    ([call("Dropout", "x", "", "c")], {"c": np.array(True)},
     ("(Dropout): training_mode must be the constant false, or ratio the constant 0: values that are dropped at random "
      "are not supported")),
    ([call("Reshape", "x", "c")], {"c": np.array([5, -1])},
     "(Reshape): the 432 values of input 0 must be a multiple of 5, the product of the dimensions given"),
    ([call("Reshape", "x", "c")], {"c": np.array([-1, -1])},
     "(Reshape): the shape must be numbers of at least 1, 0 to copy, or -1 once to infer, not [-1, -1]"),
    ([call("Reshape", "x", "c")], {"c": np.array([1, 431])},
     "(Reshape): the new shape must have the 432 values of input 0, not 431"),
    ([call("Squeeze", "x", "c")], {"c": np.array([1])}, "(Squeeze): the axes squeezed must have dimension 1"),
    ([call("Concat", "x", "x", axis=4)], {}, "(Concat): axis must be from -4 to 3 for 4 dimensions, not 4"),
    ([call("Split", "x", "c", to="y z", axis=1)], {"c": np.array([2, 2])},
     "(Split): 2 sizes must add up to the 6 of axis 1, not [2, 2]"),
    ([call("Cast", "x", **{"to": "y"})], {}, "(Cast): attribute 'to' must be given"),
    ([call("Gather", "x", "c")], {"c": numbers(1)},
     "(Gather): input 1 must be whole numbers, INT32 or INT64, not FLOAT"),
    ([call("ConstantOfShape", "x")], {},
     "(ConstantOfShape): input 0 'x' must be a constant, it depends on the network's input"),
    ([call("Add", "c", "c", to="d"), call("Add", "x", "d")], {"c": numbers(2**12, 2**12 + 1)},
     ("(Add): at most 16777216 values are computed while reading, not 16781312; constants are computed by the exporter "
      "(do_constant_folding)")),
    ([call("Add", "c", "d", to="e"), call("Add", "x", "e")], {"c": numbers(2), "d": numbers(3)},
     ("(Add): its constants do not fit together: shape mismatch: objects cannot be broadcast to a single shape.  "
      "Mismatch is between arg 0 with shape (2,) and arg 1 with shape (3,).")),
    ([call("Mul", "x", "x", to="q"), call("Pad", "q", "c", to="p"), call("Relu", "p")],
     {"c": np.array([0, 2, 0, 0, 0, 2, 0, 0])}, f"(Pad): {LRN}"),
])
def test_nodes(nodes, constants, text):
    outputs = [name for node in nodes[-1:] for name in node.output]
    assert refusal(model(*nodes, outputs=outputs, **constants)) == f"f.onnx: node 'n' {text}"


def test_squares_that_are_not_normalised_as_torch_does():
    """Over four channels, and centred on none."""
    nodes = [call("Mul", "x", "x", to="q"), call("Unsqueeze", "q", "axis", to="u"), call("Pad", "u", "pads", to="p"),
             call("AveragePool", "p", kernel_shape=[4, 1, 1])]
    pads = np.array([0, 0, 2, 0, 0, 0, 0, 1, 0, 0])
    assert refusal(model(*nodes, axis=np.array([1]), pads=pads)) == (
        "f.onnx: node 'n' (AveragePool): local response normalisation must be over an odd number of channels centred "
        "on each, not over 4 with 2 before and 1 behind")


RELU = call("Relu", "x")
WHOLE = model(call("Conv", "x", "w"), w=numbers(4, 6, 3, 3)).SerializeToString()
NO_GRAPH = ("an ONNX file must hold a graph with nodes and outputs, this file has none: it is empty, truncated or no "
            "ONNX file")


@pytest.mark.parametrize(("data", "text"), [
    (b"", NO_GRAPH),
    (helper.make_model(helper.make_graph([], "g", [], [])).SerializeToString(), NO_GRAPH),
    (WHOLE[:-20], "an ONNX file must be a binary protobuf file: it is truncated or something else"),
    (b"\x89PNG\r\n\x1a\n rest", "an ONNX file must be a binary protobuf file: it is truncated or something else"),
    (model(call("BatchNormalization", "x", "c", "c", "c", "c"), opset=6, c=numbers(6)),
     ("the version of its operators (opset) must be from 7 to "
      f"{onnx.defs.onnx_opset_version()}, not 6; torch.onnx.export takes it as opset_version")),
    (model(RELU, shape=(1, 3, "height", 8)),
     ("input 'x' of the graph: dimension 2 must be a fixed number of at least 1, not 'height'; only the batch may be "
      "left open")),
    (model(RELU, shape=None), "input 'x' of the graph must have a shape"),
    (model(RELU, shape=(1, 0)),
     ("input 'x' of the graph: dimension 1 must be a fixed number of at least 1, not 0; only the batch may be left "
      "open")),
    (model(RELU, shape=(1, 2**31, 2**31)),
     (f"input 'x' of the graph: dim must give a legal blob: shape 1x{2**31}x{2**31}: at most {2**31 - 1} elements, not "
      f"{2**62}")),
    (model(RELU, inputs=("x", "x")), "value 'x' must have one producer, it has several"),
    (model(RELU, call("Neg", "x")), "value 'y' must have one producer, it has several"),
    (model(RELU, outputs=("y", "z")), "output 'z' of the graph must be the output of a node, nothing produces it"),
    (model(RELU, outputs=("y", "c"), c=numbers(1)),
     "output 'c' of the graph must depend on its input, it is a constant"),
], ids=str)
def test_files(data, text):
    assert refusal(data) == f"f.onnx: {text}"


def test_names_that_are_no_text():
    assert refusal(WHOLE.replace(b"Conv", b"\xff\xfe\xfd\xfc")) == (
        "f.onnx: names must be UTF-8 text: the file is damaged or no ONNX file")


def test_inputs_of_another_type():
    made = model(RELU)
    made.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8
    assert refusal(made) == ("f.onnx: input 'x' of the graph must be a tensor of FLOAT, not UINT8: "
                             "a network's inputs have no other type")


@pytest.fixture
def with_weight(tmp_path):
    """Makes a file of a convolution whose weight is changed by a function, and reads it."""

    def read(change):
        made = model(call("Conv", "x", "w"), w=numbers(4, 6, 3, 3))
        change(made.graph.initializer[0])
        (tmp_path / "net.onnx").write_bytes(made.SerializeToString())
        return read_onnx(tmp_path / "net.onnx")

    return read


def outside(**fields):
    """A change: the weight's values lie in another file."""

    def change(tensor):
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in fields.items():
            tensor.external_data.add(key=key, value=str(value))

    return change


def cut(tensor):
    tensor.raw_data = tensor.raw_data[:-4]


def quantised(tensor):
    tensor.data_type = TensorProto.FLOAT8E8M0


def huge(tensor):
    tensor.dims[:] = [2**40, 2**40]


PLACE = "the file of its values must be named relative to the model's folder and lie in it, not be"


@pytest.mark.parametrize(("change", "text"), [
    (cut, "shape 4x6x3x3 must have 864 bytes, not 860"),
    (quantised, ("element type FLOAT8E8M0 is not supported (supported: FLOAT, UINT8, INT8, UINT16, INT16, INT32, "
                 "INT64, BOOL, FLOAT16, DOUBLE, UINT32, UINT64, BFLOAT16, FLOAT8E4M3FN, FLOAT8E4M3FNUZ, FLOAT8E5M2, "
                 "FLOAT8E5M2FNUZ, UINT4, INT4, FLOAT4E2M1, UINT2, INT2)")),
    (huge, "dimensions must not be negative and give at most 2147483647 values"),
    (outside(location="no.data"), "'no.data', the file of its values, cannot be read: No such file or directory"),
    (outside(location="../x"), f"{PLACE} '../x'"),
    (outside(location="/etc/passwd"), f"{PLACE} '/etc/passwd'"),
    (outside(), f"{PLACE} '.'"),
    (outside(location="w.data", offset=8, length=864),
     "'w.data' must have 872 bytes, not 868: it is truncated or of another model"),
    (outside(location="w.data", offset=8), "shape 4x6x3x3 must have 864 bytes, not 860"),
    (outside(location="w.data", offset=-4), "offset and length of its values must be whole numbers"),
])
def test_tensors(with_weight, tmp_path, change, text):
    (tmp_path / "w.data").write_bytes(bytes(868))
    with pytest.raises(ModelFileError) as caught:
        with_weight(change)
    assert str(caught.value) == f"{tmp_path}/net.onnx: tensor 'w': {text}"


def test_values_in_another_file(with_weight, tmp_path):
    values = np.arange(217, dtype=np.float32)
    (tmp_path / "w.data").write_bytes(values.tobytes())
    _, weights = with_weight(outside(location="w.data", offset=4, length=864))
    np.testing.assert_array_equal(weights["n"][0].ravel(), values[1:])


def test_load_model(tmp_path):
    (tmp_path / "net.onnx").write_bytes(WHOLE)
    loaded = load_model(tmp_path / "net.onnx")
    assert (loaded.name, loaded.spec.name, loaded.weights_words, loaded.metadata) == ("net", "net", "net.onnx", None)
    np.testing.assert_array_equal(loaded.weights["n"][0], numbers(4, 6, 3, 3))


def test_a_file_that_is_not_there():
    with pytest.raises(ModelFileError) as caught:
        load_model("no/net.onnx")
    assert str(caught.value) == "no/net.onnx: the file cannot be read: No such file or directory"


def test_onnx_is_imported_for_an_onnx_file_only():
    program = ("import sys; from cortado.frontends.model import load_model; load_model('digits'); "
               "print('onnx' in sys.modules)")
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert printed.stdout == "False\n"


def everything():
    """A small network of many operators."""
    ints = {"axis": np.array([1]), "zero": np.array(0), "pads": PADS,
            "lrn": np.array([0, 0, 1, 0, 0, 0, 0, 1, 0, 0]), "dims": np.array([6, 6, 3, 3])}
    reals = {"w": numbers(6, 6, 3, 3), "b": numbers(6), "c": numbers(6, 1, 1), "s": np.float32(0.5)}
    nodes = [
        call("Pad", "x", "pads", to="p"), call("Conv", "p", "w", "b", to="a", strides=[1, 1]),
        call("Relu", "a", to="r"),
        call("MaxPool", "r", to="m", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
        call("BatchNormalization", "m", "b", "b", "b", "b", to="n"),
        call("Mul", "n", "n", to="q"), call("Unsqueeze", "q", "axis", to="u"), call("Pad", "u", "lrn", to="v"),
        call("AveragePool", "v", to="e", kernel_shape=[3, 1, 1]), call("Squeeze", "e", "axis", to="f"),
        call("Mul", "f", "s", to="g"), call("Add", "g", "s", to="h"), call("Pow", "h", "s", to="i"),
        call("Div", "n", "i", to="j"), call("Concat", "j", "n", to="k", axis=1),
        call("Split", "k", to="k1 k2", axis=1, num_outputs=2), call("Sum", "k1", "k2", to="l"),
        call("ConstantOfShape", "dims", to="ones"), call("Conv", "l", "ones", to="o", pads=[1, 1, 1, 1]),
        call("Add", "o", "c", to="t"), call("AveragePool", "t", to="z", kernel_shape=[2, 2], strides=[2, 2]),
        call("Shape", "z", to="sh"), call("Gather", "sh", "zero", to="ga"), call("Unsqueeze", "ga", "zero1", to="un"),
        call("Concat", "un", "rest", to="co", axis=0), call("Reshape", "z", "co", to="fl"),
        call("Gemm", "fl", "fc", "fb", to="ge", transB=1), call("MatMul", "ge", "mm", to="ma"),
        call("Add", "ma", "mb", to="ad"), call("Softmax", "ad"),
    ]
    return model(*nodes, **ints, **reals, zero1=np.array([0]), rest=np.array([-1]), fc=numbers(5, 24), fb=numbers(5),
                 mm=numbers(5, 3), mb=numbers(3))


SMALL = everything().SerializeToString()


def test_the_small_network_is_read():
    spec, _ = parse_onnx(SMALL)
    assert len(spec.layers) == 16


@settings(max_examples=1000)
@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), min_size=1, max_size=4),
       st.integers(0, len(SMALL)), st.booleans())
def test_damaged_files(changes, end, whole):
    """A network that holds together, or our own error."""
    data = bytearray(SMALL)
    for place, value in changes:
        data[place] = value
    try:
        spec, weights = parse_onnx(bytes(data if whole else data[:end]))
    except ModelFileError:
        return
    infer_shapes(spec)
    assert {name: tuple(shape.dims for shape in shapes) for name, shapes in expected_blobs(spec).items()} == {
        name: tuple(blob.shape for blob in blobs) for name, blobs in weights.items()}
