"""XCLProgram layers, from the file to the engine."""

from __future__ import annotations

import pytest

from cortado.errors import ConfigurationError, LayerError, PlanError
from cortado.executor.mixed_pipeline import MixedPipeline
from cortado.frontends.model import load_model
from cortado.frontends.prototxt import parse_prototxt
from cortado.layers.xcl_program import GRAMMAR
from cortado.planner.program import read_programs

CONVOLUTION = """
layer {{ name: "{0}" type: "Convolution" bottom: "data" top: "{0}"
         convolution_param {{ num_output: 4 kernel_size: 3 pad: 1 }} }}
"""


def program(name, fields):
    return f'layer {{ name: "{name}" type: "XCLProgram" {fields} }}\n'


def network(*layers):
    text = 'name: "n" input: "data" input_shape { dim: 1 dim: 4 dim: 8 dim: 8 }\n'
    return parse_prototxt(text + "".join(layers), file="n.prototxt")


@pytest.fixture
def pipeline(tmp_path):
    """Makes the pipeline of a network file with the given layers."""
    def make(*layers, **options):
        path = tmp_path / "n.prototxt"
        path.write_text('name: "n" input: "data" input_shape { dim: 1 dim: 4 dim: 8 dim: 8 }\n' + "".join(layers))
        return MixedPipeline(load_model(path), **options)

    return make


def test_the_network_names_the_configuration(pipeline):
    made = pipeline(program("p", 'xcl_name: "winograd_m2_pc2_pk8.xclbin" kernel_name: "winograd_pe"'),
                    CONVOLUTION.format("a"))
    configuration = made.engine.configuration
    assert (configuration.m, configuration.pc, configuration.pk) == (2, 2, 8)
    assert made.cut.fpga_layers == ("a",)
    assert made.cut.placement("p").reason == "it names the engine's configuration"


def test_the_caller_goes_before_the_network(pipeline):
    made = pipeline(program("p", 'xcl_name: "winograd_m2_pc2"'), CONVOLUTION.format("a"), fields={"m": 4})
    assert (made.engine.configuration.m, made.engine.configuration.pc) == (4, 2)


def test_without_one(pipeline):
    assert read_programs(network(CONVOLUTION.format("a"))) == ()
    assert pipeline(CONVOLUTION.format("a")).cut.fpga_layers == ("a",)


def test_layers_before_it_have_no_engine(pipeline):
    layers = (CONVOLUTION.format("early"), program("p", 'kernel_name: "winograd_pe"'), CONVOLUTION.format("late"))
    cut = pipeline(*layers).cut
    assert cut.fpga_layers == ("late",)
    assert cut.placement("early").reason == ("winograd: it stands before XCLProgram layer 'p', which programs the "
                                             "engine")
    with pytest.raises(PlanError) as caught:
        pipeline(*layers, strict=True)
    assert str(caught.value) == (
        "layer 'early': must run on the FPGA (3x3 convolution), but engine 'winograd' cannot take it: it stands before "
        "XCLProgram layer 'p', which programs the engine. Change the engine's configuration, or keep the layer on the "
        "host (--host early)")


def test_the_same_one_twice(pipeline):
    layers = (program("p", 'xcl_name: "winograd_m2_pc2"'), CONVOLUTION.format("a"),
              program("q", 'xcl_name: "winograd_pc2_m2"'), CONVOLUTION.format("b"))
    found = [(each.layer, each.engine, each.fields) for each in read_programs(network(*layers))]
    assert found == [(name, "winograd", {"m": 2, "pc": 2}) for name in ("p", "q")]
    cut = pipeline(*layers).cut
    assert cut.engine_of("a") == cut.engine_of("b") == cut.engine
    assert cut.other_engines == ()


def test_each_layer_has_the_engine_of_the_last_one_before_it(pipeline):
    made = pipeline(program("p", 'xcl_name: "winograd_m2_pc2"'), CONVOLUTION.format("a"), CONVOLUTION.format("b"),
                    program("q", 'xcl_name: "winograd_m4"'), CONVOLUTION.format("c"),
                    program("r", 'xcl_name: "winograd_m2_pc2"'), CONVOLUTION.format("d"), fields={"pk": 2})
    chosen = {name: made.cut.engine_of(name).configuration for name in "abcd"}
    assert [(each.m, each.pc, each.pk) for each in chosen.values()] == [(2, 2, 2), (2, 2, 2), (4, 4, 2), (2, 2, 2)]
    assert [engine.configuration.m for engine in (made.cut.engine, *made.cut.other_engines)] == [2, 4]


def test_with_several_no_other_engine_can_be_offered(pipeline):
    with pytest.raises(PlanError) as caught:
        pipeline(program("p", 'xcl_name: "winograd_m2"'), program("q", 'xcl_name: "winograd_m4"'),
                 CONVOLUTION.format("a"), other_fields=({"m": 6},))
    assert str(caught.value) == ("network 'n': its XCLProgram layers say which engine runs what, so no other one can "
                                 "be offered; leave --or-engine away")


def test_an_unknown_engine():
    with pytest.raises(LayerError) as caught:
        read_programs(network(program("p", 'kernel_name: "direct_pe"')))
    assert str(caught.value) == f"n.prototxt:2:7: layer 'p': unknown engine 'direct' (known: winograd); {GRAMMAR}"


@pytest.mark.parametrize(("name", "message"), [
    ("winograd_m3", "engine configuration: m must be one of 2, 4, 6, not 3"),
    ("winograd_q3", "engine configuration: unknown field 'q' (known: m, pc, pk, "),
])
def test_a_bad_configuration(pipeline, name, message):
    with pytest.raises(ConfigurationError) as caught:
        pipeline(program("p", f'xcl_name: "{name}"'), CONVOLUTION.format("a"))
    assert str(caught.value).startswith(message)
