"""A model: a network file, its trained weights and what is known of them, found by path or by name."""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from pathlib import Path

from cortado.errors import ModelFileError
from cortado.frontends.caffemodel import parse_caffemodel
from cortado.frontends.file import read_bytes
from cortado.frontends.metadata import FILE_NAME, Metadata, read_metadata
from cortado.frontends.prototxt import read_prototxt
from cortado.graph.spec import NetSpec, Weights
from cortado.resources import models_root


@dataclass(frozen=True, kw_only=True)
class Model:
    """`weights` is None where there is no caffemodel, `metadata` where there is no model.json."""

    name: str
    spec: NetSpec
    weights: Weights | None
    folder: Path
    metadata: Metadata | None


def known_models() -> tuple[str, ...]:
    """Names of the models that come with cortado."""
    root = models_root()
    return tuple(sorted(folder.name for folder in root.iterdir() if _prototxt_in(folder))) if root.is_dir() else ()


def load_model(name_or_path: str | Path, *, phase: str = "TEST", weights: str | Path | None = None) -> Model:
    """Load a model for one phase, "TRAIN" or "TEST".

    `name_or_path` is the name of a model that comes with cortado (it wins over a folder of that name), a prototxt, or
    a folder that holds one (NAME.prototxt in folder NAME, or deploy.prototxt). `weights` is a caffemodel; unless it
    is given, NAME.caffemodel beside NAME.prototxt is taken where it exists. Raises `ModelFileError` for what cannot
    be found or read, and `GraphError` for layers that do not fit together.
    """
    prototxt = _find(name_or_path)
    spec = read_prototxt(prototxt, phase=phase)
    metadata_file = prototxt.parent / FILE_NAME
    metadata = read_metadata(metadata_file) if metadata_file.is_file() else None
    beside = prototxt.with_suffix(".caffemodel")
    loaded = None
    if weights is not None:
        loaded = _read_weights(Path(weights), None)
    elif beside.is_file():
        loaded = _read_weights(beside, metadata.weights_sha256 if metadata else None)
    name = prototxt.parent.name if prototxt.stem == "deploy" else prototxt.stem
    return Model(name=name, spec=spec, weights=loaded, folder=prototxt.parent, metadata=metadata)


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
        if path.suffix != ".prototxt":
            raise ModelFileError("a model must be a .prototxt file, a folder with one, or a known name "
                                 f"({_known_words()})", file=path)
        return path
    if path.is_dir():
        found = _prototxt_in(path)
        if found is None:
            raise ModelFileError(f"a model folder must hold {path.resolve().name}.prototxt or deploy.prototxt",
                                 file=path)
        return found
    if path.suffix == ".prototxt":
        raise ModelFileError("the file cannot be read: No such file or directory", file=path)
    close = difflib.get_close_matches(text, known_models(), n=3)
    hint = f"; did you mean {' or '.join(repr(name) for name in close)}?" if close else ""
    raise ModelFileError(f"unknown model '{text}'{hint} ({_known_words()}; or give the path of a .prototxt)")


def _known_words() -> str:
    return f"known: {', '.join(known_models()) or 'none'}"


def _prototxt_in(folder: Path) -> Path | None:
    """The network file of a model folder, if it has one."""
    for name in (f"{folder.resolve().name}.prototxt", "deploy.prototxt"):
        if (folder / name).is_file():
            return folder / name
    return None


def _read_weights(path: Path, sha256: str | None) -> Weights:
    data = read_bytes(path)
    found = hashlib.sha256(data).hexdigest()
    if sha256 is not None and found != sha256:
        raise ModelFileError(f"sha256 must be {sha256} as {FILE_NAME} says, not {found}: the file was changed, or "
                             f"{FILE_NAME} is of another one", file=path)
    return parse_caffemodel(data, file=path)
