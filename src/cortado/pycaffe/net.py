"""pycaffe's Net: blobs as arrays one can read and write between layers, forward and backward in parts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cortado.errors import GraphError, WeightsError
from cortado.frontends.caffemodel import read_caffemodel, write_caffemodel
from cortado.frontends.file import write_whole
from cortado.frontends.hdf5_caffemodel import encode_hdf5_caffemodel
from cortado.frontends.prototxt import read_prototxt
from cortado.graph.spec import LayerSpec
from cortado.layers.array_blob import ArrayBlob
from cortado.layers.caffe_shim import TEST, TRAIN
from cortado.layers.input import BlobShape, InputParameters
from cortado.layers.layer import is_input
from cortado.layers.memory_data import MemoryData
from cortado.net.net import Net as TorchNet

PHASES = {TRAIN: "TRAIN", TEST: "TEST"}

# What fillers draw from is torch's generator, as set_random_seed leaves it.
_SEEDS = 2**62


class ParameterBlob:
    """A trained blob: `data` and `diff` are the memory of a torch parameter and of its gradient."""

    def __init__(self, value: nn.Parameter) -> None:
        self._value = value

    @property
    def data(self) -> np.ndarray:
        """The values, to be read and written in place."""
        return self._value.detach().numpy()

    @property
    def diff(self) -> np.ndarray:
        """The gradient, 0 before the first backward; backward adds to it."""
        if self._value.grad is None:
            self._value.grad = torch.zeros_like(self._value)
        return self._value.grad.numpy()

    @property
    def shape(self) -> tuple[int, ...]:
        """The dimensions."""
        return tuple(self._value.shape)

    @property
    def count(self) -> int:
        """Number of values."""
        return self._value.numel()


class NetLayer:
    """One layer of a Net: its type and its trained blobs."""

    def __init__(self, kind: str, blobs: list[ParameterBlob]) -> None:
        self.type, self.blobs = kind, blobs


class Net:
    """`Net(network_file, phase, level=0, stages=None, weights=None)`, or as older code has it
    `Net(network_file, weights_file, phase)`.

    `blobs` maps names to blobs with `data` and `diff`, arrays of float32; `params` maps layer names to lists of trained
    blobs. Without weights they are what the file's fillers draw. `module` is the torch module that computes; it shares
    the memory of the trained blobs. Raises what reading a network and building it raises.
    """

    def __init__(self, network_file: str | Path, *arguments: Any, phase: int | None = None, level: int = 0,
                 stages: list[str] | None = None, weights: str | Path | None = None) -> None:
        given = list(arguments)
        if given and not isinstance(given[0], int):
            weights = given.pop(0)
        if given:
            phase = given.pop(0)
        if given or phase not in PHASES:
            raise TypeError("Net takes a network file, a phase (caffe.TRAIN or caffe.TEST), and the weights as a "
                            "keyword or before the phase")
        spec = read_prototxt(network_file, phase=PHASES[phase], level=level or None, stages=tuple(stages or ()))
        self._adopt(TorchNet(spec, seed=int(torch.randint(_SEEDS, ())), fillers=True))
        if weights is not None:
            self.copy_from(weights)

    @classmethod
    def of(cls, module: TorchNet) -> Net:
        """The same view of a network that is there already; what its module computes is in `blobs` afterwards."""
        net = cls.__new__(cls)
        net._adopt(module)
        module.register_forward_hook(lambda module, inputs, values: net._take(values))
        return net

    def _adopt(self, module: TorchNet) -> None:
        self.module = module
        self.blobs: OrderedDict[str, ArrayBlob] = OrderedDict(
            (name, ArrayBlob(shape.dims)) for name, shape in module.shapes.items())
        # Of each layer that ran last forward, the bottoms autograd knows and the tops.
        self._passes: dict[int, tuple[list[Tensor], tuple[Tensor, ...]]] = {}

    @property
    def params(self) -> OrderedDict[str, list[ParameterBlob]]:
        """Trained blobs by layer name."""
        return OrderedDict((stage.spec.name, [ParameterBlob(blob) for blob in stage.layer.blobs])
                           for stage in self.module.stages if len(stage.layer.blobs))

    @property
    def layers(self) -> list[NetLayer]:
        """The layers in the order they run."""
        return [NetLayer(stage.spec.type, [ParameterBlob(blob) for blob in stage.layer.blobs])
                for stage in self.module.stages]

    @property
    def _layer_names(self) -> list[str]:
        return [layer.name for layer in self.module.spec.layers]

    @property
    def layer_dict(self) -> OrderedDict[str, NetLayer]:
        """The layers by name."""
        return OrderedDict(zip(self._layer_names, self.layers, strict=True))

    @property
    def bottom_names(self) -> OrderedDict[str, list[str]]:
        """Names of each layer's bottoms."""
        return OrderedDict((layer.name, list(layer.bottoms)) for layer in self.module.spec.layers)

    @property
    def top_names(self) -> OrderedDict[str, list[str]]:
        """Names of each layer's tops."""
        return OrderedDict((layer.name, list(layer.tops)) for layer in self.module.spec.layers)

    @property
    def inputs(self) -> list[str]:
        """Names of the blobs the caller fills."""
        return list(self.module.inputs)

    @property
    def outputs(self) -> list[str]:
        """Names of the blobs no layer reads."""
        return list(self.module.outputs)

    @property
    def blob_loss_weights(self) -> OrderedDict[str, float]:
        """The weight of each blob in the loss, most 0."""
        return OrderedDict((name, self.module.loss_weights.get(name, 0.0)) for name in self.blobs)

    def forward(self, blobs: list[str] | None = None, start: str | None = None, end: str | None = None,
                **inputs: np.ndarray) -> dict[str, np.ndarray]:
        """Run the layers from `start` to `end`, both included, on what the blobs hold; keywords fill inputs before.

        Gives the data of the outputs, or of the tops of `end`, and of `blobs`.
        """
        self._fill(inputs, self.inputs, "data")
        if any(self.blobs[name].shape != self.module.shapes[name].dims for name in self.inputs):
            self.reshape()
        first = self._layer_names.index(start) if start is not None else 0
        last = self._layer_names.index(end) if end is not None else len(self._layer_names) - 1
        for index in range(first, last + 1):
            self._forward_layer(index)
        names = self.top_names[end] if end is not None else self.outputs
        return {name: self.blobs[name].data for name in (*names, *(blobs or ()))}

    def backward(self, diffs: list[str] | None = None, start: str | None = None, end: str | None = None,
                 **outputs: np.ndarray) -> dict[str, np.ndarray]:
        """Run backward from `start` down to `end`, both included, from what the diffs of the tops hold; keywords fill
        those of outputs before. Diffs of trained blobs are added to.

        Gives the diff of the inputs, or of the bottoms of `end`, and of `diffs`. Every blob gets a diff, as in Caffe
        with force_backward.
        """
        self._fill(outputs, self.outputs, "diff")
        first = self._layer_names.index(start) if start is not None else len(self._layer_names) - 1
        last = self._layer_names.index(end) if end is not None else 0
        sums: dict[str, np.ndarray] = {}
        for index in range(first, last - 1, -1):
            self._backward_layer(index, sums)
        names = self.bottom_names[end] if end is not None else self.inputs
        return {name: self.blobs[name].diff for name in (*names, *(diffs or ()))}

    def forward_all(self, blobs: list[str] | None = None, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        """Run any number of pictures batch by batch, the last one filled up with zeros, which are left out again."""
        results: dict[str, list[np.ndarray]] = {}
        count = len(next(iter(inputs.values())))
        for batch in self._batches(inputs, count):
            for name, value in self.forward(blobs, **batch).items():
                results.setdefault(name, []).append(value.copy())
        return {name: np.concatenate(values)[:count] for name, values in results.items()}

    def reshape(self) -> None:
        """Take the shapes the inputs have now; trained blobs stay. Raises `GraphError` where layers do not fit."""
        spec = self.module.spec
        changed = tuple(self._with_shapes(layer) if is_input(layer) else layer for layer in spec.layers)
        new = TorchNet(replace(spec, layers=changed), seed=0)
        try:
            new.share_blobs_of(self.module)
        except WeightsError as error:
            raise GraphError(f"network '{spec.name}': its trained blobs must keep their shapes: {error}") from None
        new.load_state_dict(self.module.state_dict(), strict=False)
        new.train(self.module.training)
        self.module = new
        for name, shape in new.shapes.items():
            self.blobs[name].reshape(*shape.dims)
        self._passes.clear()

    def copy_from(self, weights: str | Path) -> None:
        """Take the trained blobs of a caffemodel, matched by layer name; layers it does not have keep theirs."""
        self.module.copy_from(read_caffemodel(weights))

    def save(self, path: str | Path) -> None:
        """Write a caffemodel."""
        types = {layer.name: layer.type for layer in self.module.spec.layers}
        write_caffemodel(path, self.module.spec.name,
                         {name: (types[name], blobs) for name, blobs in self.module.weights().items()})

    def save_hdf5(self, path: str | Path) -> None:
        """Write a .caffemodel.h5."""
        write_whole(path, encode_hdf5_caffemodel(self.module.weights()))

    def load_hdf5(self, path: str | Path) -> None:
        """As `copy_from`, of a .caffemodel.h5."""
        self.copy_from(path)

    def share_with(self, other: Net) -> None:
        """Have the trained blobs of another net in the layers of the same name."""
        self.module.share_blobs_of(other.module)

    def clear_param_diffs(self) -> None:
        """Set the gradients of all trained blobs to 0."""
        for blob in self.module.trained_blobs:
            blob.value.grad = None

    def set_input_arrays(self, data: np.ndarray, labels: np.ndarray) -> None:
        """Give the arrays a MemoryData layer reads."""
        layer = self.module.stages[0].layer
        if not isinstance(layer, MemoryData):
            raise GraphError(f"network '{self.module.spec.name}': its first layer must be of type MemoryData to be "
                             f"given arrays, not {self.module.spec.layers[0].type}")
        layer.set_arrays(data, labels)

    def _fill(self, values: Mapping[str, np.ndarray], names: list[str], kind: str) -> None:
        if not values:
            return
        if set(values) != set(names):
            raise GraphError(f"network '{self.module.spec.name}': arrays must be given for "
                             f"{', '.join(names) or 'nothing'}, not for {', '.join(values)}")
        for name, value in values.items():
            getattr(self.blobs[name], kind)[...] = value

    def _forward_layer(self, index: int) -> None:
        stage = self.module.stages[index]
        if is_input(stage.spec):
            return
        # Copies: a layer that works in place changes the blob that autograd still needs.
        bottoms = [torch.tensor(self.blobs[name].data, requires_grad=True) for name in stage.spec.bottoms]
        with torch.enable_grad():
            tops = stage(*bottoms)
        self._passes[index] = (bottoms, tops)
        self._take(dict(zip(stage.spec.tops, tops, strict=True)))

    def _take(self, values: Mapping[str, Tensor]) -> None:
        for name, value in values.items():
            blob = self.blobs[name]
            blob.reshape(*value.shape)
            blob.data[...] = value.detach().numpy()
            if name in self.module.loss_weights:
                blob.diff[...] = self.module.loss_weights[name]

    def _backward_layer(self, index: int, sums: dict[str, np.ndarray]) -> None:
        stage = self.module.stages[index]
        # A blob that several layers read has the sum of their gradients.
        given = [sums.pop(name, self.blobs[name].diff) for name in stage.spec.tops]
        if index not in self._passes:
            return
        bottoms, tops = self._passes[index]
        blobs = [blob for blob in stage.layer.blobs if blob.requires_grad]
        pairs = [(top, torch.tensor(diff)) for top, diff in zip(tops, given, strict=True) if top.requires_grad]
        if not pairs:
            return
        gradients = torch.autograd.grad([top for top, _ in pairs], [*bottoms, *blobs], [diff for _, diff in pairs],
                                        retain_graph=True, allow_unused=True)
        flags = stage.spec.propagate_down or (True,) * len(bottoms)
        for name, gradient, flag in zip(stage.spec.bottoms, gradients, flags, strict=False):
            if gradient is not None and flag:
                sums[name] = sums.get(name, 0) + gradient.numpy()
                self.blobs[name].diff[...] = sums[name]
        for blob, gradient in zip(blobs, gradients[len(bottoms):], strict=True):
            if gradient is not None:
                blob.grad = gradient if blob.grad is None else blob.grad.add_(gradient)

    def _with_shapes(self, layer: LayerSpec) -> LayerSpec:
        shapes = tuple(BlobShape(dim=self.blobs[top].shape) for top in layer.tops)
        return replace(layer, parameters=InputParameters(shape=shapes))

    def _batches(self, inputs: Mapping[str, np.ndarray], count: int) -> Iterator[dict[str, np.ndarray]]:
        size = self.blobs[self.inputs[0]].num
        for start in range(0, count, size):
            batch = {}
            for name, values in inputs.items():
                part = np.asarray(values[start:start + size], np.float32)
                padding = np.zeros((size - len(part), *part.shape[1:]), np.float32)
                batch[name] = np.concatenate((part, padding))
            yield batch
