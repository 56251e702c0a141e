"""Benches with a name: what to run on which engine, and the bars the results are held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cortado.bench.bar import Bar, Selection
from cortado.bench.layer import BenchLayer, layers_of
from cortado.registry import Registry

presets: Registry[Preset] = Registry("preset")


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Convolutions of one network at one batch."""

    network: str
    batch: int = 1
    kind: str = "all"
    patterns: tuple[str, ...] = ("*",)
    least_channels: int = 1
    least_filters: int = 1
    sizes: tuple[int, int] | None = None
    """Least and largest edge of the output."""

    def layers(self) -> list[BenchLayer]:
        """Those layers; errors as `layers_of`."""
        low, high = self.sizes or (1, 2**31)
        return [layer for layer in layers_of(self.network, batch=self.batch, kind=self.kind, patterns=self.patterns)
                if layer.geometry.channels >= self.least_channels and layer.geometry.filters >= self.least_filters
                and low <= min(layer.geometry.out_size) <= high]


@dataclass(frozen=True, kw_only=True)
class EngineRun:
    """Workloads on one engine; `fields` are those of its configuration that are not the default."""

    fields: Mapping[str, object] = field(default_factory=dict)
    workloads: tuple[Workload, ...]
    bars: tuple[Bar, ...] = ()
    times_generation: bool = False
    """Whether the Verilog is made anew and the time taken."""


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A bench with a name."""

    title: str
    runs: tuple[EngineRun, ...]


def _add(name: str, title: str, *runs: EngineRun) -> None:
    presets.register(name)(Preset(title=title, runs=runs))


_MACS, _ROOFLINE = "MACs per multiplier and cycle", "share of the roofline"
_VGG = ("vgg_a", "vgg16")
# OverFeat adds up 1024 channels of 3 x 3.
_LONG_SUMS = {"largest_taps": 9216}

_add("vgg-3x3", "3x3 layers of VGG-A and VGG-16", EngineRun(
    workloads=tuple(Workload(network=name, kind="3x3", least_channels=32) for name in _VGG),
    bars=(Bar(figure=_ROOFLINE, bound=0.92), Bar(figure=_ROOFLINE, bound=0.85, each_layer=True))))

_add("branches-3x3", "3x3 layers of GoogLeNet and OverFeat", EngineRun(
    fields=_LONG_SUMS,
    workloads=tuple(Workload(network=name, kind="3x3", least_channels=32) for name in ("googlenet", "overfeat")),
    bars=(Bar(figure=_ROOFLINE, bound=0.88),)))

_add("alexnet-batch4", "AlexNet's 3x3 layers on 13x13 maps, four images", EngineRun(
    workloads=(Workload(network="alexnet", batch=4, kind="3x3"),), bars=(Bar(figure=_MACS, bound=3.2),)))

_add("googlenet-7x7", "GoogLeNet's 3x3 layers on 7x7 maps, eight images", EngineRun(
    workloads=(Workload(network="googlenet", batch=8, kind="3x3", sizes=(7, 7)),),
    bars=(Bar(figure=_MACS, bound=2.8),)))

_add("pointwise", "1x1 layers of GoogLeNet, Network in Network and SqueezeNet, 64 channels in and 128 out at least",
     EngineRun(
         workloads=(*(Workload(network=name, kind="1x1", least_channels=64, least_filters=128, sizes=(13, 512))
                      for name in ("googlenet", "nin", "squeezenet")),
                    Workload(network="googlenet", batch=8, kind="1x1", least_channels=64, least_filters=128,
                             sizes=(7, 7))),
         bars=(Bar(figure=_MACS, bound=0.85, each_layer=True, selection=Selection(least_edge=27)),
               Bar(figure=_MACS, bound=0.70, each_layer=True, selection=Selection(least_edge=13, largest_edge=14)),
               Bar(figure=_MACS, bound=0.80, each_layer=True, selection=Selection(least_edge=7, largest_edge=7)))))

_add("m6", "F(6x6,3x3) on the 3x3 layers of VGG-A and VGG-16", EngineRun(
    fields={"m": 6},
    workloads=tuple(Workload(network=name, kind="3x3", least_channels=32) for name in _VGG),
    bars=(Bar(figure=_MACS, bound=4.0, each_layer=True, selection=Selection(least_edge=28, largest_edge=28)),
          Bar(figure=_MACS, bound=4.1, each_layer=True, selection=Selection(least_edge=56, largest_edge=56)),
          Bar(figure=_MACS, bound=4.5, each_layer=True, selection=Selection(least_edge=112, largest_edge=224)))))

_add("paper", "3x3 layers of the four networks of Caffeinated FPGAs (50 GFLOPS), 576 multipliers", EngineRun(
    fields=_LONG_SUMS,
    workloads=(Workload(network="alexnet", batch=8, kind="3x3"), Workload(network="googlenet", batch=8, kind="3x3"),
               Workload(network="vgg_a", kind="3x3"), Workload(network="overfeat", batch=8, kind="3x3")),
    bars=(Bar(figure="GOPS", bound=600),)))

_RIVAL = Bar(figure=_MACS, bound=0.986, origin="NNgen 1.3.4, direct, 144 multipliers, 128-bit port without stalls")
_RIVAL_LAYER = tuple(Workload(network="alexnet", patterns=("conv3",), batch=batch) for batch in (1, 4))
_add("rival", "the layer a rival was measured on, 13x13x256 -> 384", *(
    EngineRun(fields={"pc": lanes, "pk": lanes}, workloads=_RIVAL_LAYER, bars=(_RIVAL,), times_generation=True)
    for lanes in (2, 4)))

_add("networks", "every convolution of AlexNet, VGG-16 and GoogLeNet", EngineRun(
    workloads=tuple(Workload(network=name) for name in ("alexnet", "vgg16", "googlenet")),
    bars=(Bar(figure="simulated cycles per CPU second", bound=120_000),
          *(Bar(figure="wall seconds", bound=bound, at_most=True, selection=Selection(network=name))
            for name, bound in (("alexnet", 10), ("vgg16", 150), ("googlenet", 60))))))
