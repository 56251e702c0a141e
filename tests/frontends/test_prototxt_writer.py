"""What is written is read as the same network."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from cortado.errors import GraphError, LayerError, ModelFileError
from cortado.frontends.model import known_models, load_model
from cortado.frontends.prototxt import parse_prototxt, read_prototxt
from cortado.frontends.prototxt_writer import format_prototxt, write_prototxt

TEXT = """
name: "a \\"net\\" of \\\\ tricks"
layer { name: "x" type: "Input" top: "x" top: "l"
  input_param { shape { dim: 2 dim: 3 dim: 8 dim: 8 } shape { dim: 2 } } }
layer { name: "c" type: "Convolution" bottom: "x" top: "c" ocl_enable: false
  param { name: "shared" lr_mult: 0.1 } param { decay_mult: 0 }
  convolution_param { num_output: 4 kernel_h: 3 kernel_w: 1 pad: 1 stride: 1 stride: 2 engine: OCL
    weight_filler { type: "gaussian" std: 1e-05 } } }
layer { name: "r" type: "ReLU" bottom: "c" top: "c" relu_param { negative_slope: 0.30000001 } }
layer { name: "f" type: "InnerProduct" bottom: "c" top: "f" propagate_down: false
  inner_product_param { num_output: 5 bias_term: false } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "f" bottom: "l" loss_weight: 2 loss_param { ignore_label: -1 }
  softmax_param { axis: -1 } }
"""


@pytest.mark.parametrize("phase", ["TRAIN", "TEST"])
def test_every_kind_of_field_comes_back(phase):
    net = parse_prototxt(TEXT, phase=phase)
    assert parse_prototxt(format_prototxt(net), phase=phase) == net


@pytest.mark.parametrize("name", known_models())
@pytest.mark.parametrize("phase", ["TRAIN", "TEST"])
def test_models_come_back(name, phase):
    net = load_model(name, phase=phase).spec
    assert parse_prototxt(format_prototxt(net), phase=phase) == net


def test_real_files_come_back(real_files):
    """Files of others, where they are read at all."""
    found = 0
    for path in sorted((real_files / "prototxt_corpus").rglob("*.prototxt")):
        try:
            net = read_prototxt(path)
        except (ModelFileError, GraphError):
            continue
        found += 1
        assert parse_prototxt(format_prototxt(net)) == net, path.name
    assert found > 10


def test_messages_stand_where_caffe_has_them():
    assert format_prototxt(parse_prototxt(TEXT, phase="TRAIN")).endswith("""
  loss_param {
    ignore_label: -1
  }
  softmax_param {
    axis: -1
  }
}
""")


def test_defaults_are_left_out():
    net = parse_prototxt('layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 } } } '
                         'layer { name: "r" type: "ReLU" bottom: "x" top: "x" relu_param { } }')
    assert format_prototxt(net).endswith(
        'layer {\n  name: "r"\n  type: "ReLU"\n  bottom: "x"\n  top: "x"\n}\n')


def test_what_no_file_can_say():
    net = parse_prototxt(TEXT)
    with pytest.raises(LayerError, match=r"layer 'x': a name in a prototxt must be printable characters, not 'a\\n'$"):
        format_prototxt(replace(net, layers=(replace(net.layers[0], tops=("a\n", "l")), *net.layers[1:])))
    with pytest.raises(LayerError, match="layer 'c': fused layers, which a pass has made, have no place in a prototxt"):
        format_prototxt(replace(net, layers=(net.layers[0], replace(net.layers[1], fused=(net.layers[2],)))))
    with pytest.raises(GraphError, match="scale groups, which a pass has made, have no place in a prototxt"):
        format_prototxt(replace(net, scale_groups=(frozenset({"c"}),)))


def test_a_file_is_whole_or_not_there(tmp_path):
    net = parse_prototxt(TEXT)
    path = tmp_path / "net.prototxt"
    write_prototxt(path, net)
    assert read_prototxt(path) == replace(net, layers=net.layers)
    assert os.listdir(tmp_path) == ["net.prototxt"]
    assert path.stat().st_mode & 0o777 == 0o666 & ~os.umask(0o022)
    with pytest.raises(ModelFileError, match=r"no/net.prototxt: the file cannot be written: No such file or dir"):
        write_prototxt(tmp_path / "no" / "net.prototxt", net)
