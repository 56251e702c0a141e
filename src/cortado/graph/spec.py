"""The graph as frozen values: what Caffe calls NetParameter and LayerParameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cortado.errors import LayerError

# Trained blobs by layer name, each layer's in Caffe's order (weight, then bias), float32.
Weights = Mapping[str, tuple[np.ndarray, ...]]


@dataclass(frozen=True)
class Position:
    """Where in a model file something stands; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, kw_only=True)
class BlobSettings:
    """How training treats one trained blob of a layer (Caffe: ParamSpec); blobs of one `name` are one blob."""

    name: str = ""
    lr_mult: float = 1.0
    decay_mult: float = 1.0


@dataclass(frozen=True, kw_only=True)
class LayerSpec:
    """One layer: its type, its blobs and its type's own parameters.

    `bottoms` and `tops` keep Caffe's meaning; a top may repeat a bottom's name (in place).
    `parameters` is the frozen dataclass of the layer type. `fused` holds the layers a pass has folded into this one,
    in the order they apply to its top. `ocl_enable` is what the file asks with the field of that name (of the paper's
    fork of Caffe): FPGA, host, or None if it does not say. `loss_weights` (one per top), `propagate_down` (one per
    bottom) and `blob_settings` (one per trained blob) are empty for the layer type's own. `phase` is the network's,
    where it is known.
    """

    name: str
    type: str
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    parameters: object
    fused: tuple[LayerSpec, ...] = ()
    ocl_enable: bool | None = None
    loss_weights: tuple[float, ...] = ()
    propagate_down: tuple[bool, ...] = ()
    blob_settings: tuple[BlobSettings, ...] = ()
    phase: str | None = field(default=None, compare=False)
    position: Position | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"layer '{self.name}' ({self.type})"

    def error(self, message: str) -> LayerError:
        """An error about this layer, with its place in the model file."""
        return LayerError(self.name, message, position=self.position)


@dataclass(frozen=True, kw_only=True)
class NetSpec:
    """A network: layers in the order they run.

    `scale_groups` are sets of blob names that share one quantisation scale (made by a pass).
    """

    name: str
    phase: str  # "TRAIN" or "TEST"
    layers: tuple[LayerSpec, ...]
    scale_groups: tuple[frozenset[str], ...] = ()

    def layer(self, name: str) -> LayerSpec:
        """The layer of that name; `LookupError` names the known ones."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise LookupError(f"network '{self.name}' has no layer '{name}' (it has: "
                          f"{', '.join(layer.name for layer in self.layers)})")

    def with_parameters(self, layer: str, **fields: Any) -> NetSpec:
        """The network with other parameters in one layer; `LookupError` for an unknown one, and what they raise."""
        old = self.layer(layer)
        new = replace(old, parameters=replace(old.parameters, **fields))
        return replace(self, layers=tuple(new if entry is old else entry for entry in self.layers))

    def with_loss_weight(self, layer: str, weight: float) -> NetSpec:
        """The network with another weight in the loss for the one top of a layer; `LookupError` for an unknown one."""
        old = self.layer(layer)
        new = replace(old, loss_weights=(weight,))
        return replace(self, layers=tuple(new if entry is old else entry for entry in self.layers))
