"""Python: a layer type a user writes in Python, over arrays or as a torch module.

`layer { type: "Python" python_param { module: "pyloss" layer: "EuclideanLossLayer" } ... }`
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import torch
from torch import Tensor

from cortado.errors import CortadoError, GraphError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers import caffe_shim
from cortado.layers.array_blob import ArrayBlob
from cortado.layers.layer import Layer, layer_types

PHASES = {"TRAIN": caffe_shim.TRAIN, "TEST": caffe_shim.TEST}


@dataclass(frozen=True, kw_only=True)
class PythonParameters:
    """Caffe's PythonParameter; `share_in_parallel` is about Caffe's threads and changes nothing here."""

    module: str
    layer: str
    param_str: str = ""
    share_in_parallel: bool = False


@dataclass
class _Prepared:
    """A user's layer after its setup and its first reshape."""

    layer: Any
    bottoms: list[ArrayBlob]
    tops: list[ArrayBlob]

    @property
    def top_shapes(self) -> tuple[TensorShape, ...]:
        return tuple(TensorShape(top.shape) for top in self.tops)

    @property
    def blob_shapes(self) -> tuple[TensorShape, ...]:
        return tuple(TensorShape(blob.shape) for blob in self.layer.blobs)


# Setup may take long and must happen once for each layer: the shape rule prepares, and the layer that is made next of
# the same spec takes it over. While that one lives the shape rule asks it.
_Key = tuple[LayerSpec, str | None, tuple[TensorShape, ...]]
_waiting: dict[_Key, _Prepared] = {}
_living: WeakValueDictionary[_Key, Python] = WeakValueDictionary()


