"""Where the headers of the HLS types are: `ap_int`, `ap_fixed`, `hls::stream` for an ordinary C++ compiler.

Vitis HLS brings its own. For g++ they come from the wheel of hls4ml, which packs the vendor's open headers
(Apache-2.0); nothing else of it is used.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path

from cortado.errors import ToolError
from cortado.resources import hls_root
from cortado.simulation.toolchain import Tool

HEADERS = Path("templates") / "vivado" / "ap_types"
# What every kernel includes.
NEEDED = ("ap_int.h", "hls_stream.h")


def headers() -> Tool:
    """The headers as a tool that is found or not; only what runs HLS C++ needs them."""
    # Only looked for, never imported: importing it would load TensorFlow where that is installed.
    module = importlib.util.find_spec("hls4ml")
    folder = Path(module.origin).parent / HEADERS if module and module.origin else None
    is_there = folder is not None and all((folder / name).is_file() for name in NEEDED)
    return Tool(name="HLS types", purpose="to compile the HLS kernels",
                advice="pip install 'cortado[hls]' (the wheel of hls4ml 1.3.0 packs them)", required=False,
                path=folder if is_there else None, version=importlib.metadata.version("hls4ml") if is_there else None)


def types_folder() -> Path:
    """The folder with `ap_int.h`. Raises `ToolError` with the way to get it where there is none."""
    found = headers()
    if found.path is None:
        raise ToolError(f"HLS types: {' and '.join(NEEDED)} must be there to compile the C++ kernels, not missing; "
                        f"{found.advice}", command="g++")
    return found.path


def include_flags() -> tuple[str, ...]:
    """Compiler flags for the headers: those of the types, and ours for what Vitis has and they lack."""
    return "-isystem", str(types_folder()), "-isystem", str(hls_root() / "include")
