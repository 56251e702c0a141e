from __future__ import annotations

import torch

from cortado.frontends.prototxt import parse_prototxt
from cortado.net.net import Net


def test_what_it_reads_is_no_output():
    net = Net(parse_prototxt("""
        input: "data" input_shape { dim: 1 dim: 4 }
        layer { name: "cut" type: "Slice" bottom: "data" top: "a" top: "b" }
        layer { name: "quiet" type: "Silence" bottom: "b" }
    """))
    assert net.outputs == ("a",)
    assert net({"data": torch.arange(4.0)[None]})["a"].tolist() == [[0, 1]]


def test_takes_any_number_of_bottoms(make_spec, make_layer, top_dims):
    assert top_dims(make_spec("Silence", bottoms=3, tops=0), (1,), (2, 3), (4,)) == []
    assert make_layer(make_spec("Silence", tops=0), (1,))(torch.ones(1)) == ()
