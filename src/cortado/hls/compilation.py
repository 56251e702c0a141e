"""Compiles rendered kernels with g++ into a shared library, once: the library lies in the build cache."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping
from pathlib import Path

from cortado.hls.headers import include_flags, types_folder
from cortado.resources import hls_root
from cortado.simulation import toolchain
from cortado.simulation.cache import cached, digest
from cortado.simulation.process import Command, run_commands

logger = logging.getLogger(__name__)

LIBRARY_NAME = "kernels.so"
JOBS = 2

# The kernels are C++14, which every release of Vitis HLS reads.
STANDARD = "-std=c++14"
WARNINGS = (
    "-Wall", "-Wextra", "-Werror",
    # Pragmas and the labels of loops are for Vitis HLS.
    "-Wno-unknown-pragmas", "-Wno-unused-label",
)
# The headers clear the unused bits of a number that has no value yet; g++ reports it where they are inlined.
GCC_WARNINGS = ("-Wno-uninitialized", "-Wno-maybe-uninitialized")
OPTIMISATION = ("-O3",)
# Libraries of two configurations live in one process: nothing of one may be found by the other.
LIBRARY_FLAGS = ("-shared", "-fPIC", "-fno-gnu-unique")


def build_kernels(files: Mapping[str, str], kernels: Collection[str] | None = None) -> Path:
    """The shared library of the kernels in these files (text by name), or of some of them, built if it is not cached.

    Raises `ToolError` if g++ or the headers are missing or g++ fails, `CacheError` if the cache folder cannot be
    written.
    """
    if kernels is not None:
        files = {name: text for name, text in files.items() if not name.endswith(".cpp") or Path(name).stem in kernels}
    compiler = toolchain.compiler()
    flags = (STANDARD, *WARNINGS, *GCC_WARNINGS, *OPTIMISATION, *LIBRARY_FLAGS)
    compiler.require()
    headers = [path for folder in (types_folder(), hls_root() / "include") for path in sorted(folder.rglob("*.h"))]
    key = digest(str(compiler.version), *flags, *(part for item in files.items() for part in item), *headers)

    def build(folder: Path) -> None:
        start = time.perf_counter()
        for name, text in files.items():
            (folder / name).write_text(text)
        sources = [folder / name for name in files if name.endswith(".cpp")]
        objects = [source.with_suffix(".o") for source in sources]
        run_commands([Command(
            tool="g++", task=f"compile {source.name}", folder=folder,
            arguments=(compiler.require(), *flags, *include_flags(), "-c", source, "-o", target))
            for source, target in zip(sources, objects, strict=True)], jobs=JOBS)
        run_commands([Command(tool="g++", task="link the HLS kernels", folder=folder, arguments=(
            compiler.require(), *LIBRARY_FLAGS, *objects, "-o", folder / LIBRARY_NAME))])
        for target in objects:
            target.unlink()
        logger.info("HLS kernels built in %.1f s", time.perf_counter() - start)

    return cached("kernels", key, build) / LIBRARY_NAME
