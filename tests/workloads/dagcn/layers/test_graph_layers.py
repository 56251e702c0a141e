"""The layers over graphs against loops over nodes, in double precision, with the blobs drawn at random."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import CortadoError
from cortado.frontends.prototxt import parse_prototxt
from cortado.graph.shape import TensorShape
from cortado.layers.layer import layer_types
from cortado.net.shape_inference import infer_shapes
from cortado.workloads.dagcn.batch import batch_of

WIDTH, EPS = 5, 1e-5


@pytest.fixture
def batch(graphs):
    return batch_of(graphs, 3)


@pytest.fixture
def nodes(batch, rng):
    return torch.from_numpy(rng.standard_normal((len(batch.tags), WIDTH)))


def layer_of(type_name: str, parameters: str, rng, shapes: dict[str, tuple[int, ...]]):
    """A layer with random blobs, variances positive."""
    inputs = " ".join(f'input: "{name}" input_shape {{ {" ".join(f"dim: {dim}" for dim in dims)} }}'
                      for name, dims in shapes.items())
    bottoms = " ".join(f'bottom: "{name}"' for name in shapes)
    net = parse_prototxt(f'{inputs} layer {{ name: "l" type: "{type_name}" {bottoms} top: "y" {parameters} }}')
    spec = net.layer("l")
    layer = layer_types[type_name](spec, tuple(TensorShape(dims) for dims in shapes.values())).double()
    with torch.no_grad():
        for blob in layer.blobs:
            blob.copy_(torch.from_numpy(rng.uniform(0.2, 1, tuple(blob.shape))))
    return layer


def double(batch):
    return batch.adjacency.double()


def norm(rows, blobs, *, training):
    """Feature by feature, with the statistics of the rows or the stored ones."""
    scale, shift, mean, variance = blobs
    if training:
        mean = [np.mean([row[i] for row in rows]) for i in range(len(scale))]
        variance = [np.mean([(row[i] - mean[i]) ** 2 for row in rows]) for i in range(len(scale))]
    return [[(row[i] - mean[i]) / np.sqrt(variance[i] + EPS) * scale[i] + shift[i] for i in range(len(scale))]
            for row in rows]


def linear(rows, weight, bias=None):
    return [[sum(w * x for w, x in zip(line, row, strict=True)) + (0 if bias is None else bias[i])
             for i, line in enumerate(weight)] for row in rows]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("hops", "blocks"), [(1, 1), (3, 1), (2, 3)])
def test_attention_graph_convolution(batch, nodes, rng, hops, blocks, training):
    count = len(nodes)
    parameters = f"attention_graph_convolution_param {{ hops: {hops} blocks: {blocks} }}"
    layer = layer_of("AttentionGraphConvolution", parameters, rng, {"x": (count, WIDTH), "a": (count, count)})
    layer.train(training)
    blobs = [blob.detach().numpy().copy() for blob in layer.blobs]
    near = [np.flatnonzero(row) for row in batch.adjacency.to_dense().numpy()]
    x = nodes.numpy().tolist()
    block = x
    for number in range(blocks):
        begin = x if number == 0 else (np.array(block) + np.array(x)).tolist()
        hop, mixed = begin, [[] for _ in range(count)]
        for index in range(hops):
            weight, bias, *stats = blobs[index * 6:index * 6 + 6]
            summed = [[sum(hop[other][i] for other in near[node]) + begin[node][i] for i in range(WIDTH)]
                      for node in range(count)]
            hop = norm(linear(summed, weight, bias), stats, training=training)
            mixed = [row + more for row, more in zip(mixed, hop, strict=True)]
        block = [[max(v, 0) for v in row] for row in norm(linear(mixed, blobs[-5]), blobs[-4:], training=training)]
    found, = layer(nodes, double(batch))
    np.testing.assert_allclose(found.detach().numpy(), block, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("over", ["NODES", "HEADS"])
def test_self_attention_pooling(batch, nodes, rng, over, training):
    layer = layer_of("SelfAttentionPooling", f"self_attention_pooling_param {{ heads: 3 over: {over} }}", rng,
                     {"x": (len(nodes), WIDTH), "n": (4,)})
    layer.train(training)
    inner, inner_bias, *inner_norm = [blob.detach().numpy().copy() for blob in layer.blobs[:6]]
    outer, outer_bias, *outer_norm = [blob.detach().numpy().copy() for blob in layer.blobs[6:]]
    hidden = norm(np.tanh(linear(nodes.numpy(), inner, inner_bias)).tolist(), inner_norm, training=training)
    scores = np.array(norm(linear(hidden, outer, outer_bias), outer_norm, training=training))
    expected, begin = [], 0
    for size in batch.sizes.tolist():
        own = np.exp(scores[begin:begin + size])
        weights = own / (own.sum(0, keepdims=True) if over == "NODES" else own.sum(1, keepdims=True))
        expected.append([[sum(weights[n, head] * float(nodes[begin + n, i]) for n in range(size)) for i in range(WIDTH)]
                         for head in range(3)])
        begin += size
    found, = layer(nodes, batch.sizes)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-8, atol=1e-10)


def test_attention_over_one_head_is_a_sum(batch, nodes, rng):
    """What the published code does on MUTAG and PTC."""
    layer = layer_of("SelfAttentionPooling", "self_attention_pooling_param { heads: 1 over: HEADS }", rng,
                     {"x": (len(nodes), WIDTH), "n": (4,)})
    pooled, = layer_of("GraphPooling", "graph_pooling_param { pool: SUM }", rng,
                       {"x": (len(nodes), WIDTH), "n": (4,)})(nodes, batch.sizes)
    np.testing.assert_allclose(layer(nodes, batch.sizes)[0][:, 0].detach(), pooled, rtol=1e-12)


def test_dropped_weights_are_those_of_training_only(batch, nodes, rng):
    layer = layer_of("SelfAttentionPooling", "self_attention_pooling_param { heads: 2 dropout_ratio: 0.5 }", rng,
                     {"x": (len(nodes), WIDTH), "n": (4,)})
    layer.eval()
    assert torch.equal(layer(nodes, batch.sizes)[0], layer(nodes, batch.sizes)[0])
    layer.train()
    assert not torch.equal(layer(nodes, batch.sizes)[0], layer(nodes, batch.sizes)[0])


def test_graph_convolution(batch, nodes, rng):
    layer = layer_of("GraphConvolution", "graph_convolution_param { num_output: 2 }", rng,
                     {"x": (len(nodes), WIDTH), "a": (len(nodes),) * 2})
    near = [[*np.flatnonzero(row), node] for node, row in enumerate(batch.adjacency.to_dense().numpy())]
    weight, bias = (blob.detach().numpy() for blob in layer.blobs)
    expected = [[bias[k] + sum(weight[k, i] * float(nodes[other, i]) / np.sqrt(len(near[node]) * len(near[other]))
                               for other in near[node] for i in range(WIDTH)) for k in range(2)]
                for node in range(len(nodes))]
    np.testing.assert_allclose(layer(nodes, double(batch))[0].detach().numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("pool", ["SUM", "MEAN", "MAX"])
def test_graph_pooling(batch, nodes, rng, pool):
    layer = layer_of("GraphPooling", f"graph_pooling_param {{ pool: {pool} }}", rng,
                     {"x": (len(nodes), WIDTH), "n": (4,)})
    expected = [getattr(part.numpy(), pool.lower())(0) for part in nodes.split(batch.sizes.tolist())]
    np.testing.assert_allclose(layer(nodes, batch.sizes)[0], expected, rtol=1e-12)


def test_gradients_reach_what_is_trained(batch, nodes, rng):
    layer = layer_of("AttentionGraphConvolution", "attention_graph_convolution_param { hops: 2 }", rng,
                     {"x": (len(nodes), WIDTH), "a": (len(nodes),) * 2})
    pooling = layer_of("SelfAttentionPooling", "self_attention_pooling_param { heads: 2 }", rng,
                       {"x": (len(nodes), WIDTH), "n": (4,)})
    pooling(layer(nodes, double(batch))[0], batch.sizes)[0].square().sum().backward()
    for blobs, stats in ((layer.blobs, {4, 5, 10, 11, 15, 16}), (pooling.blobs, {4, 5, 10, 11})):
        assert {index for index, blob in enumerate(blobs) if blob.grad is None} == stats


@pytest.mark.parametrize(("text", "message"), [
    ('type: "AttentionGraphConvolution" bottom: "x" bottom: "n" top: "y" attention_graph_convolution_param { hops: 1 }',
     "bottoms must be nodes N x d and their adjacency N x N, not 6x3 and 2"),
    ('type: "GraphConvolution" bottom: "x" bottom: "n" top: "y" graph_convolution_param { num_output: 1 }',
     "bottoms must be nodes N x d and their adjacency N x N, not 6x3 and 2"),
    ('type: "SelfAttentionPooling" bottom: "n" bottom: "x" top: "y" self_attention_pooling_param { heads: 1 }',
     "bottoms must be nodes N x d and the nodes of each graph, not 2 and 6x3"),
    ('type: "GraphPooling" bottom: "n" bottom: "x" top: "y" graph_pooling_param { pool: MAX }',
     "bottoms must be nodes N x d and the nodes of each graph, not 2 and 6x3"),
    ('type: "AttentionGraphConvolution" bottom: "x" bottom: "n" top: "y" attention_graph_convolution_param { hops: 0 }',
     "attention_graph_convolution_param: hops must be at least 1, not 0"),
    ('type: "SelfAttentionPooling" bottom: "x" bottom: "n" top: "y" self_attention_pooling_param { heads: 0 }',
     "self_attention_pooling_param: heads must be at least 1, not 0"),
    ('type: "GraphData" top: "a" top: "b" top: "c" top: "d" graph_data_param { source: "x" part: TRAINING }',
     "graph_data_param: source must be one of mutag, ptc, enzymes, proteins, nci1, nci109, not 'x'"),
    ('type: "GraphData" top: "a" top: "b" top: "c" top: "d" graph_data_param { source: "ptc" part: TRAINING fold: 11 }',
     "graph_data_param: fold must be from 1 to 10, not 11"),
])
def test_what_is_refused(text, message):
    inputs = 'input: "x" input_shape { dim: 6 dim: 3 } input: "n" input_shape { dim: 2 } '
    with pytest.raises(CortadoError) as caught:
        infer_shapes(parse_prototxt(f'{inputs} layer {{ name: "l" {text} }}'))
    assert str(caught.value).endswith(f"layer 'l': {message}")
