from __future__ import annotations

import pytest

from cortado.engines.winograd import Winograd
from cortado.errors import PlanError
from cortado.executor.mixed_pipeline import MixedPipeline
from cortado.frontends.model import load_model
from cortado.frontends.prototxt import parse_prototxt
from cortado.planner.grouping import groups_to_split


def network(parameters, more=""):
    """One convolution `conv` over 32 channels of 12x12."""
    return f"""
        name: "n" input: "data" input_shape {{ dim: 1 dim: 32 dim: 12 dim: 12 }}
        layer {{ name: "conv" type: "Convolution" bottom: "data" top: "conv" {more}
                 convolution_param {{ {parameters} }} }}
    """


GROUPED = "num_output: 32 kernel_size: 3 pad: 1 group: 2"


@pytest.mark.parametrize(("parameters", "more", "wishes", "expected"), [
    (GROUPED, "", {}, {"conv"}),
    (GROUPED.replace("group: 2", "group: 4"), "", {}, {"conv"}),
    # Nothing to split, nothing gained, nobody wants it.
    (GROUPED.replace("group: 2", ""), "", {}, set()),
    (GROUPED.replace("kernel_size: 3 pad: 1", "kernel_size: 5 pad: 2"), "", {}, set()),
    (GROUPED + " stride: 2", "", {}, set()),
    (GROUPED + " engine: CAFFE", "", {}, set()),
    (GROUPED, "ocl_enable: false", {}, set()),
    (GROUPED, "", {"host": ("conv",)}, set()),
    # Depthwise: one of four lanes would have work, unless somebody asks for it.
    (GROUPED.replace("group: 2", "group: 32"), "", {}, set()),
    (GROUPED.replace("group: 2", "group: 32"), "", {"fpga": ("conv",)}, {"conv"}),
])
def test_which_are_split(parameters, more, wishes, expected):
    assert groups_to_split(parse_prototxt(network(parameters, more)), Winograd(), **wishes) == expected


def test_alexnet():
    """The paper's case: conv4 and conv5 run on the FPGA group by group, conv2 is 5x5 and stays whole."""
    spec = load_model("alexnet").spec
    assert groups_to_split(spec, Winograd()) == {"conv4", "conv5"}


@pytest.fixture
def pipeline(tmp_path):
    """Makes the pipeline of a network."""
    def make(text, **options):
        path = tmp_path / "n.prototxt"
        path.write_text(text)
        return MixedPipeline(load_model(path), **options)

    return make


def test_the_parts_answer_to_the_name_of_the_whole(pipeline):
    assert pipeline(network(GROUPED)).cut.fpga_layers == ("conv/group1", "conv/group2")
    assert pipeline(network(GROUPED), fpga=("conv",)).cut.placement("conv/group1").reason == "asked for"
    assert pipeline(network(GROUPED), fpga=("conv",)).cut.placement("conv/slice").wanted is False
    kept = pipeline(network(GROUPED), host=("conv",))
    assert (kept.cut.fpga_layers, kept.cut.placement("conv").reason) == ((), "kept on the host as asked")


def test_the_whole_cannot_be_asked_for_where_its_parts_do_not_fit(pipeline):
    with pytest.raises(PlanError) as caught:
        pipeline(network(GROUPED + " dilation: 2"), fpga=("conv",))
    assert str(caught.value) == (
        "layer 'conv': must run on the FPGA (asked for), but engine 'winograd' cannot take it: dilation is 2x2; the "
        "engine takes 1x1. Change the engine's configuration, or keep the layer on the host (--host conv)")
