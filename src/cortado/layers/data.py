"""Data: labelled pictures from a data base, LMDB or LevelDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from cortado.errors import FieldError, ModelFileError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.data_source import DataSource
from cortado.layers.data_transform import Transformer, TransformParameters
from cortado.layers.layer import layer_types
from cortado.layers.picture_bytes import decode_picture
from cortado.layers.source_path import source_path
from cortado.messages.datum import parse_datum


class Backend(Enum):
    """Which data base."""

    LEVELDB = 0
    LMDB = 1


@dataclass(frozen=True, kw_only=True)
class DataParameters:
    """Caffe's DataParameter; what it once had of TransformationParameter belongs into transform_param.

    `prefetch` is about Caffe's threads and changes nothing here.
    """

    source: str
    batch_size: int
    rand_skip: int = 0
    backend: Backend = Backend.LEVELDB
    scale: float = 1.0
    mean_file: str = ""
    crop_size: int = 0
    mirror: bool = False
    force_encoded_color: bool = False
    prefetch: int = 4
    transform_param: TransformParameters = field(default_factory=TransformParameters)

    def __post_init__(self) -> None:
        for name, least in (("batch_size", 1), ("rand_skip", 0)):
            if getattr(self, name) < least:
                raise FieldError(name, f"must be at least {least}, not {getattr(self, name)}")

    @property
    def transform(self) -> TransformParameters:
        """The transformation, in whichever of the two messages it stands."""
        old = TransformParameters(scale=self.scale, mean_file=self.mean_file, crop_size=self.crop_size,
                                  mirror=self.mirror)
        return self.transform_param if old == TransformParameters() else old


@layer_types.register("Data")
class Data(DataSource):
    """The next pictures, (N, C, H, W), in the order of their keys, and their labels, (N,); `data_layer.cpp`.

    The package that reads the data base must be installed: lmdb or plyvel.
    """

    parameters_type = DataParameters
    parameters_field = "data_param"
    layer_fields = ("transform_param",)
    top_counts = range(1, 3)

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        super().__init__(spec, bottoms)
        self._transformer = Transformer(spec, spec.parameters.transform)
        if spec.parameters.rand_skip:
            self.position += int(torch.randint(spec.parameters.rand_skip, ()))
        with _opened(spec) as base:
            self._keys = list(base.keys())

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        with _opened(spec) as base:
            first = next(base.keys(), None)
            if first is None:
                raise spec.error(f"data base '{spec.parameters.source}' must hold at least one picture")
            picture, _ = _labelled(spec, base.value(first))
        batch = spec.parameters.batch_size
        shape = spec.parameters.transform.shape(spec, picture.shape)
        return (TensorShape((batch, *shape)), TensorShape((batch,)))[:len(spec.tops)]

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        items = self.next_items(self.spec.parameters.batch_size, len(self._keys), shuffle=False)
        with _opened(self.spec) as base:
            rows = [_labelled(self.spec, base.value(self._keys[item])) for item in items]
        try:
            pictures = torch.stack([self._transformer(picture, self.training) for picture, _ in rows])
        except (ValueError, RuntimeError) as error:
            raise self.spec.error(f"the pictures must be of one size: {error}") from None
        return (pictures, torch.tensor([float(label) for _, label in rows]))[:len(self.spec.tops)]


class _Base(Protocol):
    def keys(self) -> Iterator[bytes]: ...
    def value(self, key: bytes) -> bytes: ...


@contextmanager
def _opened(spec: LayerSpec) -> Iterator[_Base]:
    """The data base, for reading; it is open for one batch at a time, since one process may not open it twice."""
    parameters = spec.parameters
    path = source_path(parameters.source, spec.position.file if spec.position else ".")
    if not path.exists():
        raise spec.error(f"source '{parameters.source}' must be a data base; there is none here nor in the folders "
                         "from the model file's upwards")
    module = "lmdb" if parameters.backend is Backend.LMDB else "plyvel"
    try:
        if parameters.backend is Backend.LMDB:
            import lmdb

            base, failure = _Lmdb, lmdb.Error
        else:
            import plyvel

            base, failure = _LevelDb, plyvel.Error
    except ImportError:
        raise spec.error(f"data base '{parameters.source}' needs the package {module}: pip install {module}") from None
    try:
        opened = base(str(path))
    except (failure, OSError) as error:
        raise spec.error(f"source '{parameters.source}' must be a {parameters.backend.name} data base that can be "
                         f"read: {error}") from None
    try:
        yield opened
    finally:
        opened.close()


class _Lmdb:
    def __init__(self, path: str) -> None:
        import lmdb

        self._environment = lmdb.open(path, readonly=True, lock=False, readahead=False)
        self._transaction = self._environment.begin()

    def keys(self) -> Iterator[bytes]:
        with self._transaction.cursor() as cursor:
            yield from cursor.iternext(keys=True, values=False)

    def value(self, key: bytes) -> bytes:
        return bytes(self._transaction.get(key))

    def close(self) -> None:
        self._transaction.abort()
        self._environment.close()


class _LevelDb:
    def __init__(self, path: str) -> None:
        import plyvel

        self._base = plyvel.DB(path)

    def keys(self) -> Iterator[bytes]:
        return self._base.iterator(include_value=False)

    def value(self, key: bytes) -> bytes:
        return self._base.get(key)

    def close(self) -> None:
        self._base.close()


def _labelled(spec: LayerSpec, value: bytes) -> tuple[np.ndarray, int]:
    parameters = spec.parameters
    try:
        datum = parse_datum(value, parameters.source)
        if datum.picture is not None:
            return datum.picture, datum.label
        transform = parameters.transform
        if transform.force_gray:
            return decode_picture(datum.encoded, color=False), datum.label
        color = True if parameters.force_encoded_color or transform.force_color else None
        return decode_picture(datum.encoded, color=color), datum.label
    except (ModelFileError, ValueError) as error:
        raise spec.error(f"data base '{parameters.source}' must hold pictures (Datum): {error}") from None
