"""How long the network takes on the host, and the same network as plain torch modules, in turns."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from cortado.errors import MismatchError
from cortado.net.net import Net
from cortado.net.plain import PlainNet

# Largest relative difference between two float32 networks that add up in different orders.
TOLERANCE = 1e-4


@dataclass(frozen=True, kw_only=True)
class HostTime:
    """Medians of `repeats` forward passes each, in seconds, taken in turns on `threads` threads."""

    batch: int
    repeats: int
    threads: int
    cortado_seconds: float
    plain_seconds: float
    layer_seconds: Mapping[str, float]
    """Of each layer of ours, from passes of their own."""

    @property
    def ratio(self) -> float:
        """Ours over plain torch."""
        return self.cortado_seconds / self.plain_seconds


def time_on_host(net: Net, *, repeats: int, seed: int) -> HostTime:
    """Time `repeats` forward passes of both networks, alternating, after one of each that does not count.

    The inputs are random, of the network's own shapes. Raises `MismatchError` when the two do not compute the same,
    `LayerError` for a layer torch has no module for.
    """
    generator = torch.Generator().manual_seed(seed)
    inputs = {name: torch.randn(net.shapes[name].dims, generator=generator) for name in net.inputs}
    plain = PlainNet(net)
    with torch.inference_mode():
        ours, theirs = net(inputs), plain(inputs)
        for name in net.outputs:
            difference = float((ours[name] - theirs[name]).abs().max())
            if difference > TOLERANCE * max(1.0, float(theirs[name].abs().max())):
                raise MismatchError(f"blob '{name}': cortado and plain torch must compute the same, they differ by "
                                    f"{difference:.3g}")
        times: dict[str, list[float]] = {"ours": [], "plain": []}
        for _ in range(repeats):
            for key, network in (("ours", net), ("plain", plain)):
                begin = time.perf_counter()
                network(inputs)
                times[key].append(time.perf_counter() - begin)
        layer_times = [_layer_times(net, inputs) for _ in range(repeats)]
    return HostTime(
        batch=len(next(iter(inputs.values()))), repeats=repeats, threads=torch.get_num_threads(),
        cortado_seconds=_median(times["ours"]), plain_seconds=_median(times["plain"]),
        layer_seconds={name: _median([times[name] for times in layer_times]) for name in layer_times[0]})


def _layer_times(net: Net, inputs: Mapping[str, Tensor]) -> dict[str, float]:
    values, seconds = dict(inputs), {}
    for stage in net.stages:
        if not stage.spec.bottoms:
            continue
        begin = time.perf_counter()
        tops = stage(*(values[name] for name in stage.spec.bottoms))
        seconds[stage.spec.name] = time.perf_counter() - begin
        values.update(zip(stage.spec.tops, tops, strict=True))
    return seconds


def _median(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) // 2]
