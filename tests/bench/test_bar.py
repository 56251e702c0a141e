"""Bars: which layers they concern, and when they are met."""

from __future__ import annotations

import pytest

from cortado.bench.bar import FIGURES, Bar, Selection

ROOFLINE = "share of the roofline"


@pytest.mark.parametrize(("bound", "met"), [(0.49, True), (0.51, False)])
def test_a_network_is_judged_as_a_whole(measured, bound, met):
    (verdict,) = Bar(figure=ROOFLINE, bound=bound).judge(measured("alexnet", 0.5, kind="3x3"), 200)
    assert (verdict.met, verdict.network, verdict.layer, verdict.count) == (met, "alexnet", None, 1)
    assert verdict.measured == pytest.approx(0.5, abs=1e-4)
    assert (verdict.batch, verdict.beat_bits, verdict.multipliers) == (1, 128, 576)


def test_each_network_by_itself(measured):
    layers = measured("alexnet", 0.5, kind="3x3") + measured("vgg_a", 0.9)
    verdicts = Bar(figure=ROOFLINE, bound=0.6).judge(layers, 200)
    assert [(verdict.network, verdict.met) for verdict in verdicts] == [("alexnet", False), ("vgg_a", True)]


def test_each_batch_by_itself(measured):
    layers = measured("alexnet", 0.5, kind="3x3") + measured("alexnet", 0.9, kind="3x3", batch=4)
    verdicts = Bar(figure=ROOFLINE, bound=0.6).judge(layers, 200)
    assert [(verdict.batch, verdict.met) for verdict in verdicts] == [(1, False), (4, True)]


def test_each_layer_and_the_farthest_of_them(measured):
    layers = [*measured("alexnet", 0.9, patterns=("conv3",)), *measured("alexnet", 0.7, patterns=("conv4",)),
              *measured("alexnet", 0.8, patterns=("conv5",))]
    (verdict,) = Bar(figure=ROOFLINE, bound=0.75, each_layer=True).judge(layers, 200)
    assert (verdict.layer, verdict.met, verdict.met_count, verdict.count) == ("conv4", False, 2, 3)
    assert verdict.measured == pytest.approx(0.7, abs=1e-4)


def test_at_most(measured):
    # Two seconds a layer.
    layers = measured("alexnet", kind="3x3")
    assert Bar(figure="wall seconds", bound=6, at_most=True).judge(layers, 200)[0].met
    assert not Bar(figure="wall seconds", bound=5.9, at_most=True).judge(layers, 200)[0].met


def test_selections(measured):
    layers = measured("vgg_a")

    def taken(**fields: object) -> list[str]:
        return [layer.layer.name for layer in layers if Selection(**fields).takes(layer)]

    assert taken(least_channels=32)[0] == "conv2_1"
    assert taken(least_edge=28, largest_edge=28) == ["conv4_1", "conv4_2"]
    assert taken(least_filters=512, largest_edge=14) == ["conv5_1", "conv5_2"]
    assert taken(network="vgg16") == taken(kind="1x1") == []
    assert len(taken(kind="3x3")) == 8


def test_nothing_selected_is_no_verdict(measured):
    assert Bar(figure=ROOFLINE, bound=1, selection=Selection(kind="1x1")).judge(measured("vgg_a"), 200) == []


def test_every_figure_can_be_written(measured):
    layers = measured("alexnet", kind="3x3")
    for figure in FIGURES:
        (verdict,) = Bar(figure=figure, bound=1).judge(layers, 200)
        assert verdict.measured > 0
        assert verdict.bar.text(verdict.measured)
