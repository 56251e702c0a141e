"""Where the files beside the Python code are: inside an installed wheel, or in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
_CHECKOUT = _PACKAGE.parent.parent


def _root(name: str) -> Path:
    """The folder `name` of the repository: `_name` in a wheel, the top-level folder in an editable install."""
    packaged = _PACKAGE / f"_{name}"
    return packaged if packaged.is_dir() else _CHECKOUT / name


def sim_root() -> Path:
    """What runs inside the simulator: the C++ main and memory model, the cocotb benches."""
    return _root("sim")


def models_root() -> Path:
    """The network definitions, one folder each."""
    return _root("models")


def hls_root() -> Path:
    """The templates of HLS C++ and of the files around it."""
    return _root("hls")
