"""The known benches take the layers their bars are about."""

from __future__ import annotations

import pytest

from cortado.bench.preset import presets


def layers_in(name: str) -> list[tuple[str, int, str]]:
    return [(layer.network, layer.geometry.batch, layer.name)
            for run in presets[name].runs for workload in run.workloads for layer in workload.layers()]


@pytest.mark.parametrize("name", presets)
def test_every_workload_has_layers(name):
    for run in presets[name].runs:
        assert all(workload.layers() for workload in run.workloads)


def test_vgg_without_the_layers_of_three_channels():
    layers = layers_in("vgg-3x3")
    assert [network for network, *_ in layers] == ["vgg_a"] * 7 + ["vgg16"] * 12
    assert "conv1_1" not in [name for *_, name in layers]


def test_layers_by_their_maps():
    assert layers_in("alexnet-batch4") == [("alexnet", 4, f"conv{number}") for number in (3, 4, 5)]
    assert layers_in("googlenet-7x7") == [("googlenet", 8, f"inception_{name}/3x3") for name in ("5a", "5b")]


def test_the_paper_has_four_networks_of_at_most_eight_images():
    layers = layers_in("paper")
    assert list(dict.fromkeys(network for network, *_ in layers)) == ["alexnet", "googlenet", "vgg_a", "overfeat"]
    assert max(batch for _, batch, _ in layers) <= 8


def test_the_rivals_layer():
    for run in presets["rival"].runs:
        layers = [layer for workload in run.workloads for layer in workload.layers()]
        assert [(layer.words, layer.geometry.batch) for layer in layers] == [
            ("256x13x13 -> 384, 3x3", 1), ("256x13x13 -> 384, 3x3", 4)]


def test_pointwise_layers_are_deep_and_on_three_sizes_of_map():
    for run in presets["pointwise"].runs:
        layers = [layer for workload in run.workloads for layer in workload.layers()]
        assert {layer.kind for layer in layers} == {"1x1"}
        assert all(layer.geometry.channels >= 64 and layer.geometry.filters >= 128 for layer in layers)
        assert {7, 14, 28} <= {min(layer.geometry.out_size) for layer in layers}
