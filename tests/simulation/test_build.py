"""From Verilog to a cached library, and what goes wrong on the way."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.simulation.conftest import AddEngine

from cortado.errors import CacheError, ToolError
from cortado.simulation import verilator
from cortado.simulation.build import build_library, build_verilog
from cortado.simulation.cache import MANIFEST
from cortado.simulation.library import EngineLibrary
from cortado.simulation.verilog import to_verilog

pytestmark = pytest.mark.rtlsim


class Elaboration:
    """Makes the stand-in's Verilog and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        return to_verilog(AddEngine(128))


@pytest.fixture
def cache(toolchain: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("CORTADO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def entries(cache: Path, kind: str) -> list[Path]:
    """The entries of one kind."""
    return [path for path in (cache / kind).glob("*") if path.is_dir()]


def test_library_is_built_once(cache: Path) -> None:
    elaborate = Elaboration()
    library = build_library("a hash", elaborate, 128)
    assert build_library("a hash", elaborate, 128) == library
    assert elaborate.calls == 1
    assert EngineLibrary(library).beat_bits() == 128
    assert not EngineLibrary(library).traced()
    assert sorted(path.name for path in library.parent.iterdir()) == ["engine.so", MANIFEST]


def test_verilog_is_shared(cache: Path) -> None:
    elaborate = Elaboration()
    text = build_verilog("a hash", elaborate).read_text()
    assert text == to_verilog(AddEngine(128))
    plain, traced = (build_library("a hash", elaborate, 128, trace=trace) for trace in (False, True))
    assert elaborate.calls == 1
    assert plain != traced
    assert EngineLibrary(traced).traced()
    build_verilog("another hash", elaborate)
    assert elaborate.calls == 2


def test_broken_verilog(cache: Path) -> None:
    message = (r"verilator: must translate the engine's Verilog, not fail \(exit code 1\)\n"
               r"%Error: engine\.v:1:15: syntax error.*")
    with pytest.raises(ToolError, match=f"(?s)^{message}$"):
        build_library("a hash", lambda: "module engine oops", 128)
    assert entries(cache, "library") == []


def test_verilog_without_the_ports(cache: Path) -> None:
    message = (r"g\+\+: must compile engine_main\.cpp, not fail \(exit code 1\)\n.*"
               r"class Vengine.* has no member named .*")
    with pytest.raises(ToolError, match=f"(?s)^{message}$"):
        build_library("a hash", lambda: "module engine(input clk, input rst); endmodule", 128)
    assert entries(cache, "library") == []


def test_beats_of_another_width(cache: Path) -> None:
    with pytest.raises(ToolError, match=r"(?s)^g\+\+: must compile engine_main\.cpp, .*static assertion failed"):
        build_library("a hash", Elaboration(), 64)


def test_missing_compiler(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    message = ("g++: must be installed to build the simulator, not missing; "
               "install a C++20 compiler (Debian: apt install g++)")
    with pytest.raises(ToolError, match=f"^{re.escape(message)}$"):
        build_library("a hash", Elaboration(), 128)


def test_interrupted_build_leaves_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(verilator, "_compile", interrupt)
    with pytest.raises(KeyboardInterrupt):
        build_library("a hash", Elaboration(), 128)
    assert entries(cache, "library") == entries(cache, "runtime") == []
    assert len(entries(cache, "verilog")) == 1


def test_library_is_built_again_when_damaged(cache: Path, library: Callable[..., Path]) -> None:
    path = library()
    path.write_bytes(path.read_bytes()[:5000])
    assert library() == path
    assert EngineLibrary(path).beat_bits() == 128


def test_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toolchain: None) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CORTADO_CACHE", str(tmp_path / "file"))
    message = (f"build cache '{tmp_path / 'file'}': must be a folder that can be written, not refuse with "
               "'Not a directory'; set CORTADO_CACHE to a folder of yours")
    with pytest.raises(CacheError, match=f"^{re.escape(message)}$"):
        build_library("a hash", Elaboration(), 128)
