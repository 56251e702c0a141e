"""The runnable network in float: the `reference` rung of the ladder, and what trains."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from cortado.errors import GraphError, WeightsError
from cortado.graph.check import check
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec, NetSpec, Weights
from cortado.layers.layer import Layer, layer_types
from cortado.net.shape_inference import infer_shapes, unfused
from cortado.net.weights import match_weights, seeded_weights


class Stage(nn.Module):
    """One layer of the network with the layers fused into it."""

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        super().__init__()
        self.spec = spec
        self.layers = nn.ModuleList()
        for step in unfused(spec):
            layer_type = layer_types[step.type]
            self.layers.append(layer_type(step, bottoms))
            bottoms = layer_type.shapes(step, bottoms)

    @property
    def layer(self) -> Layer:
        """The layer itself, without what is fused into it."""
        return self.layers[0]

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        for layer in self.layers:
            bottoms = layer(*bottoms)
        return bottoms


class Net(nn.Module):
    """A network that computes: a module of modules, so autograd, optimisers and `state_dict` work unchanged.

    `weights` are matched by layer name; without them a `seed` draws He-normal ones. `batch` replaces the outermost
    dimension of every input shape; `forward` takes any batch. A network of phase TEST starts in evaluation mode.
    Raises `GraphError` where layers do not fit and `WeightsError` where weights do not.
    """

    def __init__(self, spec: NetSpec, weights: Weights | None = None, *, batch: int | None = None,
                 seed: int | None = None) -> None:
        super().__init__()
        check(spec)
        self.spec = spec
        self.shapes = infer_shapes(spec, batch=batch)
        self.stages = nn.ModuleList(
            Stage(layer, tuple(self.shapes[bottom] for bottom in layer.bottoms)) for layer in spec.layers
        )
        self._share_blobs()
        self._fill(weights, seed)
        self.train(spec.phase == "TRAIN")

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the blobs the caller fills."""
        return tuple(top for layer in self.spec.layers if not layer.bottoms for top in layer.tops)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the blobs whose last value no layer reads, in the order they are made."""
        unread: dict[str, None] = {}
        for layer in self.spec.layers:
            for bottom in layer.bottoms:
                unread.pop(bottom, None)
            unread.update(dict.fromkeys(layer.tops))
        return tuple(unread)

    def stage(self, name: str) -> Stage:
        """The runnable layer of that name, with what is fused into it; `LookupError` names the known ones."""
        return self.stages[self.spec.layers.index(self.spec.layer(name))]

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The last value of every blob, by name, from the values of the inputs."""
        values = self._checked_inputs(inputs)
        for stage in self.stages:
            if stage.spec.bottoms:
                values.update(zip(stage.spec.tops, stage(*self._bottoms(stage.spec, values)), strict=True))
        return values

    def loss(self, values: Mapping[str, Tensor]) -> Tensor:
        """The sum of all tops that have a loss weight, each times its weight, over the values `forward` gave."""
        terms = []
        for stage in self.stages:
            weights = stage.spec.loss_weights or stage.layer.default_loss_weights
            # A type may have weights for more tops than this layer has.
            for top, weight in zip(stage.spec.tops, weights, strict=False):
                if weight:
                    terms.append(weight * values[top].sum())
        if not terms:
            raise GraphError(f"network '{self.spec.name}': at least one top must have a loss weight, none has one in "
                             f"phase {self.spec.phase}")
        return torch.stack(terms).sum()

    def weights(self) -> dict[str, tuple[np.ndarray, ...]]:
        """Copies of the trained blobs by layer name."""
        return {stage.spec.name: tuple(blob.detach().cpu().numpy().copy() for blob in stage.layer.blobs)
                for stage in self.stages if len(stage.layer.blobs)}

    def _bottoms(self, layer: LayerSpec, values: dict[str, Tensor]) -> list[Tensor]:
        bottoms = [values[bottom] for bottom in layer.bottoms]
        if layer.propagate_down:
            bottoms = [bottom if propagate else bottom.detach()
                       for bottom, propagate in zip(bottoms, layer.propagate_down, strict=True)]
        return bottoms

    def _checked_inputs(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        if set(inputs) != set(self.inputs):
            raise GraphError(f"network '{self.spec.name}': inputs must be {_names(self.inputs)}, not {_names(inputs)}")
        for name, value in inputs.items():
            shape = self.shapes[name].dims
            if value.dim() != len(shape) or tuple(value.shape[1:]) != shape[1:] or not len(value):
                words = "x".join(("N", *(str(dim) for dim in shape[1:])))
                raise GraphError(f"network '{self.spec.name}': input '{name}' must have shape {words}, not "
                                 f"{'x'.join(str(dim) for dim in value.shape) or 'scalar'}")
        return dict(inputs)

    def _share_blobs(self) -> None:
        """Blobs to which the file gives one name become one parameter (Caffe's shared parameters)."""
        shared: dict[str, tuple[str, nn.Parameter]] = {}
        for stage in self.stages:
            settings = stage.spec.blob_settings
            if len(settings) > len(stage.layer.blobs):
                raise stage.spec.error(f"settings must be for at most its {len(stage.layer.blobs)} trained blobs, "
                                       f"not for {len(settings)}")
            for index, setting in enumerate(settings):
                if not setting.name:
                    continue
                owner, blob = shared.setdefault(setting.name, (stage.spec.name, stage.layer.blobs[index]))
                if blob.shape != stage.layer.blobs[index].shape:
                    raise stage.spec.error(
                        f"blob {index} is shared as '{setting.name}' and must have the shape {_shape(blob)} it has in "
                        f"layer '{owner}', not {_shape(stage.layer.blobs[index])}")
                stage.layer.blobs[index] = blob

    def _fill(self, weights: Weights | None, seed: int | None) -> None:
        if weights is not None:
            matched = match_weights(self.spec, weights)
        elif seed is not None:
            matched = seeded_weights(self.spec, seed)
        elif any(len(stage.layer.blobs) for stage in self.stages):
            raise WeightsError(f"network '{self.spec.name}' has trained layers: weights or a seed must be given")
        else:
            return
        with torch.no_grad():
            for stage in self.stages:
                for blob, value in zip(stage.layer.blobs, matched.get(stage.spec.name, ()), strict=True):
                    blob.copy_(torch.from_numpy(value))


def _names(blobs: Mapping[str, object] | tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in blobs) or "none"


def _shape(blob: Tensor) -> str:
    return "x".join(str(dim) for dim in blob.shape)
