"""The module `caffe` that files with layers in Python import while they load and run. No layer type lives here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from cortado.layers.array_blob import ArrayBlob, BlobVector

TRAIN, TEST = 0, 1


class Layer:
    """What a layer in Python derives from, as `caffe.Layer`: it writes `setup`, `reshape`, `forward` and `backward`.

    `param_str` and `phase` are set before `setup`; `blobs` are its trained blobs.
    """

    def __init__(self) -> None:
        self.blobs = BlobVector()
        self.param_str = ""
        self.phase = TEST

    def setup(self, bottom: list[ArrayBlob], top: list[ArrayBlob]) -> None:
        """Once, before anything else."""

    def reshape(self, bottom: list[ArrayBlob], top: list[ArrayBlob]) -> None:
        """Give the tops their shapes, before every forward."""
        raise NotImplementedError

    def forward(self, bottom: list[ArrayBlob], top: list[ArrayBlob]) -> None:
        """Fill the tops' data."""
        raise NotImplementedError

    def backward(self, top: list[ArrayBlob], propagate_down: list[bool], bottom: list[ArrayBlob]) -> None:
        """Fill the bottoms' diff where `propagate_down` says so, and add to the diff of the trained blobs."""
        raise NotImplementedError


_module = ModuleType("caffe", "Caffe as layers in Python need it.")
_module.Layer, _module.TRAIN, _module.TEST = Layer, TRAIN, TEST


def provide(module: ModuleType) -> None:
    """Have another module, which must have these three names too, be `caffe`."""
    global _module
    _module = module


@contextmanager
def caffe_importable() -> Iterator[None]:
    """While the block runs, `import caffe` gives the shim, whatever else has that name."""
    names = [name for name in sys.modules if name == "caffe" or name.startswith("caffe.")]
    before = {name: sys.modules.pop(name) for name in names}
    sys.modules["caffe"] = _module
    try:
        yield
    finally:
        sys.modules.pop("caffe", None)
        sys.modules.update(before)
