from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortado.errors import CortadoError, GraphError, ModelFileError
from cortado.frontends.prototxt import parse_prototxt, read_prototxt
from cortado.graph.spec import BlobSettings, LayerSpec
from cortado.layers.convolution import ConvolutionParameters, Subengine
from cortado.layers.filler import Filler
from cortado.layers.input import BlobShape, InputParameters
from cortado.layers.layer import CaffeEngine, layer_types
from cortado.layers.pooling import PoolingParameters, PoolMethod

KNOWN_TYPES = ", ".join(layer_types)

NETWORK = """\
name: "small"
layer {
  name: "data"
  type: "Input"
  top: "data"
  input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } }
}
layer {
  name: "conv"
  type: "Convolution"
  bottom: "data"
  top: "conv"
  param { lr_mult: 1 decay_mult: 1 }
  param { name: "bias" lr_mult: 2 decay_mult: 0 }
  convolution_param {
    num_output: 4
    kernel_size: 3
    pad: 1
    weight_filler { type: "xavier" }
    engine: OCL
    subengine: WINOGRAD
  }
  ocl_enable: true
}
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { pool: AVE kernel_size: 2 stride: 2 } }
"""


def refusal(text, **options):
    with pytest.raises(CortadoError) as caught:
        parse_prototxt(text, file="net.prototxt", **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def named(net):
    return [layer.name for layer in net.layers]


def test_a_network():
    net = parse_prototxt(NETWORK)
    assert (net.name, net.phase) == ("small", "TEST")
    assert net.layers == (
        LayerSpec(name="data", type="Input", bottoms=(), tops=("data",),
                  parameters=InputParameters(shape=(BlobShape(dim=(1, 3, 8, 8)),))),
        LayerSpec(name="conv", type="Convolution", bottoms=("data",), tops=("conv",),
                  parameters=ConvolutionParameters(
                      num_output=4, kernel_size=(3,), pad=(1,), weight_filler=Filler(type="xavier"),
                      engine=CaffeEngine.OCL, subengine=Subengine.WINOGRAD),
                  ocl_enable=True,
                  blob_settings=(BlobSettings(), BlobSettings(name="bias", lr_mult=2.0, decay_mult=0.0))),
        LayerSpec(name="relu", type="ReLU", bottoms=("conv",), tops=("conv",),
                  parameters=layer_types["ReLU"].parameters_type()),
        LayerSpec(name="pool", type="Pooling", bottoms=("conv",), tops=("pool",),
                  parameters=PoolingParameters(pool=PoolMethod.AVE, kernel_size=2, stride=2)),
    )


def test_layers_know_their_place(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text(NETWORK)
    assert [str(layer.position) for layer in read_prototxt(path).layers] == [
        f"{path}:2:7", f"{path}:8:7", f"{path}:25:7", f"{path}:26:7"]


V1 = """\
name: "small"
input: "data"
input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
layers { name: "conv" type: CONVOLUTION bottom: "data" top: "conv" blobs_lr: 1 blobs_lr: 2 weight_decay: 1
         convolution_param { num_output: 4 kernel_size: 3 } include: { phase: TEST } }
layers { name: "relu" type: RELU bottom: "conv" top: "conv" }
layers { name: "ip" type: INNER_PRODUCT bottom: "conv" top: "ip" inner_product_param { num_output: 2 } }
layers { name: "loss" type: SOFTMAX_LOSS bottom: "ip" bottom: "label" top: "loss" include { phase: TRAIN } }
"""


def test_v1_layers():
    net = parse_prototxt(V1)
    assert [(layer.name, layer.type, layer.bottoms, layer.tops) for layer in net.layers] == [
        ("input", "Input", (), ("data",)),
        ("conv", "Convolution", ("data",), ("conv",)),
        ("relu", "ReLU", ("conv",), ("conv",)),
        ("ip", "InnerProduct", ("conv",), ("ip",)),
    ]
    assert net.layer("input").parameters.shape == (BlobShape(dim=(1, 3, 8, 8)),)
    assert net.layer("conv").parameters == ConvolutionParameters(num_output=4, kernel_size=(3,))
    assert net.layer("conv").blob_settings == (BlobSettings(), BlobSettings(lr_mult=2.0))


LAST = '\nlayer { name: "r" type: "ReLU" bottom: "a" top: "r" }'


@pytest.mark.parametrize(("inputs", "tops", "shapes"), [
    ('input: "a" input_dim: 1 input_dim: 2 input_dim: 3 input_dim: 4', ("a",), [(1, 2, 3, 4)]),
    ('input: "a" input_dim: [1, 2, 3, 4]', ("a",), [(1, 2, 3, 4)]),
    ('input: "a" input: "b" input_dim: [1, 2, 3, 4, 5, 6, 7, 8]', ("a", "b"), [(1, 2, 3, 4), (5, 6, 7, 8)]),
    ('input: "a" input_shape { dim: 1 dim: 2 }', ("a",), [(1, 2)]),
    ('input: "a" input: "b" input_shape { dim: 1 dim: 2 } input_shape { dim: 3 }', ("a", "b"), [(1, 2), (3,)]),
    ('input: "a" input: "b" input_shape { dim: 5 }', ("a", "b"), [(5,)]),
])
def test_inputs_of_old(inputs, tops, shapes):
    layer = parse_prototxt(inputs + LAST).layers[0]
    assert (layer.name, layer.type, layer.tops) == ("input", "Input", tops)
    assert [shape.dim for shape in layer.parameters.shape] == shapes


def test_the_input_layer_takes_a_free_name():
    text = 'input: "a" input_shape { dim: 1 } layer { name: "input" type: "ReLU" bottom: "a" top: "r" }'
    assert named(parse_prototxt(text)) == ["input_", "input"]


PHASES = """
input: "a" input_shape { dim: 1 }
layer { name: "always" type: "ReLU" bottom: "a" top: "b" }
layer { name: "train" type: "NoSuchType" include { phase: TRAIN } }
layer { name: "test" type: "ReLU" bottom: "a" top: "c" include { phase: TEST } }
layer { name: "not_small" type: "ReLU" bottom: "a" top: "d" exclude { stage: "small" } }
layer { name: "deep" type: "ReLU" bottom: "a" top: "e" include { min_level: 2 } include { stage: "deep" } }
"""


@pytest.mark.parametrize(("options", "layers"), [
    ({}, ["input", "always", "test", "not_small"]),
    ({"stages": ("small",)}, ["input", "always", "test"]),
    ({"level": 2}, ["input", "always", "test", "not_small", "deep"]),
    ({"stages": ("deep", "small")}, ["input", "always", "test", "deep"]),
])
def test_rules_choose_layers(options, layers):
    assert named(parse_prototxt(PHASES, **options)) == layers


def test_the_file_has_a_state_of_its_own():
    text = PHASES + 'state { phase: TRAIN level: 1 stage: "deep" }'
    assert named(parse_prototxt(text)) == ["input", "always", "test", "not_small", "deep"]
    assert named(parse_prototxt(text, stages=("small",))) == ["input", "always", "test", "deep"]


def test_a_layer_left_out_may_be_of_an_unknown_type():
    assert refusal(PHASES, phase="TRAIN") == (
        f"net.prototxt:4:29: layer 'train': unknown layer type 'NoSuchType' (known: {KNOWN_TYPES})")


def test_layers_with_one_name():
    """As in Caffe's mnist_autoencoder.prototxt; names that are taken are left alone."""
    text = """
    layer { name: "x" type: "Input" top: "x" top: "y" input_param { shape { dim: 2 dim: 3 } shape { dim: 2 dim: 3 } } }
    layer { name: "loss" type: "EuclideanLoss" bottom: "x" bottom: "y" }
    layer { name: "loss" type: "EuclideanLoss" bottom: "x" bottom: "y" }
    layer { name: "loss_2" type: "Silence" bottom: "x" }
    layer { name: "loss" type: "SigmoidCrossEntropyLoss" bottom: "x" bottom: "y" top: "entropy" }
    """
    net = parse_prototxt(text)
    assert [(layer.name, layer.tops) for layer in net.layers[1:]] == [
        ("loss", ("(automatic)@loss",)), ("loss_3", ("(automatic)@loss_3",)), ("loss_2", ()), ("loss_4", ("entropy",))]
    assert named(net) == ["x", "loss", "loss_3", "loss_2", "loss_4"]


def test_a_loss_without_a_top_gets_one():
    net = parse_prototxt("""
        input: "a" input_shape { dim: 2 dim: 4 } input: "label" input_shape { dim: 2 }
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "a" bottom: "label" loss_weight: 2 }
    """)
    assert net.layer("loss").tops == ("(automatic)@loss",)
    assert net.layer("loss").loss_weights == (2.0,)


def one_layer(fields):
    return 'input: "a" input_shape { dim: 1 dim: 4 dim: 8 dim: 8 }\nlayer { ' + fields + " }"


CONVOLUTION_FIELDS = ("axis, bias_filler, bias_term, dilation, engine, force_nd_im2col, group, kernel_h, kernel_size, "
                      "kernel_w, num_output, pad, pad_h, pad_w, stride, stride_h, stride_w, subengine, weight_filler")
LAYER_FIELDS = ("blobs, bottom, convolution_param, exclude, include, loss_weight, name, ocl_enable, param, phase, "
                "propagate_down, top, type")


@pytest.mark.parametrize(("fields", "message"), [
    ('name: "c" type: "Convolutoin" bottom: "a" top: "c"',
     ("2:25: layer 'c': unknown layer type 'Convolutoin'; did you mean 'Convolution' or 'ConvolutionND' or "
      f"'Deconvolution'? (known: {KNOWN_TYPES})")),
    ('name: "c" type: "WindowData" top: "c" window_data_param { source: "list" }',
     ("2:25: layer 'c': layer type 'WindowData' is not supported; write the blobs as a layer of type 'Input', or give "
      "the deploy network")),
    ('name: "c" type: CONVOLUTION bottom: "a" top: "c"',
     "2:25: layer 'c': field 'type' must be a quoted string, not CONVOLUTION"),
    ('name: "c" bottom: "a" top: "c"', "2:7: layer 'c': field 'type' must be given"),
    ('type: "ReLU" bottom: "a" top: "c"', "2:7: ReLU layer: field 'name' must be given"),
    ('type: "RELU" bottom: "a" top: "c"',
     ("2:15: layer without a name: unknown layer type 'RELU'; did you mean 'ELU' or 'ReLU' or 'PReLU'? "
      f"(known: {KNOWN_TYPES})")),
    ('name: "" type: "ReLU" bottom: "a" top: "c"',
     "2:15: layer '': field 'name' must be a name of printable characters"),
    ('name: "c" type: "ReLU" bottom: "a" top: ""',
     "2:49: layer 'c': field 'top' must be a name of printable characters"),
    (r'name: "a\nb" type: "ReLU" bottom: "a" top: "c"',
     "2:15: layer 'a?b': field 'name' must be a name of printable characters"),
    ('name: "c" type: "ReLU" bottom: "a" top: "c" name: "d"', "2:53: layer 'c': field 'name' must be given once"),
    ('name: "c" type: "ReLU" bottom: 3 top: "c"', "2:40: layer 'c': field 'bottom' must be a quoted string, not 3"),
    ('name: "c" type: "Convolution" bottom: "a" top: "c" convolution_param { num_output: 4 kernal_size: 3 }',
     ("2:94: layer 'c': convolution_param: unknown field 'kernal_size'; did you mean 'kernel_size'? "
      f"(known: {CONVOLUTION_FIELDS})")),
    ('name: "c" type: "Convolution" bottom: "a" top: "c" pooling_param { }',
     f"2:60: layer 'c': unknown field 'pooling_param' (known: {LAYER_FIELDS})"),
    ('name: "c" type: "Convolution" bottom: "a" top: "c" convolution_param { kernel_size: 3 }',
     "2:78: layer 'c': convolution_param: field 'num_output' must be given"),
    ('name: "c" type: "Convolution" bottom: "a" top: "c"',
     "2:7: layer 'c': convolution_param: field 'num_output' must be given"),
    ('name: "c" type: "Convolution" bottom: "a" top: "c" convolution_param { num_output: 4 kernel_size: -3 }',
     "2:94: layer 'c': convolution_param: kernel_size must be from 1 to 1048576, not -3"),
    ('name: "c" type: "Convolution" bottom: "a" top: "c" convolution_param: 3',
     "2:79: layer 'c': field 'convolution_param' must be a message { ... }"),
    ('name: "c" type: "Pooling" bottom: "a" top: "c" pooling_param { kernel_size: 3 } pooling_param { }',
     "2:89: layer 'c': field 'pooling_param' must be given once"),
    ('name: "c" type: "Pooling" bottom: "a" top: "c" pooling_param { pool: STOCHASTIC kernel_size: 2 pad: 1 }',
     "2:72: layer 'c': pooling_param: pool must be MAX or AVE where there is padding, not STOCHASTIC"),
    ('name: "c" type: "ReLU" bottom: "a" top: "c" include { phase: TEST } exclude { stage: "s" }',
     "2:77: layer 'c': rules must be all include or all exclude"),
    ('name: "c" type: "ReLU" bottom: "a" top: "c" include { phase: DEPLOY }',
     "2:70: layer 'c'.include: field 'phase' must be one of TRAIN, TEST, not DEPLOY"),
    ('name: "c" type: "ReLU" bottom: "a" top: "c" phase: TRAIN',
     ("2:53: layer 'c': phase must be the network's, TEST; to leave a layer out of the others write "
      "include { phase: TRAIN }")),
    ('name: "c" type: "ReLU" bottom: "a" top: "c" loss_weight: [1, 2]',
     "2:53: layer 'c': loss_weight must have one value for each of 1 tops, not 2"),
    ('name: "c" type: "ReLU" bottom: "a" top: "c" propagate_down: true propagate_down: false',
     "2:53: layer 'c': propagate_down must have one value for each of 1 bottoms, not 2"),
    ('name: "c" type: "ReLU" bottom: "a" top: "c" blobs { }',
     "2:53: layer 'c': trained blobs must be in a caffemodel, not in the network file"),
    ('name: "c" type: "Input" top: "c" input_param { shape { dim: 1 dim: -8 } }',
     "2:71: layer 'c': input_param.shape: dim must be at least 1, not -8"),
    ('name: "c" type: "Input" top: "c" input_param { shape { dim: 1 dim: 99999999999 } }',
     ("2:64: layer 'c': input_param.shape: dim must give a legal blob: shape 1x99999999999: at most 2147483647 "
      "elements, not 99999999999")),
    ('name: "c" type: "ReLU" bottom: "b" top: "c"', "2:7: layer 'c': bottom 0 'b' is produced by nobody"),
])
def test_errors_of_a_layer(fields, message):
    assert refusal(one_layer(fields)) == f"net.prototxt:{message}"


@pytest.mark.parametrize(("text", "message"), [
    ("", "net.prototxt: network: at least one layer must be in phase TEST, there is none"),
    ('layer { name: "a" type: "Input" include { phase: TRAIN } }',
     "net.prototxt: network: at least one layer must be in phase TEST, there is none"),
    ("layer {", ("net.prototxt:1:8: expected a field name or '}', not the end of the file: '{' of line 1, column 7 is "
                 "not closed")),
    ("lyer {}", ("net.prototxt:1:1: network: unknown field 'lyer'; did you mean 'layer'? (known: debug_info, "
                 "force_backward, input, input_dim, input_shape, layer, layers, name, state)")),
    ('net: "train_val.prototxt"',
     ("net.prototxt:1:1: network: 'net' belongs to a solver file; the network file must be given, the solver names it "
      "in 'net' or 'train_net'")),
    ("layer { } layers { }", "net.prototxt:1:11: network: layers must be all 'layer' or all V1 'layers', not both"),
    ('layers { layer { name: "a" } }',
     ("net.prototxt:1:10: layer without a name: V0 layers (layers { layer { ... } }) are not supported; Caffe's "
      "upgrade_net_proto_text writes them anew")),
    ('layers { name: "a" type: NONE }',
     f"net.prototxt:1:26: layer 'a': unknown layer type 'None' (known: {KNOWN_TYPES})"),
    ('layers { name: "a" type: WINDOW_DATA }',
     ("net.prototxt:1:26: layer 'a': layer type 'WindowData' is not supported; write the blobs as a layer of type "
      "'Input', or give the deploy network")),
    ('layers { name: "a" type: HDF5_DATA }',
     "net.prototxt:1:8: layer 'a': hdf5_data_param: field 'source' must be given"),
    ('input: "a"' + LAST, ("net.prototxt:1:1: network: inputs must have one input_shape each, or four input_dim each: "
                           "1 inputs, 0 shapes")),
    ('input: "a" input_dim: [1, 2, 3]' + LAST,
     "net.prototxt:1:12: network: input_dim must have four values for each of 1 inputs, not 3"),
    ('input: "a" input_dim: 1 input_dim: 3 input_dim: 0 input_dim: 8' + LAST,
     "net.prototxt:1:38: network: input_dim must be at least 1, not 0"),
    ("input_shape { dim: 1 }" + LAST, ("net.prototxt:1:1: network: inputs must have one input_shape each, or four "
                                       "input_dim each: 0 inputs, 1 shapes")),
    ('input: "a" input_shape { dim: 1 } input_dim: 1' + LAST,
     "net.prototxt:1:35: network: inputs must have either input_shape or input_dim, not both"),
])
def test_errors_of_a_network(text, message):
    assert refusal(text) == message


def test_a_cycle():
    text = """
    input: "data" input_shape { dim: 1 }
    layer { name: "a" type: "SoftmaxWithLoss" bottom: "data" bottom: "y" top: "x" }
    layer { name: "b" type: "ReLU" bottom: "x" top: "y" }
    """
    assert refusal(text) == "net.prototxt:3:11: layer 'a': bottom 1 'y' closes a cycle of layers: 'a' -> 'b' -> 'a'"


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ModelFileError) as caught:
        read_prototxt(tmp_path / "no.prototxt")
    assert str(caught.value) == f"{tmp_path}/no.prototxt: the file cannot be read: No such file or directory"


def test_a_file_that_is_no_text(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_bytes(b"name: 'a'\n\xff\x00")
    with pytest.raises(ModelFileError) as caught:
        read_prototxt(path)
    assert str(caught.value) == (
        f"{path}:2: the file must be UTF-8 text: a network is a .prototxt, only its weights are binary")


def test_a_byte_order_mark_is_no_content(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_bytes(b"\xef\xbb\xbf" + NETWORK.encode())
    assert parse_prototxt(NETWORK) == read_prototxt(path)


@given(st.data())
def test_any_damage_is_a_network_or_an_error(data):
    """One to three places of a good file overwritten, cut out or repeated."""
    text = data.draw(st.sampled_from([NETWORK, V1, PHASES]))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 30)))
        put = data.draw(st.one_of(
            st.text(max_size=4), st.just(text[start:end] * 2),
            st.sampled_from(["}", "{", '"', "-", "99999999999", "0", "dim: 0", "TRAIN", "[1,2]"])))
        text = text[:start] + put + text[end:]
    with suppress(ModelFileError, GraphError):
        parse_prototxt(text)
