"""Which Concats are joined by address, and why not the others."""

from __future__ import annotations

import pytest

from cortado.engines.winograd import Winograd
from cortado.frontends.prototxt import parse_prototxt
from cortado.gateware.configuration import WinogradConfiguration
from cortado.net.shape_inference import infer_shapes
from cortado.planner.partition import partition
from cortado.planner.plan import Cut, Target

ENGINE = Winograd(configuration=WinogradConfiguration(pc=2, pk=2))


def convolution(name: str, bottom: str, filters: int, kernel: int, words: str = "") -> str:
    return (f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}" {words} '
            f"convolution_param {{ num_output: {filters} kernel_size: {kernel} pad: {kernel // 2} }} }}\n")


def fire(*, squeeze: int = 4, first: int = 4, edge: int = 16, axis: int = 1, concat: str = "", a: str = "",
         last: str = "", more: str = "") -> str:
    """A 1 x 1 convolution, a 1 x 1 and a 3 x 3 one behind it, their Concat, a 1 x 1 one behind that."""
    return (f'name: "fire" input: "data" input_shape {{ dim: 1 dim: 2 dim: {edge} dim: {edge} }}\n'
            + convolution("squeeze", "data", squeeze, 1) + convolution("a", "squeeze", first, 1, a)
            + convolution("b", "squeeze", 6 if axis == 1 else first, 3)
            + f'layer {{ name: "ab" type: "Concat" bottom: "a" bottom: "b" top: "ab" {concat} '
              f"concat_param {{ axis: {axis} }} }}\n" + convolution("last", "ab", 3, 1, last) + more)


def cut_of(text: str, engine: Winograd = ENGINE, batch: int = 1, **options: object) -> Cut:
    net = parse_prototxt(text)
    return partition(net, infer_shapes(net, batch=batch), engine, **options)


def test_a_fire_module_is_joined():
    cut = cut_of(fire())
    place = cut.placement("ab")
    assert (place.target, place.reason) == (Target.MEMORY, "its bottoms are written side by side")
    join = cut.joins["ab"]
    assert (join.concat, dict(join.first_blocks), join.channels) == ("ab", {"a": 0, "b": 2}, 10)
    assert (cut.join_of("b"), cut.join_of("squeeze")) == (join, None)
    assert cut.fpga_layers == ("squeeze", "a", "b", "last")
    assert "ab" not in cut.fpga_layers


@pytest.mark.parametrize(("text", "reason"), [
    (fire(first=3), "'b' would begin at channel 3, which is no multiple of pk = 2"),
    (fire(axis=0), "it joins along axis 0; maps lie side by side along the channels alone"),
    (fire(a="ocl_enable: false"), "'a' is not written by a convolution on the FPGA"),
    (fire(more='layer { name: "again" type: "Concat" bottom: "a" bottom: "squeeze" top: "again" }'
               + convolution("end", "again", 2, 1)), None),
])
def test_why_not(text: str, reason: str | None):
    cut = cut_of(text)
    if reason is None:
        assert cut.placement("ab").target is Target.MEMORY
        assert cut.placement("again").reason == (
            "Concat runs on the host: 'a' lies in another place of a Concat already")
        return
    place = cut.placement("ab")
    assert (place.target, place.reason) == (Target.HOST, f"Concat runs on the host: {reason}")
    assert not cut.joins


@pytest.mark.parametrize("options", [{"host": ("ab",)}, {"host": ("last",)}, {"host": ("a", "b")}])
def test_host_layers_around_it_keep_it_there(options: dict):
    cut = cut_of(fire(), **options)
    assert cut.placement("ab").target is Target.HOST


def test_its_file_keeps_it_there():
    assert cut_of(fire(concat="ocl_enable: false")).placement("ab").target is Target.HOST


def test_only_an_engine_for_all():
    """The circuit of another engine ends what is in memory."""
    other = Winograd(configuration=WinogradConfiguration(m=2, pc=2, pk=4))
    cut = cut_of(fire(squeeze=64, first=64, edge=8), other_engines=(other,))
    engines = {cut.engine_of(name) for name in cut.fpga_layers}
    assert len(engines) == 2
    assert cut.placement("ab").target is Target.HOST


def test_maps_stay_where_that_is_worth_more_than_it_costs():
    """Rows of 14 pixels leave a gap of two in beats of 16 bytes with 4 lanes, which a 1 x 1 kernel multiplies too."""
    engine = Winograd(configuration=WinogradConfiguration(largest_taps=36864))
    text = fire(squeeze=8, first=64, edge=14)
    joined = cut_of(text, engine)
    assert str(joined.placement("last").mapping.arrangement) == "rows"
    assert str(joined.placement("a").mapping.arrangement) == "rows"
    assert str(cut_of(text, engine, host=("ab",)).placement("last").mapping.arrangement) == "flat"
    # Over so many channels the gaps cost more than a copy of what comes of them.
    wide = cut_of(fire(squeeze=4096, first=64, edge=14), engine, host=("squeeze",))
    assert str(wide.placement("a").mapping.arrangement) == "flat"
    place = wide.placement("ab")
    assert place.target is Target.HOST
    assert "cycles more, and spare copies of" in place.reason
