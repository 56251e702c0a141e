"""How long a network takes on the host, forward and backward, and the same as plain torch modules, in turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cortado.errors import LayerError, MismatchError
from cortado.layers.layer import is_input
from cortado.net.net import Net
from cortado.net.plain import PlainNet

# Largest relative difference between two float32 networks that add up in different orders.
TOLERANCE = 1e-4


@dataclass(frozen=True, kw_only=True)
class PassTime:
    """Medians of one kind of pass, in seconds; `plain` is None where torch has no modules for the network."""

    cortado: float
    plain: float | None

    @property
    def ratio(self) -> float | None:
        """Ours over plain torch."""
        return None if self.plain is None else self.cortado / self.plain


@dataclass(frozen=True, kw_only=True)
class HostTime:
    """Medians of `repeats` passes each, in seconds, taken in turns on `threads` threads.

    `both` is a forward and a backward pass together. The layers' times are of ours, from passes of their own; a layer
    without a gradient has no backward time. `not_compared` says why there is no plain network, or None.
    """

    batch: int
    repeats: int
    threads: int
    forward: PassTime
    both: PassTime
    layer_forward: Mapping[str, float]
    layer_backward: Mapping[str, float]
    not_compared: str | None


def time_on_host(net: Net, *, repeats: int, seed: int) -> HostTime:
    """Time `repeats` passes of both networks, alternating, after one of each that does not count.

    The inputs are random, of the network's own shapes. Backward is from the loss, or from the sum of the outputs of a
    network without one. Raises `MismatchError` when the two do not compute the same.
    """
    generator = torch.Generator().manual_seed(seed)
    inputs = {name: torch.randn(net.shapes[name].dims, generator=generator) for name in net.inputs}
    networks: dict[str, nn.Module] = {"cortado": net}
    not_compared = None
    try:
        plain = PlainNet(net)
    except LayerError as error:
        not_compared = str(error)
    else:
        _check_equal(net, plain, inputs)
        networks["plain"] = plain
    forward = _in_turns(networks, repeats, lambda network: _forward(network, inputs))
    both = _in_turns(networks, repeats, lambda network: _forward_backward(net, network, inputs))
    layer_times = [_layer_times(net, inputs) for _ in range(repeats)]
    return HostTime(
        batch=next(iter(net.shapes.values())).dims[0], repeats=repeats, threads=torch.get_num_threads(),
        forward=forward, both=both, not_compared=not_compared,
        layer_forward=_medians([forwards for forwards, _ in layer_times]),
        layer_backward=_medians([backwards for _, backwards in layer_times]))


def _check_equal(net: Net, plain: PlainNet, inputs: Mapping[str, Tensor]) -> None:
    with torch.inference_mode():
        ours, theirs = net(inputs), plain(inputs)
    for name in net.outputs:
        difference = float((ours[name] - theirs[name]).abs().max())
        if difference > TOLERANCE * max(1.0, float(theirs[name].abs().max())):
            raise MismatchError(f"blob '{name}': cortado and plain torch must compute the same, they differ by "
                                f"{difference:.3g}")


def _in_turns(networks: Mapping[str, nn.Module], repeats: int, run: Callable[[nn.Module], None]) -> PassTime:
    times: dict[str, list[float]] = {name: [] for name in networks}
    for repeat in range(repeats + 1):
        for name, network in networks.items():
            begin = time.perf_counter()
            run(network)
            if repeat:
                times[name].append(time.perf_counter() - begin)
    return PassTime(cortado=_median(times["cortado"]), plain=_median(times["plain"]) if "plain" in times else None)


@torch.inference_mode()
def _forward(network: nn.Module, inputs: Mapping[str, Tensor]) -> None:
    network(inputs)


def _forward_backward(net: Net, network: nn.Module, inputs: Mapping[str, Tensor]) -> None:
    values = network(inputs)
    loss = net.loss(values) if net.loss_weights else torch.stack([values[name].sum() for name in net.outputs]).sum()
    network.zero_grad()
    if loss.requires_grad:
        loss.backward()


def _layer_times(net: Net, inputs: Mapping[str, Tensor]) -> tuple[dict[str, float], dict[str, float]]:
    values, forwards, backwards = dict(inputs), {}, {}
    for stage in net.stages:
        if is_input(stage.spec):
            continue
        bottoms = [values[name].detach().requires_grad_(values[name].is_floating_point())
                   for name in stage.spec.bottoms]
        begin = time.perf_counter()
        tops = stage(*bottoms)
        forwards[stage.spec.name] = time.perf_counter() - begin
        sources = [value for value in (*bottoms, *stage.layer.blobs) if value.requires_grad]
        ends = [top for top in tops if top.requires_grad]
        if sources and ends:
            gradients = [torch.ones_like(top) for top in ends]
            begin = time.perf_counter()
            torch.autograd.grad(ends, sources, gradients, allow_unused=True)
            backwards[stage.spec.name] = time.perf_counter() - begin
        values.update(zip(stage.spec.tops, tops, strict=True))
    return forwards, backwards


def _medians(times: list[dict[str, float]]) -> dict[str, float]:
    return {name: _median([each[name] for each in times]) for name in times[0]}


def _median(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) // 2]
