"""A model: a network file, its trained weights and what is known of them, found by path or by name."""

from __future__ import annotations

import difflib
import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

from cortado.errors import ModelFileError
from cortado.frontends import deep_compression
from cortado.frontends.caffemodel import parse_caffemodel
from cortado.frontends.data_store import find
from cortado.frontends.file import read_bytes
from cortado.frontends.metadata import FILE_NAME, Metadata, read_metadata
from cortado.frontends.prototxt import read_prototxt
from cortado.graph.spec import NetSpec, Weights
from cortado.resources import models_root


@dataclass(frozen=True, kw_only=True)
class Model:
    """`weights` is None where nobody has trained the network, or what was trained is not here; `metadata` is None
    where there is no model.json.

    `weights_words` says where the weights come from, or where there are some. `labels` are the words for the classes;
    where they are empty, `labels_words` says where there are some, if there are.
    """

    name: str
    spec: NetSpec
    weights: Weights | None
    folder: Path
    metadata: Metadata | None
    weights_words: str = ""
    labels: tuple[str, ...] = ()
    labels_words: str = ""


def known_models() -> tuple[str, ...]:
    """Names of the models that come with cortado."""
    root = models_root()
    return tuple(sorted(folder.name for folder in root.iterdir() if _prototxt_in(folder))) if root.is_dir() else ()


def load_model(name_or_path: str | Path, *, phase: str = "TEST", weights: str | Path | None = None,
               mean: str | Path | None = None, stages: tuple[str, ...] = (), level: int | None = None) -> Model:
    """Load a model for one phase, "TRAIN" or "TEST", and the stages and level that rules of its layers ask for.

    `name_or_path` is the name of a model that comes with cortado (it wins over a folder of that name), a prototxt, a
    folder that holds one (NAME.prototxt in folder NAME, or deploy.prototxt), or an ONNX file. `weights` is a caffemodel
    or a Deep Compression file (.net); unless it is given, an ONNX file has its own, and else NAME.caffemodel beside
    NAME.prototxt is taken where it exists, else the data file that model.json names where it has been fetched. `mean`
    is a mean picture instead of model.json's mean. Raises `ModelFileError` for what cannot be found or read,
    `GraphError` for layers that do not fit together, and `DataError` for a data file that is damaged.
    """
    prototxt = _find(name_or_path)
    spec, carried = _read_network(prototxt, phase, stages, level)
    metadata_file = prototxt.parent / FILE_NAME
    metadata = read_metadata(metadata_file) if metadata_file.is_file() else None
    if mean is not None:
        if metadata is None or metadata.picture is None:
            raise ModelFileError(f"{FILE_NAME} beside it must say how pixels become its input (picture) to take a mean "
                                 "file", file=prototxt)
        metadata = replace(metadata, picture=replace(metadata.picture, mean=(), mean_file=Path(mean)))
    loaded, weights_words = carried, prototxt.name
    if carried is None or weights is not None:
        loaded, weights_words = _weights(spec, prototxt.with_suffix(".caffemodel"), metadata, weights)
    labels, labels_words = _labels(metadata)
    name = prototxt.parent.name if prototxt.stem == "deploy" else prototxt.stem
    return Model(name=name, spec=spec, weights=loaded, folder=prototxt.parent, metadata=metadata,
                 weights_words=weights_words, labels=labels, labels_words=labels_words)


def _read_network(path: Path, phase: str, stages: tuple[str, ...],
                  level: int | None) -> tuple[NetSpec, Weights | None]:
    """The network, and the weights that its own file has."""
    if path.suffix == ".prototxt":
        return read_prototxt(path, phase=phase, stages=stages, level=level), None
    # Slow to import, and of no use to anybody without such a file.
    from cortado.frontends.onnx.reader import read_onnx

    return read_onnx(path, phase=phase)


def _weights(spec: NetSpec, beside: Path, metadata: Metadata | None,
             given: str | Path | None) -> tuple[Weights | None, str]:
    """The weights, and in words where they come from or could come from."""
    if given is not None:
        path, words, sha256 = Path(given), str(given), None
    elif beside.is_file():
        path, words, sha256 = beside, beside.name, metadata.weights_sha256 if metadata else None
    elif metadata is not None and metadata.weights_data is not None:
        path, sha256 = find(metadata.weights_data), None
        if path is None:
            return None, f"cortado data get {metadata.weights_data} fetches trained ones"
        words = f"data file {metadata.weights_data} ({path.name})"
    else:
        return None, ""
    weights = _read_weights(path, sha256, spec)
    # A file written in training holds branches the network for use does not have.
    ends = metadata.training_layers if metadata else ()
    dropped = [name for name in weights if name.startswith(ends) and name not in {layer.name for layer in spec.layers}]
    if dropped:
        words += f"; without {', '.join(dropped)}, which only training uses"
    return {name: blobs for name, blobs in weights.items() if name not in dropped}, words


def _labels(metadata: Metadata | None) -> tuple[tuple[str, ...], str]:
    """Words for the classes, and where none are here, in words where there are some."""
    if metadata is None or metadata.labels_data is None or metadata.labels:
        return metadata.labels if metadata else (), ""
    path = find(metadata.labels_data)
    if path is None:
        return (), f"cortado data get {metadata.labels_data} fetches the names of the classes"
    # Its content is pinned by its checksum.
    return tuple(json.loads(path.read_text(encoding="utf-8"))), ""


def _find(name_or_path: str | Path) -> Path:
    try:
        return _prototxt_of(name_or_path)
    except OSError as error:
        raise ModelFileError(f"the file cannot be read: {error.strerror}", file=name_or_path) from None


def _prototxt_of(name_or_path: str | Path) -> Path:
    text, path = str(name_or_path), Path(name_or_path)
    if text in known_models():
        path = models_root() / text
    if path.is_file():
        if path.suffix not in (".prototxt", ".onnx"):
            raise ModelFileError("a model must be a .prototxt or .onnx file, a folder with a .prototxt, or a known "
                                 f"name ({_known_words()})", file=path)
        return path
    if path.is_dir():
        found = _prototxt_in(path)
        if found is None:
            raise ModelFileError(f"a model folder must hold {path.resolve().name}.prototxt or deploy.prototxt",
                                 file=path)
        return found
    if path.suffix in (".prototxt", ".onnx"):
        raise ModelFileError("the file cannot be read: No such file or directory", file=path)
    close = difflib.get_close_matches(text, known_models(), n=3)
    hint = f"; did you mean {' or '.join(repr(name) for name in close)}?" if close else ""
    raise ModelFileError(f"unknown model '{text}'{hint} ({_known_words()}; or give the path of a .prototxt or .onnx)")


def _known_words() -> str:
    return f"known: {', '.join(known_models()) or 'none'}"


def _prototxt_in(folder: Path) -> Path | None:
    """The network file of a model folder, if it has one."""
    for name in (f"{folder.resolve().name}.prototxt", "deploy.prototxt"):
        if (folder / name).is_file():
            return folder / name
    return None


def _read_weights(path: Path, sha256: str | None, spec: NetSpec) -> Weights:
    if path.suffix == deep_compression.SUFFIX:
        return deep_compression.read_deep_compression(path, spec)
    data = read_bytes(path)
    found = hashlib.sha256(data).hexdigest()
    if sha256 is not None and found != sha256:
        raise ModelFileError(f"sha256 must be {sha256} as {FILE_NAME} says, not {found}: the file was changed, or "
                             f"{FILE_NAME} is of another one", file=path)
    return parse_caffemodel(data, file=path)
