"""Quantised networks: QLinearConv and its like against exact integers, QONNX's Quant, and both on the FPGA."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.numpy_helper import saturate_cast
from torch.nn import functional

from cortado.device.device import DeviceOptions
from cortado.device.golden import GoldenDevice
from cortado.errors import ModelFileError
from cortado.executor.executor import Executor
from cortado.executor.mixed_pipeline import MixedPipeline
from cortado.frontends.model import load_model
from cortado.frontends.onnx.reader import parse_onnx
from cortado.net.net import Net
from cortado.planner.calibration import Calibration

SHAPE = (2, 3, 6, 5)


def call(operator, *inputs, to="y", **attributes):
    return helper.make_node(operator, list(inputs), to.split(), name=f"n_{to}", **attributes)


def model(*nodes, shape=SHAPE, domain="", **constants):
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20), *(
        [helper.make_opsetid(domain, 1)] if domain else [])], ir_version=10)


def ours(made, x):
    net = Net(*parse_onnx(made.SerializeToString()))
    with torch.no_grad():
        return net({"x": torch.from_numpy(x)})["y"].numpy()


def quantised(x, scale, zero, least, most):
    return np.clip(np.rint(x / np.float32(scale)) + zero, least, most).astype(np.int64)


# What QLinearConv takes, beside its input in `q`.
QLINEAR = ("q", "sx", "zx", "w", "sw", "zw", "sy", "zy", "b")


def qlinear_constants(rng, *, filters=4, zero=0):
    return {"sx": np.float32(0.05), "zx": np.uint8(120), "w": rng.integers(-128, 128, (filters, 3, 3, 3), np.int8),
            "sw": rng.uniform(0.001, 0.01, filters).astype(np.float32), "zw": np.full(filters, zero, np.int8),
            "sy": np.float32(0.2), "zy": np.uint8(100),
            # Beyond what float32 holds.
            "b": np.array([2**24 + 1, -2**30 - 3, 5, -7], np.int32)[:filters]}


@pytest.mark.parametrize("zero", [0, -3])
@pytest.mark.parametrize("attributes", [{}, {"pads": [1, 2, 1, 2], "strides": [2, 1]}, {"pads": [0, 1, 1, 0]}])
def test_qlinear_conv_equals_integers(rng, zero, attributes):
    constants = qlinear_constants(rng, zero=zero)
    made = model(call("QuantizeLinear", "x", "sx", "zx", to="q"),
                 call("QLinearConv", *QLINEAR, to="r", **attributes),
                 call("DequantizeLinear", "r", "sy", "zy"), **constants)
    x = rng.uniform(-6, 6, SHAPE).astype(np.float32)
    whole = quantised(x, 0.05, 120, 0, 255) - 120
    pads = attributes.get("pads", [0, 0, 0, 0])
    padded = np.pad(whole, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
    weight = constants["w"].astype(np.int64) - zero
    sums = functional.conv2d(torch.from_numpy(padded).double(), torch.from_numpy(weight).double(),
                             torch.from_numpy(constants["b"]).double(), attributes.get("strides", 1)).numpy()
    factor = (np.float32(0.05) * constants["sw"] / np.float32(0.2)).astype(np.float64)
    expected = (np.clip(np.rint(sums * factor[:, None, None]) + 100, 0, 255) - 100) * np.float32(0.2)
    # A product on the edge of two steps may fall the other way: the factor has 24 bits.
    found = ours(made, x)
    assert np.mean(found != expected.astype(np.float32)) < 0.01
    assert np.abs(found - expected).max() < 0.201


def test_weights_behind_dequantize_linear_are_computed_while_reading(rng):
    """As exporters write it: quantised weights, dequantised into a plain Conv."""
    weight = rng.integers(-128, 128, (4, 3, 3, 3), np.int8)
    scale = rng.uniform(0.001, 0.01, 4).astype(np.float32)
    made = model(call("DequantizeLinear", "w", "s", "z", to="d", axis=0), call("Conv", "x", "d"),
                 w=weight, s=scale, z=np.zeros(4, np.int8))
    spec, weights = parse_onnx(made.SerializeToString())
    assert [layer.type for layer in spec.layers] == ["Input", "Convolution"]
    np.testing.assert_array_equal(weights["n_y"][0], weight * scale[:, None, None, None])


SMALL = {"INT4": (-8, 7), "UINT4": (0, 15), "INT2": (-2, 1), "UINT2": (0, 3), "FLOAT8E4M3FN": (-8, 8),
         "FLOAT8E4M3FNUZ": (-8, 8), "FLOAT8E5M2": (-8, 8), "FLOAT8E5M2FNUZ": (-8, 8), "FLOAT4E2M1": (-3, 3)}


@pytest.mark.parametrize("where", ["raw_data", "int32_data", "a file"])
@pytest.mark.parametrize("element", SMALL)
def test_weights_of_few_bits(rng, tmp_path, element, where):
    """Several values in a byte, the last byte not full; written by onnx, in each of the ways a file may have them."""
    least, most = SMALL[element]
    number = TensorProto.DataType.Value(element)
    values = rng.integers(least, most + 1, (3, 3, 1, 1))
    tensor = helper.make_tensor("w", number, values.shape, values.ravel().astype(np.float32))
    if where != "int32_data":
        tensor.raw_data = numpy_helper.from_array(numpy_helper.to_array(tensor)).raw_data
        tensor.ClearField("int32_data")
    if where == "a file":
        (tmp_path / "w.data").write_bytes(tensor.raw_data)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="w.data")
    scale = np.float32(0.5)
    made = model(call("DequantizeLinear", "w", "s", to="d"), call("Conv", "x", "d"), s=scale)
    made.graph.initializer.append(tensor)
    _, weights = parse_onnx(made.SerializeToString(), folder=tmp_path)
    np.testing.assert_array_equal(weights["n_y"][0], values * scale)
    if where == "raw_data":
        made.graph.initializer[-1].raw_data += b"0"
        with pytest.raises(ModelFileError, match=r"^<bytes>: tensor 'w': shape 3x3x1x1 must have \d bytes, not \d+$"):
            parse_onnx(made.SerializeToString())


def test_values_of_few_bits_are_moved_but_not_computed_with():
    cast = helper.make_node("Cast", ["x"], ["q"], name="n_q", to=TensorProto.FLOAT8E4M3FN)
    back = helper.make_node("Cast", ["t"], ["y"], name="n_y", to=TensorProto.FLOAT)
    x = np.linspace(-600, 600, 2 * 3 * 6 * 5, dtype=np.float32).reshape(SHAPE)
    found = ours(model(cast, call("Transpose", "q", to="t", perm=[0, 2, 3, 1]), back), x)
    expected = saturate_cast(x, ml_dtypes.float8_e4m3fn).astype(np.float32).transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(ModelFileError, match=r"its values must be FLOAT, .* in layer type Binary, not FLOAT8E4M3FN"):
        parse_onnx(model(cast, call("Add", "q", "q", to="t"), back).SerializeToString())


def test_bfloat16_is_computed_with(rng):
    x = rng.standard_normal(SHAPE).astype(np.float32)
    to = helper.make_node("Cast", ["x"], ["b"], name="n_b", to=TensorProto.BFLOAT16)
    back = helper.make_node("Cast", ["p"], ["y"], name="n_y", to=TensorProto.FLOAT)
    found = ours(model(to, call("Mul", "b", "b", to="m"), call("MaxPool", "m", to="p", kernel_shape=[2, 2]), back), x)
    half = torch.from_numpy(x).bfloat16()
    np.testing.assert_array_equal(found, functional.max_pool2d((half * half).float(), 2, 1))


@pytest.mark.parametrize("domain", ["qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general"])
@pytest.mark.parametrize(("signed", "narrow", "least", "most"), [(1, 0, -8, 7), (1, 1, -7, 7), (0, 0, 0, 15),
                                                                 (0, 1, 0, 14)])
def test_quant(rng, domain, signed, narrow, least, most):
    made = model(call("Quant", "x", "s", "z", "b", domain=domain, signed=signed, narrow=narrow, rounding_mode="ROUND"),
                 domain=domain, s=np.float32(0.25), z=np.float32(0), b=np.float32(4))
    x = rng.uniform(-4, 6, SHAPE).astype(np.float32)
    np.testing.assert_array_equal(ours(made, x), quantised(x, 0.25, 0, least, most) * np.float32(0.25))


def test_a_quant_of_weights_is_computed_while_reading(rng):
    weight = rng.standard_normal((4, 3, 3, 3)).astype(np.float32)
    made = model(call("Quant", "w", "s", "z", "b", to="q", domain="qonnx.custom_op.general", signed=1, narrow=1),
                 call("Conv", "x", "q"), domain="qonnx.custom_op.general", w=weight,
                 s=np.full((4, 1, 1, 1), 0.25, np.float32), z=np.float32(0), b=np.float32(4))
    _, weights = parse_onnx(made.SerializeToString())
    np.testing.assert_array_equal(weights["n_y"][0], quantised(weight, 0.25, 0, -7, 7) * np.float32(0.25))


@pytest.mark.parametrize(("attributes", "constants", "text"), [
    ({"rounding_mode": "SIDEWAYS"}, {},
     "rounding_mode must be one of ROUND, CEIL, FLOOR, UP, DOWN, HALF_UP, HALF_DOWN"),
    ({"signed": 1}, {"b": np.float32(1)},
     "one bit with a sign is not supported: bitwidth must be at least 2, or signed 0"),
    ({}, {"b": np.float32(99)}, "input 3 (bitwidth) must be one number from 1 to 32"),
    ({}, {"s": np.ones(7, np.float32)}, "bottoms must be of one size, or 1, along axis 3, not 2x3x6x5, 7, scalar"),
])
def test_a_quant_that_is_refused(attributes, constants, text):
    made = model(call("Quant", "x", "s", "z", "b", domain="onnx.brevitas", **attributes), domain="onnx.brevitas",
                 **{"s": np.float32(1), "z": np.float32(0), "b": np.float32(4), **constants})
    with pytest.raises(ModelFileError) as caught:
        parse_onnx(made.SerializeToString(), file="f.onnx")
    assert str(caught.value) == f"f.onnx: node 'n_y' (Quant): {text}"


def test_quantised_and_typed_values_run_around_fpga_layers(rng, tmp_path):
    """Whole numbers and truth values on the host between convolutions of the FPGA."""
    constants = qlinear_constants(rng)
    constants["b"] = np.array([100, -50, 0, 7], np.int32)
    made = model(
        call("QuantizeLinear", "x", "sx", "zx", to="q"), call("QLinearConv", *QLINEAR, to="r", pads=[1, 1, 1, 1]),
        call("DequantizeLinear", "r", "sy", "zy", to="d"), call("Greater", "d", "half", to="g"),
        call("Where", "g", "d", "half", to="h"), call("ArgMax", "h", to="a", axis=1),
        helper.make_node("Cast", ["a"], ["af"], to=TensorProto.FLOAT),
        call("Add", "h", "af"), half=np.float32(0.5), **constants)
    (tmp_path / "net.onnx").write_bytes(made.SerializeToString())
    x = rng.uniform(-6, 6, SHAPE).astype(np.float32)
    pipeline = MixedPipeline(load_model(tmp_path / "net.onnx"), batch=2)
    plan = pipeline.plan(x, Calibration())
    assert len(plan.cut.fpga_layers) == 1
    with GoldenDevice(DeviceOptions()) as device:
        run = Executor(plan, pipeline.net, device).run({"x": x}, compare=1)
    assert run.equal_layers == 1
    # One step of the output's scale at most where the convolution was rounded, and places of near maxima.
    reference, found = pipeline.reference(x), run.values["y"]
    assert np.mean(np.abs(found - reference) > 0.2 * 3) < 0.1
