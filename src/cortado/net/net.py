"""The runnable network in float: the `reference` rung of the ladder, and what trains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor, nn

from cortado.errors import GraphError, WeightsError
from cortado.graph.check import check
from cortado.graph.shape import TensorShape
from cortado.graph.spec import BlobSettings, LayerSpec, NetSpec, Weights
from cortado.layers.layer import Layer, is_input, layer_types
from cortado.net.shape_inference import infer_shapes, unfused
from cortado.net.weights import filled_weights, match_layer, match_weights, seeded_weights


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


@dataclass(frozen=True, kw_only=True)
class TrainedBlob:
    """A trained blob once, however many layers share it; `layer` is the first of them, `index` its place there.

    The learning rate and the weight decay of the solver are multiplied by `lr_mult` and `decay_mult` for it.
    """

    layer: str
    index: int
    value: nn.Parameter
    lr_mult: float
    decay_mult: float


class Net(nn.Module):
    """A network that computes: a module of modules, so autograd, optimisers and `state_dict` work unchanged.

    `weights` are matched by layer name; without them a `seed` draws He-normal ones, or with `fillers` those that the
    file asks for. `batch` replaces the outermost dimension of every input shape; `forward` takes any batch. A network
    of phase TEST starts in evaluation mode. A blob whose `lr_mult` is 0 takes no gradient, as in Caffe. `dtype` is that
    of trained blobs, and what data layers give as numbers with a fraction is turned into.
    Raises `GraphError` where layers do not fit and `WeightsError` where weights do not.
    """

    def __init__(self, spec: NetSpec, weights: Weights | None = None, *, batch: int | None = None,
                 seed: int | None = None, fillers: bool = False, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        check(spec)
        self.spec = spec
        self.shapes = infer_shapes(spec, batch=batch)
        self.stages = nn.ModuleList(
            Stage(layer, tuple(self.shapes[bottom] for bottom in layer.bottoms)) for layer in spec.layers
        )
        self.dtype = dtype
        self.to(dtype)
        self.trained_blobs = self._share_blobs()
        self._fill(weights, seed, fillers)
        self.train(spec.phase == "TRAIN")

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the blobs the caller fills."""
        return tuple(top for layer in self.spec.layers if is_input(layer) for top in layer.tops)

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

    def forward(self, inputs: Mapping[str, Tensor] = MappingProxyType({})) -> dict[str, Tensor]:
        """The last value of every blob, by name, from the values of the inputs."""
        values = self._checked_inputs(inputs)
        for stage in self.stages:
            if not is_input(stage.spec):
                tops = stage(*self._bottoms(stage.spec, values))
                if not stage.spec.bottoms:
                    tops = tuple(top.to(self.dtype) if top.is_floating_point() else top for top in tops)
                values.update(zip(stage.spec.tops, tops, strict=True))
        return values

    def loss(self, values: Mapping[str, Tensor]) -> Tensor:
        """The sum of all tops that have a loss weight, each times its weight, over the values `forward` gave."""
        terms = [weight * values[top].sum() for top, weight in self.loss_weights.items()]
        if not terms:
            raise GraphError(f"network '{self.spec.name}': at least one top must have a loss weight, none has one in "
                             f"phase {self.spec.phase}")
        return torch.stack(terms).sum()

    @property
    def loss_weights(self) -> dict[str, float]:
        """The weight in the loss of each top that has one other than 0."""
        weights: dict[str, float] = {}
        for stage in self.stages:
            # A type may have weights for more tops than this layer has.
            for top, weight in zip(stage.spec.tops, stage.spec.loss_weights or stage.layer.default_loss_weights,
                                   strict=False):
                if weight:
                    weights[top] = weight
        return weights

    def copy_from(self, weights: Weights) -> tuple[str, ...]:
        """Take the trained blobs of the layers that `weights` names, and say which layers those were.

        Other layers keep theirs, and what the network has no layer for is left aside, as Caffe does when a network is
        trained further. Raises `WeightsError` for blobs that do not fit.
        """
        found = []
        with torch.no_grad():
            for stage in self.stages:
                name, blobs = stage.spec.name, stage.layer.blobs
                if len(blobs) and weights.get(name):
                    dtype = np.float64 if blobs[0].dtype == torch.float64 else np.float32
                    values = match_layer(name, tuple(TensorShape(tuple(blob.shape)) for blob in blobs), weights,
                                         dtype=dtype)
                    for blob, value in zip(blobs, values, strict=True):
                        blob.copy_(torch.from_numpy(value))
                    found.append(name)
        return tuple(found)

    def share_blobs_of(self, other: Net) -> None:
        """Have the trained blobs of `other` in the layers of the same name; `WeightsError` where shapes differ.

        A layer that shares a blob with one of these by the blob's name goes on sharing it.
        """
        theirs = {stage.spec.name: stage.layer for stage in other.stages}
        taken: dict[nn.Parameter, nn.Parameter] = {}
        for stage in self.stages:
            blobs = theirs[stage.spec.name].blobs if stage.spec.name in theirs else ()
            if not len(blobs) or not len(stage.layer.blobs):
                continue
            if [blob.shape for blob in blobs] != [blob.shape for blob in stage.layer.blobs]:
                raise WeightsError(f"layer '{stage.spec.name}': its trained blobs must have the same shapes in both "
                                   f"networks that share them, '{other.spec.name}' and '{self.spec.name}'")
            taken.update(zip(stage.layer.blobs, blobs, strict=True))
        for stage in self.stages:
            for index, blob in enumerate(stage.layer.blobs):
                stage.layer.blobs[index] = taken.get(blob, blob)

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

    def _share_blobs(self) -> tuple[TrainedBlob, ...]:
        """Every trained blob once: those to which the file gives one name become one parameter.

        Source: Caffe's `net.cpp`, Net::AppendParam.
        """
        trained: list[TrainedBlob] = []
        shared: dict[str, int] = {}
        for stage in self.stages:
            settings = stage.spec.blob_settings
            if len(settings) > len(stage.layer.blobs):
                raise stage.spec.error(f"settings must be for at most its {len(stage.layer.blobs)} trained blobs, "
                                       f"not for {len(settings)}")
            for index, blob in enumerate(stage.layer.blobs):
                setting = settings[index] if index < len(settings) else BlobSettings()
                if setting.name in shared:
                    place = shared[setting.name]
                    trained[place] = _shared(trained[place], stage.spec, index, blob, setting)
                    stage.layer.blobs[index] = trained[place].value
                    continue
                if setting.name:
                    shared[setting.name] = len(trained)
                trained.append(TrainedBlob(layer=stage.spec.name, index=index, value=blob, lr_mult=setting.lr_mult,
                                           decay_mult=setting.decay_mult))
        for blob in trained:
            if blob.lr_mult == 0:
                blob.value.requires_grad_(False)
        return tuple(trained)

    def _fill(self, weights: Weights | None, seed: int | None, fillers: bool) -> None:
        if weights is not None:
            matched = match_weights(self.spec, weights)
        elif seed is not None and fillers:
            matched = filled_weights(self.spec, seed)
        elif seed is not None:
            matched = seeded_weights(self.spec, seed)
        elif any(len(stage.layer.blobs) for stage in self.stages):
            raise WeightsError(f"network '{self.spec.name}' has trained layers: weights or a seed must be given")
        else:
            return
        # As in Caffe, of several layers that share a blob the last one's given values hold, but the first one's filler.
        stages = reversed(self.stages) if fillers and weights is None else self.stages
        with torch.no_grad():
            for stage in stages:
                for blob, value in zip(stage.layer.blobs, matched.get(stage.spec.name, ()), strict=True):
                    blob.copy_(torch.from_numpy(value))


def _shared(first: TrainedBlob, spec: LayerSpec, index: int, blob: Tensor, setting: BlobSettings) -> TrainedBlob:
    """The blob that another layer shares, with what both files say of it; `LayerError` where they disagree."""
    if first.value.shape != blob.shape:
        raise spec.error(f"blob {index} is shared as '{setting.name}' and must have the shape {_shape(first.value)} it "
                         f"has in layer '{first.layer}', not {_shape(blob)}")
    factors = {}
    for name in ("lr_mult", "decay_mult"):
        ours, theirs = getattr(setting, name), getattr(first, name)
        # 1 is also what a file that says nothing has: the other one counts.
        if ours != theirs and 1 not in (ours, theirs):
            raise spec.error(f"blob {index} is shared as '{setting.name}' and must have the {name} {theirs:g} it has "
                             f"in layer '{first.layer}', not {ours:g}")
        factors[name] = theirs if ours == 1 else ours
    return replace(first, **factors)


def _names(blobs: Mapping[str, object] | tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in blobs) or "none"


def _shape(blob: Tensor) -> str:
    return "x".join(str(dim) for dim in blob.shape)
