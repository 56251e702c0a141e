"""GraphData: batches of a fold, each graph once a pass."""

from __future__ import annotations

import torch

from cortado.frontends.prototxt import parse_prototxt
from cortado.net.net import Net
from cortado.workloads.dagcn.graph_set import fold, graph_set

LAYER = ('layer {{ name: "g" type: "GraphData" top: "t" top: "a" top: "n" top: "l" '
         'graph_data_param {{ source: "mutag" fold: 2 {0} }} }}')


def net_of(fields: str) -> Net:
    return Net(parse_prototxt(LAYER.format(fields)))


def test_all_held_out_graphs(real_files):
    values = net_of("part: HELD_OUT")()
    graphs = [graph_set("mutag").graphs[number] for number in fold("mutag", 2)[1]]
    assert values["n"].tolist() == [len(graph.tags) for graph in graphs]
    assert values["l"].tolist() == [graph.label for graph in graphs]
    assert values["a"].is_sparse
    assert int(values["a"].to_dense().sum()) == sum(graph.edges.shape[1] for graph in graphs)
    assert values["t"].argmax(1).tolist() == [tag for graph in graphs for tag in graph.tags.tolist()]


def test_a_pass_has_each_training_graph_once_in_an_order_of_its_own(real_files):
    count = len(fold("mutag", 2)[0])
    torch.manual_seed(3)
    net = net_of(f"part: TRAINING batch_size: {count} shuffle: true")
    first, second = (net()["n"].tolist() for _ in range(2))
    expected = [len(graph_set("mutag").graphs[number].tags) for number in fold("mutag", 2)[0]]
    assert sorted(first) == sorted(second) == sorted(expected)
    assert first != second


def test_shapes_are_those_of_the_largest_batch(real_files):
    net = net_of("part: TRAINING batch_size: 50 shuffle: true")
    most, tags = net.shapes["t"].dims
    sizes = sorted(len(graph_set("mutag").graphs[number].tags) for number in fold("mutag", 2)[0])
    assert (most, tags) == (sum(sizes[-50:]), 7)
    assert all(len(net()["t"]) <= most for _ in range(5))
