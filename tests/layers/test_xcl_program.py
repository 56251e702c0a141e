from __future__ import annotations

import pytest

from cortado.errors import CortadoError, FieldError
from cortado.frontends.prototxt import parse_prototxt
from cortado.layers.xcl_program import GRAMMAR, XCLProgramParameters
from cortado.net.net import Net

INPUT = 'input: "data" input_shape { dim: 1 dim: 3 }\n'


@pytest.mark.parametrize("fields", [
    'xcl_name: "winograd_pe.xclbin" kernel_name: "winograd_pe" once: true',
    'xcl_param { xcl_name: "winograd_pe.xclbin" kernel_name: "winograd_pe" once: true }',
    'xcl_param { kernel_name: "winograd_pe" once: true } xcl_name: "winograd_pe.xclbin"',
])
def test_both_places_of_the_fields(fields):
    """The fork of 2016 writes them in the layer, that of 2017 in xcl_param."""
    net = parse_prototxt(f'{INPUT}layer {{ name: "p" type: "XCLProgram" {fields} }}')
    assert net.layer("p").parameters == XCLProgramParameters(
        xcl_name="winograd_pe.xclbin", kernel_name="winograd_pe", once=True)
    assert Net(net).outputs == ("data",)


@pytest.mark.parametrize(("names", "engine", "fields"), [
    ({"kernel_name": "winograd_pe"}, "winograd", {}),
    ({"kernel_name": "winograd"}, "winograd", {}),
    ({"xcl_name": "winograd_pe.xclbin", "kernel_name": "winograd_pe"}, "winograd", {}),
    ({"xcl_name": "winograd_m4_pc4_pk4.xclbin"}, "winograd", {"m": 4, "pc": 4, "pk": 4}),
    ({"xcl_name": "winograd_pe_m2_beat_bits256_largest_taps9216"}, "winograd",
     {"m": 2, "beat_bits": 256, "largest_taps": 9216}),
    ({"xcl_name": "direct_m4", "kernel_name": "direct"}, "direct", {"m": 4}),
])
def test_the_grammar(names, engine, fields):
    parameters = XCLProgramParameters(**names)
    assert (parameters.engine, parameters.fields) == (engine, fields)


@pytest.mark.parametrize(("names", "message"), [
    ({}, f"xcl_name or kernel_name must be given; {GRAMMAR}"),
    ({"kernel_name": "lrn1"}, f"kernel_name must name an engine, not 'lrn1'; {GRAMMAR}"),
    ({"kernel_name": "winograd_m4"}, f"kernel_name must name an engine, not 'winograd_m4'; {GRAMMAR}"),
    ({"xcl_name": "winograd_m4_pc.xclbin"}, f"xcl_name must name an engine, not 'winograd_m4_pc.xclbin'; {GRAMMAR}"),
    ({"xcl_name": "winograd.bin"}, f"xcl_name must name an engine, not 'winograd.bin'; {GRAMMAR}"),
    ({"xcl_name": "winograd_m4_m2"}, "xcl_name must give field 'm' once, not twice ('winograd_m4_m2')"),
    ({"xcl_name": "winograd_m" + 10 * "4"}, "xcl_name must have numbers of at most 9 digits, not 10 for field 'm'"),
    ({"xcl_name": "winograd_m4", "kernel_name": "direct"},
     "kernel_name must be of the engine of xcl_name 'winograd_m4', not 'direct'"),
])
def test_bad_names(names, message):
    with pytest.raises(FieldError) as caught:
        XCLProgramParameters(**names)
    assert str(caught.value) == message


@pytest.mark.parametrize(("layer", "message"), [
    ('xcl_name: "w.xclbin" xcl_param { xcl_name: "w.xclbin" }',
     "2:38: layer 'p': xcl_param: field 'xcl_name' must be given once"),
    ('bottom: "data" kernel_name: "winograd"', "2:7: layer 'p': XCLProgram must have 0 bottoms, not 1"),
    ('kernel_name: "Winograd"',
     f"2:38: layer 'p': xcl_param: kernel_name must name an engine, not 'Winograd'; {GRAMMAR}"),
])
def test_errors_have_a_place(layer, message):
    with pytest.raises(CortadoError) as caught:
        Net(parse_prototxt(f'{INPUT}layer {{ name: "p" type: "XCLProgram" {layer} }}', file="n.prototxt"))
    assert str(caught.value) == f"n.prototxt:{message}"
