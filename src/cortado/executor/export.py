"""A model as files of another format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cortado.errors import ModelFileError
from cortado.frontends.caffemodel import write_caffemodel
from cortado.frontends.model import Model
from cortado.frontends.prototxt_writer import format_prototxt, write_prototxt
from cortado.graph.spec import NetSpec, Weights
from cortado.net.weights import match_weights, seeded_weights


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written; `seed` is None where somebody trained the weights."""

    net: NetSpec
    weights: Weights
    files: tuple[Path, ...]
    seed: int | None


def export_model(model: Model, path: Path, *, seed: int, force: bool = False) -> Exported:
    """Write a model to `path`: an .onnx, or a .prototxt with its .caffemodel beside it; each whole or not at all.

    Without weights in the model they are drawn from `seed`. Raises `ModelFileError` for files that are there already
    (unless `force`) or cannot be written, `GraphError` for what the format has no word for, and `WeightsError`.
    """
    net = model.spec
    files = (path,) if path.suffix == ".onnx" else (path, path.with_suffix(".caffemodel"))
    for file in files:
        if file.exists() and not force:
            raise ModelFileError("the file must not be there already; --force replaces it", file=file)
    weights = seeded_weights(net, seed) if model.weights is None else match_weights(net, model.weights)
    if path.suffix == ".onnx":
        # Slow to import, and of no use to anybody who writes no such file.
        from cortado.frontends.onnx.writing.graph import write_onnx

        write_onnx(path, net, weights)
    else:
        # Before the first of two files is written.
        format_prototxt(net)
        types = {layer.name: layer.type for layer in net.layers}
        write_caffemodel(files[1], net.name, {name: (types[name], blobs) for name, blobs in weights.items()})
        write_prototxt(path, net)
    return Exported(net=net, weights=weights, files=files, seed=seed if model.weights is None else None)
