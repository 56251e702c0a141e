"""Where the files are that a model file names. No layer type lives here."""

from __future__ import annotations

from pathlib import Path

from cortado.graph.spec import LayerSpec


def source_path(name: str, named_in: str | Path) -> Path:
    """The file or folder `name`, that the file `named_in` names, as a path.

    Caffe looks from the folder it runs in, usually the root of its checkout. So that a file works from anywhere, the
    folder of the naming file and those above it are tried next, the nearest first. What is nowhere is `name` itself.
    """
    path = Path(name)
    if path.is_absolute() or path.exists():
        return path
    return next((folder / path for folder in Path(named_in).resolve().parents if (folder / path).exists()), path)


def source_lines(spec: LayerSpec, source: str) -> list[str]:
    """The lines, without empty ones, of the text file that a layer names; `LayerError` if it cannot be read."""
    path = source_path(source, spec.position.file if spec.position else ".")
    try:
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        raise spec.error(f"source '{source}' must be a text file that can be read: {reason}") from None
