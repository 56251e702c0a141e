"""The same network as plain torch modules: the yardstick `cortado time` holds ours against."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from cortado.errors import LayerError
from cortado.graph.spec import LayerSpec
from cortado.layers.pooling import PoolMethod, RoundMode
from cortado.net.net import Net, Stage
from cortado.net.shape_inference import unfused


class PlainNet(nn.Module):
    """The layers of a `Net` as the modules torch ships, with the same weights, called one after the other.

    Raises `LayerError` for a layer type torch has no module for.
    """

    def __init__(self, net: Net) -> None:
        super().__init__()
        self._steps: list[tuple[LayerSpec, int]] = []
        self.parts = nn.ModuleList()
        for stage in net.stages:
            for spec in unfused(stage.spec):
                if spec.type == "Input":
                    continue
                first = spec.name == stage.spec.name
                step = stage.spec if first else None
                self._steps.append((
                    LayerSpec(name=spec.name, type=spec.type, parameters=spec.parameters,
                              bottoms=step.bottoms if step else stage.spec.tops, tops=stage.spec.tops),
                    len(self.parts)))
                self.parts.append(_module(spec, stage))
        self.eval()

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The last value of every blob."""
        values = dict(inputs)
        for spec, index in self._steps:
            values[spec.tops[0]] = self.parts[index](*(values[name] for name in spec.bottoms))
        return values


class _Concat(nn.Module):
    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, *bottoms: Tensor) -> Tensor:
        return torch.cat(bottoms, self.axis)


def _convolution(spec: LayerSpec, stage: Stage) -> nn.Module:
    parameters, weight = spec.parameters, stage.layer.blobs[0]
    module = nn.Conv2d(weight.shape[1] * parameters.group, weight.shape[0], parameters.kernel, parameters.strides,
                       parameters.pads, parameters.dilations, parameters.group, parameters.bias_term)
    return _filled(module, stage)


def _inner_product(spec: LayerSpec, stage: Stage) -> nn.Module:
    outputs, inputs = stage.layer.blobs[0].shape
    return nn.Sequential(nn.Flatten(), _filled(nn.Linear(inputs, outputs, len(stage.layer.blobs) > 1), stage))


def _pooling(spec: LayerSpec, stage: Stage) -> nn.Module:
    parameters = spec.parameters
    if parameters.pool is PoolMethod.STOCHASTIC or len(stage.spec.tops) > 1:
        raise LayerError(spec.name, "a Pooling that is stochastic or has two tops has no plain torch module to be "
                                    "timed against")
    if parameters.global_pooling:
        return nn.AdaptiveAvgPool2d(1) if parameters.pool is PoolMethod.AVE else nn.AdaptiveMaxPool2d(1)
    module = nn.AvgPool2d if parameters.pool is PoolMethod.AVE else nn.MaxPool2d
    return module(parameters.kernel_or_bottom((1, 1)), parameters.strides, parameters.pads,
                  ceil_mode=parameters.round_mode is RoundMode.CEIL)


_MODULES: dict[str, Callable[[LayerSpec, Stage], nn.Module]] = {
    "Concat": lambda spec, stage: _Concat(spec.parameters.along),
    "Convolution": _convolution,
    "Dropout": lambda spec, stage: nn.Dropout(),
    "Flatten": lambda spec, stage: nn.Flatten(spec.parameters.axis, spec.parameters.end_axis),
    "InnerProduct": _inner_product,
    "LRN": lambda spec, stage: nn.LocalResponseNorm(spec.parameters.local_size, spec.parameters.alpha,
                                                    spec.parameters.beta, spec.parameters.k),
    "Pooling": _pooling,
    "ReLU": lambda spec, stage: nn.ReLU(),
    "Softmax": lambda spec, stage: nn.Softmax(dim=1),
}


def _module(spec: LayerSpec, stage: Stage) -> nn.Module:
    if spec.type not in _MODULES:
        raise LayerError(spec.name, f"{spec.type} has no plain torch module to be timed against (there are modules for "
                                    f"{', '.join(_MODULES)})")
    return _MODULES[spec.type](spec, stage)


def _filled(module: nn.Module, stage: Stage) -> nn.Module:
    """The module with the layer's trained values."""
    with torch.no_grad():
        for own, blob in zip(module.parameters(), stage.layer.blobs, strict=True):
            own.copy_(blob)
    return module
