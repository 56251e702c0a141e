import re

import pytest
import torch

from cortado.errors import LayerError
from cortado.frontends.prototxt import parse_prototxt
from cortado.net.net import Net
from cortado.net.plain import PlainNet

DATA = ('name: "tiny" '
        'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 4 dim: 9 dim: 7 } } }')
EVERY_MODULE = DATA + """
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
        convolution_param { num_output: 6 kernel_size: 3 stride: 2 pad: 1 group: 2 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "norm" type: "LRN" bottom: "conv" top: "norm" lrn_param { local_size: 3 alpha: 0.1 k: 2 } }
layer { name: "pool" type: "Pooling" bottom: "norm" top: "pool" pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "mean" type: "Pooling" bottom: "norm" top: "mean" pooling_param { pool: AVE kernel_size: 2 stride: 2 } }
layer { name: "both" type: "Concat" bottom: "pool" bottom: "mean" top: "both" }
layer { name: "drop" type: "Dropout" bottom: "both" top: "both" }
layer { name: "flat" type: "Flatten" bottom: "both" top: "flat" }
layer { name: "score" type: "InnerProduct" bottom: "flat" top: "score" inner_product_param { num_output: 5 } }
layer { name: "prob" type: "Softmax" bottom: "score" top: "prob" }
"""


def test_plain_modules_compute_the_same():
    net = Net(parse_prototxt(EVERY_MODULE), seed=3)
    inputs = {"data": torch.randn((2, 4, 9, 7), generator=torch.Generator().manual_seed(1))}
    with torch.no_grad():
        ours, plain = net(inputs), PlainNet(net)(inputs)
    torch.testing.assert_close(plain["prob"], ours["prob"])
    torch.testing.assert_close(plain["both"], ours["both"])


def test_plain_modules_are_those_of_torch():
    kinds = {type(module).__module__ for module in PlainNet(Net(parse_prototxt(EVERY_MODULE), seed=3)).modules()}
    assert not [kind for kind in kinds if kind.startswith("cortado") and kind != "cortado.net.plain"]


@pytest.mark.parametrize("fields", ['top: "b" pooling_param { kernel_size: 2 }',
                                    "pooling_param { kernel_size: 2 pool: STOCHASTIC }"])
def test_pooling_that_torch_has_otherwise(fields):
    spec = parse_prototxt(DATA + f'layer {{ name: "odd" type: "Pooling" bottom: "data" top: "a" {fields} }}')
    with pytest.raises(LayerError) as caught:
        PlainNet(Net(spec, seed=0))
    assert str(caught.value) == ("layer 'odd': a Pooling that is stochastic or has two tops has no plain torch module "
                                 "to be timed against")


def test_layer_without_a_module():
    spec = parse_prototxt(DATA + 'layer { name: "odd" type: "Power" bottom: "data" top: "odd" }')
    message = ("layer 'odd': Power has no plain torch module to be timed against (there are modules for Concat, "
               "Convolution, Dropout, Flatten, InnerProduct, LRN, Pooling, ReLU, Softmax)")
    with pytest.raises(LayerError, match=f"^{re.escape(message)}$"):
        PlainNet(Net(spec, seed=0))
