"""Networks written as ONNX: read back they compute the same to the bit, and onnx's own evaluator agrees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator

from cortado.errors import GraphError, LayerError, WeightsError
from cortado.frontends.model import known_models, load_model
from cortado.frontends.onnx.reader import parse_onnx
from cortado.frontends.onnx.writing.graph import onnx_model
from cortado.frontends.onnx.writing.layer_writer import layer_writers
from cortado.frontends.prototxt import parse_prototxt
from cortado.layers.layer import layer_types
from cortado.net.net import Net
from cortado.net.weights import match_weights, seeded_weights
from cortado.passes.pipeline import prepare
from cortado.workloads.workload import workloads

# Types that are no part of a network for use, or that ONNX has no operator for.
NOT_WRITTEN = {"Accuracy", "ArgMax", "BNLL", "BatchReindex", "ContrastiveLoss", "Data", "Dataset", "DummyData",
               "Embed", "EuclideanLoss", "Filter", "HDF5Data", "HDF5Output", "HingeLoss", "Im2col", "ImageData",
               "InfogainLoss", "LSTM", "MVN", "MemoryData", "MultinomialLogisticLoss", "Python", "RNN",
               "RandomAffine", "Reduction", "SPP", "SigmoidCrossEntropyLoss", "SoftmaxWithLoss", "Swish", "Threshold",
               "Tile", "XCLProgram"}


def written(spec, weights):
    made = onnx_model(spec, weights)
    onnx.checker.check_model(made, full_check=True)
    return made


def outputs(spec, weights, feed):
    net = Net(spec, weights)
    with torch.no_grad():
        values = net({name: torch.from_numpy(value) for name, value in feed.items()})
    return {name: values[name].numpy() for name in net.outputs}


def feed_of(spec, rng):
    net = Net(spec, seed=0)
    return {name: rng.standard_normal(net.shapes[name].dims).astype(np.float32) for name in net.inputs}


def check_round_trip(spec, weights, rng, *, evaluated=True):
    made = written(spec, weights)
    back, back_weights = parse_onnx(made.SerializeToString())
    feed = feed_of(spec, rng)
    before, after = outputs(spec, weights, feed), outputs(back, back_weights, feed)
    assert after.keys() == before.keys()
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value)
    if evaluated:
        names = [output.name for output in made.graph.output]
        for name, value in zip(names, ReferenceEvaluator(made).run(names, feed), strict=True):
            np.testing.assert_allclose(after[name], value, rtol=1e-4, atol=1e-5 * np.abs(value).max())


@pytest.mark.parametrize("name", [name if name not in ("alexnet", "caffenet", "overfeat", "vgg16", "vgg_a") else
                                  pytest.param(name, marks=pytest.mark.slow) for name in known_models()
                                  # Nets of workloads read data of their own.
                                  if name not in workloads])
def test_models(name, rng):
    model = load_model(name)
    weights = seeded_weights(model.spec, 0) if model.weights is None else match_weights(model.spec, model.weights)
    first = replace(model.spec.layers[0])
    assert first.type == "Input"
    dims = first.parameters.shape[0].dim
    one = replace(first, parameters=replace(first.parameters, shape=(replace(first.parameters.shape[0],
                                                                            dim=(1, *dims[1:])),)))
    spec = replace(model.spec, layers=(one, *model.spec.layers[1:]))
    check_round_trip(spec, weights, rng, evaluated=name in ("digits", "lenet"))


PICTURE = 'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 4 dim: 6 dim: 5 } } } '


@pytest.mark.parametrize("layers", [
    'type: "Eltwise" bottom: "x" bottom: "x" bottom: "x" eltwise_param { coeff: 0.5 coeff: 1 coeff: -2 }',
    'type: "Eltwise" bottom: "x" bottom: "x" eltwise_param { coeff: 1 coeff: -1 }',
    'type: "Eltwise" bottom: "x" bottom: "x" bottom: "x" eltwise_param { operation: PROD }',
    'type: "Eltwise" bottom: "x" bottom: "x" eltwise_param { operation: MAX }',
    'type: "Exp" bottom: "x" exp_param { base: 2 scale: 0.3 shift: 0.1 }', 'type: "Exp" bottom: "x"',
    'type: "Power" bottom: "x" power_param { power: 2 scale: 3 shift: 0.1 }', 'type: "Power" bottom: "x"',
    'type: "PReLU" bottom: "x"', 'type: "PReLU" bottom: "x" prelu_param { channel_shared: true }',
    'type: "ReLU" bottom: "x" relu_param { negative_slope: 0.3 }', 'type: "ELU" bottom: "x" elu_param { alpha: 0.3 }',
    'type: "Clip" bottom: "x" clip_param { min: -0.5 max: 0.25 }', 'type: "AbsVal" bottom: "x"',
    'type: "Scale" bottom: "x" scale_param { bias_term: true }',
    'type: "Scale" bottom: "x" scale_param { axis: 2 num_axes: 1 }', 'type: "Bias" bottom: "x" bias_param { axis: 3 }',
    'type: "Scale" bottom: "x" scale_param { num_axes: 0 }',
    'type: "BatchNorm" bottom: "x"', 'type: "LRN" bottom: "x" lrn_param { local_size: 3 alpha: 0.5 k: 2 }',
    'type: "Slice" bottom: "x" top: "y" top: "z" slice_param { axis: 1 slice_point: 1 }',
    'type: "Split" bottom: "x" top: "y" top: "z"',
    'type: "Flatten" bottom: "x" flatten_param { axis: 2 }', 'type: "Flatten" bottom: "x"',
    'type: "Reshape" bottom: "x" reshape_param { shape { dim: 0 dim: 2 dim: -1 } }',
    'type: "Permute" bottom: "x" permute_param { order: 0 order: 2 order: 3 order: 1 }',
    'type: "Pooling" bottom: "x" pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 }',
    'type: "Pooling" bottom: "x" pooling_param { kernel_size: 2 stride: 2 }',
    'type: "Pooling" bottom: "x" pooling_param { kernel_size: 2 stride: 2 round_mode: FLOOR }',
    'type: "Pooling" bottom: "x" pooling_param { pool: AVE global_pooling: true }',
    'type: "Convolution" bottom: "x" convolution_param { num_output: 6 kernel_h: 3 kernel_w: 2 pad: 1 group: 2 }',
    'type: "Convolution" bottom: "x" convolution_param { num_output: 6 kernel_size: 3 stride: 2 dilation: 2 }',
    'type: "Deconvolution" bottom: "x" convolution_param { num_output: 3 kernel_size: 3 pad: 1 stride: 2 }',
    'type: "InnerProduct" bottom: "x" inner_product_param { num_output: 3 }',
    'type: "InnerProduct" bottom: "x" inner_product_param { num_output: 3 transpose: true bias_term: false }',
    'type: "InnerProduct" bottom: "x" inner_product_param { num_output: 3 axis: 3 }',
    'type: "InnerProduct" bottom: "x" inner_product_param { num_output: 3 axis: 2 bias_term: false }',
    'type: "Softmax" bottom: "x" softmax_param { axis: 2 }', 'type: "Dropout" bottom: "x"', 'type: "Gelu" bottom: "x"',
    'type: "Reduce" bottom: "x" reduce_param { operation: MEAN axis: 2 axis: 3 keep_dims: false }',
    'type: "Resize" bottom: "x" resize_param { axis: 2 size: 12 scale: 2 interpolation: LINEAR }',
])
def test_layers(layers, rng):
    top = "" if "top:" in layers else 'top: "y" '
    spec = parse_prototxt(f'{PICTURE}layer {{ name: "l" {layers} {top}}}')
    # The evaluator normalises as many channels as there are pictures.
    check_round_trip(spec, seeded_weights(spec, 1), rng, evaluated='"LRN"' not in layers)


def test_two_bottoms_in_place_and_what_ends_in_silence(rng):
    spec = parse_prototxt(PICTURE + '''
        layer { name: "s" type: "Input" top: "s" input_param { shape { dim: 4 } } }
        layer { name: "c" type: "Convolution" bottom: "x" top: "c" convolution_param { num_output: 4 kernel_size: 1 } }
        layer { name: "r" type: "ReLU" bottom: "c" top: "c" }
        layer { name: "a" type: "Scale" bottom: "c" bottom: "s" top: "c" }
        layer { name: "b" type: "Bias" bottom: "c" bottom: "s" top: "d" }
        layer { name: "p" type: "Pooling" bottom: "d" top: "p" pooling_param { kernel_size: 2 } }
        layer { name: "e" type: "Crop" bottom: "d" bottom: "p" top: "e" crop_param { offset: 1 } }
        layer { name: "q" type: "Silence" bottom: "p" }
        layer { name: "t" type: "TanH" bottom: "e" top: "e" }''')
    made = written(spec, seeded_weights(spec, 1))
    assert [value.name for value in made.graph.output] == ["e"]
    # The scale has another batch than the picture, so it is one for all.
    x, s = rng.standard_normal((2, 4, 6, 5)).astype(np.float32), rng.standard_normal(4).astype(np.float32)
    before = outputs(spec, seeded_weights(spec, 1), {"x": x, "s": s})
    after = outputs(*parse_onnx(made.SerializeToString()), {"x": x, "s": s})
    np.testing.assert_array_equal(after["e"], before["e"])


def test_a_batch_norm_with_a_factor(rng):
    spec = parse_prototxt(PICTURE + 'layer { name: "n" type: "BatchNorm" bottom: "x" top: "y" }')
    for factor in (0, 3):
        weights = {"n": (rng.standard_normal(4).astype(np.float32), rng.uniform(1, 2, 4).astype(np.float32),
                         np.array([factor], np.float32))}
        check_round_trip(spec, weights, rng)


def test_every_layer_type_is_written_or_known_not_to_be():
    # Those of workloads are for their own nets.
    own = {name for name in layer_types if layer_types[name].__module__.startswith("cortado.layers.")}
    assert own - set(layer_writers) == NOT_WRITTEN
    assert set(layer_writers) <= set(layer_types)


@pytest.mark.parametrize(("layers", "message"), [
    ('type: "ArgMax" bottom: "x" top: "y"', "layer type ArgMax is not written: ONNX has no operator for it (written: "),
    ('type: "BatchNorm" bottom: "x" top: "y" batch_norm_param { use_global_stats: false }',
     "a BatchNorm by the batch's own statistics (use_global_stats: false) is not written"),
    ('type: "Quant" bottom: "x" top: "y" quant_param { least: -3 most: 5 }',
     "limits -3 and 5 must be those of a number of bits to be written"),
])
def test_what_is_refused(layers, message):
    spec = parse_prototxt(f'{PICTURE}layer {{ name: "l" {layers} }}')
    with pytest.raises(LayerError) as caught:
        onnx_model(spec, seeded_weights(spec, 1))
    assert f"layer 'l': {message}" in str(caught.value)


def test_networks_that_are_refused():
    spec = parse_prototxt(PICTURE + 'layer { name: "c" type: "InnerProduct" bottom: "x" top: "c" '
                          'inner_product_param { num_output: 2 } } '
                          'layer { name: "r" type: "ReLU" bottom: "c" top: "d" }')
    with pytest.raises(WeightsError, match=r"^layer 'c': its weights must be given to write it, in the shapes 2x120"):
        onnx_model(spec, {})
    prepared, weights = prepare(spec, seeded_weights(spec, 1))
    with pytest.raises(LayerError, match="fused layers, which a pass has made, are not written"):
        onnx_model(prepared, weights)
    with pytest.raises(GraphError, match="it must compute something to be written"):
        onnx_model(parse_prototxt(PICTURE), {})