@layer_types.register("Python")
class Python(Layer):
    """Bottoms to tops by the class `layer` of the file `module`, which derives from `caffe.Layer`.

    Its `setup`, `reshape`, `forward` and `backward` work on blobs with `data` and `diff`, as in pycaffe, and `import
    caffe` works in its file. The module is looked for in the working folder, the folder of the network's file and where
    Python looks. Source: Caffe's `python_layer.hpp`.
    """

    parameters_type = PythonParameters
    parameters_field = "python_param"
    bottom_counts = range(1025)
    top_counts = range(1025)

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        key = (spec, spec.phase, bottoms)
        prepared = _waiting.pop(key, None) or _prepare(spec, bottoms)
        # Until this layer lives the shape rule finds its preparation here.
        _waiting[key] = prepared
        super().__init__(spec, bottoms)
        self._prepared = _waiting.pop(key)
        # What setup filled them with; a network's weights go over it.
        self.initial = tuple(blob.data.copy() for blob in prepared.layer.blobs)
        _living[key] = self

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        shapes = _known(spec, bottoms).top_shapes
        if len(shapes) != len(spec.tops):
            raise spec.error(f"there must be {len(spec.tops)} tops, not {len(shapes)}")
        return shapes

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return _known(spec, bottoms).blob_shapes

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return 0

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    @classmethod
    def seeded_blobs(cls, spec: LayerSpec, shapes: tuple[TensorShape, ...],
                     generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        """What its setup filled them with."""
        found = next((layer.initial for key, layer in _living.items() if key[0] == spec), None)
        return found or tuple(np.zeros(shape.dims, np.float32) for shape in shapes)

    @classmethod
    def filled_blobs(cls, spec: LayerSpec, shapes: tuple[TensorShape, ...],
                     generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        return cls.seeded_blobs(spec, shapes, generator)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return _Call.apply(self, len(bottoms), *bottoms, *self.blobs)

    def run(self, bottoms: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The tops' values, by the user's forward."""
        prepared = self._prepared
        self._bind_blobs()
        for blob, value in zip(prepared.bottoms, bottoms, strict=True):
            blob.data = value.detach().numpy().copy()
            blob.diff = np.zeros_like(blob.data)
        dtype = prepared.bottoms[0].data.dtype if bottoms and bottoms[0].is_floating_point() else np.float32
        for index, top in enumerate(prepared.tops):
            in_place = self.spec.bottoms[index:index + 1] == (self.spec.tops[index],)
            top.data = prepared.bottoms[index].data.copy() if in_place else top.data.astype(dtype)
            top.diff = top.diff.astype(dtype)
        prepared.layer.phase = PHASES[self.spec.phase or ("TRAIN" if self.training else "TEST")]
        with _calling(self.spec, "reshape"):
            prepared.layer.reshape(prepared.bottoms, prepared.tops)
        with _calling(self.spec, "forward"):
            prepared.layer.forward(prepared.bottoms, prepared.tops)
        return tuple(torch.from_numpy(top.data.copy()) for top in prepared.tops)

    def run_backward(self, gradients: tuple[Tensor, ...], propagate_down: list[bool]) -> list[Tensor]:
        """Gradients of bottoms and trained blobs, by the user's backward, from those of the tops."""
        prepared = self._prepared
        self._bind_blobs()
        for top, gradient in zip(prepared.tops, gradients, strict=True):
            top.diff = gradient.numpy().copy()
        for blob in (*prepared.bottoms, *prepared.layer.blobs):
            blob.diff = np.zeros_like(blob.data)
        with _calling(self.spec, "backward"):
            prepared.layer.backward(prepared.tops, propagate_down, prepared.bottoms)
        return [torch.from_numpy(blob.diff.copy()) for blob in (*prepared.bottoms, *prepared.layer.blobs)]

    def _bind_blobs(self) -> None:
        for blob, value in zip(self._prepared.layer.blobs, self.blobs, strict=True):
            blob.data = value.detach().numpy()


class _Call(torch.autograd.Function):
    """The user's forward and backward, to autograd."""

    @staticmethod
    def forward(ctx: Any, layer: Python, count: int, *values: Tensor) -> tuple[Tensor, ...]:
        ctx.layer, ctx.count = layer, count
        return layer.run(values[:count])

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        needed = ctx.needs_input_grad[2:]
        results = ctx.layer.run_backward(gradients, list(needed[:ctx.count]))
        return (None, None, *(result if need else None for result, need in zip(results, needed, strict=True)))


def _known(spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> _Prepared:
    key = (spec, spec.phase, bottoms)
    living = _living.get(key)
    if living is not None:
        return living._prepared
    if key not in _waiting:
        # What nobody took over must not pile up.
        _waiting.clear()
        _waiting[key] = _prepare(spec, bottoms)
    return _waiting[key]


def _prepare(spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> _Prepared:
    layer = _class_of(spec)()
    layer.param_str = spec.parameters.param_str
    layer.phase = PHASES[spec.phase or "TEST"]
    prepared = _Prepared(layer, [ArrayBlob(shape.dims) for shape in bottoms], [ArrayBlob() for _ in spec.tops])
    for name in ("setup", "reshape"):
        with _calling(spec, name):
            getattr(layer, name)(prepared.bottoms, prepared.tops)
    try:
        _ = prepared.top_shapes, prepared.blob_shapes
    except GraphError as error:
        raise spec.error(str(error)) from None
    return prepared


def _class_of(spec: LayerSpec) -> type:
    parameters = spec.parameters
    with _calling(spec, "import"):
        module = _module(parameters.module, Path(spec.position.file).parent if spec.position else Path())
    found = getattr(module, parameters.layer, None)
    if not isinstance(found, type) or not issubclass(found, caffe_shim.Layer):
        raise spec.error(f"module '{parameters.module}' ({module.__file__}) must have a class '{parameters.layer}' "
                         "that derives from caffe.Layer")
    return found


def _module(name: str, folder: Path) -> ModuleType:
    """The module, from the working folder, the network's, or where Python looks."""
    folders = [str(Path.cwd()), str(folder.resolve())]
    spec = importlib.machinery.PathFinder.find_spec(name, folders) if "." not in name else None
    loaded = sys.modules.get(name)
    if spec is not None and (loaded is None or getattr(loaded, "__file__", None) != spec.origin):
        sys.modules.pop(name, None)
    sys.path[:0] = folders
    try:
        return importlib.import_module(name)
    finally:
        for entry in folders:
            sys.path.remove(entry)


@contextmanager
def _calling(spec: LayerSpec, what: str) -> Iterator[None]:
    """With `caffe` importable; what goes wrong in the user's code becomes a `LayerError` with its place."""
    try:
        with caffe_shim.caffe_importable():
            yield
    except CortadoError:
        raise
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        parameters = spec.parameters
        raise spec.error(f"{what} of {parameters.layer} in module '{parameters.module}' must not fail with "
                         f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})") from error
