"""From Verilog to a cached library, and what goes wrong on the way."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.simulation.conftest import AddEngine

from cortado.errors import CacheError, ToolError
from cortado.gateware.axi_engine import AxiEngine
from cortado.simulation import verilator
from cortado.simulation.build import build_library, build_verilog
from cortado.simulation.cache import MANIFEST
from cortado.simulation.verilog import to_verilog

pytestmark = pytest.mark.rtlsim


class Elaboration:
    """Makes a Verilog text and counts how often."""

    text = "module engine(input clk); endmodule"

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        return self.text


@pytest.fixture
def cache(toolchain: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("CORTADO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def entries(cache: Path, kind: str) -> list[Path]:
    """The entries of one kind."""
    return [path for path in (cache / kind).glob("*") if path.is_dir()]


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """In place of Verilator and g++: the options of each build; what it leaves is no library."""
    builds = []

    def build(source: Path, folder: Path, **options: object) -> None:
        assert source.read_text().startswith("module")
        builds.append(options)
        (folder / verilator.LIBRARY_NAME).write_text(str(options))

    monkeypatch.setattr(verilator, "build", build)
    return builds


def test_library_is_built_once(cache: Path, compiled: list[dict]) -> None:
    elaborate = Elaboration()
    library = build_library("a hash", elaborate, 128)
    assert build_library("a hash", elaborate, 128) == library
    assert elaborate.calls == 1
    assert compiled == [{"beat_bits": 128, "trace": False}]
    assert sorted(path.name for path in library.parent.iterdir()) == ["engine.so", MANIFEST]


def test_what_differs_is_built_apart(cache: Path, compiled: list[dict]) -> None:
    elaborate = Elaboration()
    libraries = {build_library(*choice) for choice in (
        ("a hash", elaborate, 128), ("a hash", elaborate, 64), ("a hash", elaborate, 128, True),
        ("another hash", elaborate, 128))}
    assert len(libraries) == len(compiled) == 4
    assert elaborate.calls == 2


def test_verilog_is_kept(cache: Path, compiled: list[dict]) -> None:
    elaborate = Elaboration()
    assert build_verilog("a hash", elaborate).read_text() == elaborate.text
    build_library("a hash", elaborate, 128)
    assert elaborate.calls == 1


def test_library_is_built_again_when_damaged(cache: Path, compiled: list[dict]) -> None:
    library = build_library("a hash", Elaboration(), 128)
    whole = library.read_text()
    library.write_text(whole[:-1])
    assert build_library("a hash", Elaboration(), 128) == library
    assert library.read_text() == whole
    assert len(compiled) == 2


def test_change_of_a_flag_is_another_library(cache: Path, compiled: list[dict],
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    library = build_library("a hash", Elaboration(), 128)
    monkeypatch.setattr(verilator, "CYCLE_FLAGS", ("-O1",))
    assert build_library("a hash", Elaboration(), 128) != library


def test_broken_verilog(cache: Path) -> None:
    message = (r"verilator: must translate the engine's Verilog, not fail \(exit code 1\)\n"
               r"%Error: .*engine\.v:1:15: syntax error.*")
    with pytest.raises(ToolError, match=f"(?s)^{message}$"):
        build_library("a hash", lambda: "module engine oops", 128)
    assert entries(cache, "library") == []


def test_verilog_without_the_ports(cache: Path) -> None:
    message = (r"g\+\+: must compile engine_main\.cpp, not fail \(exit code 1\)\n.*"
               r"class Vengine.* has no member named .*")
    with pytest.raises(ToolError, match=f"(?s)^{message}$"):
        build_library("a hash", Elaboration(), 128)
    assert entries(cache, "library") == []


def test_beats_of_another_width(cache: Path) -> None:
    with pytest.raises(ToolError, match=r"(?s)^g\+\+: must compile engine_main\.cpp, .*static assertion failed"):
        build_library("a hash", lambda: to_verilog(AxiEngine(AddEngine(128), beat_bits=128)), 64)


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


def test_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toolchain: None) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CORTADO_CACHE", str(tmp_path / "file"))
    message = (f"build cache '{tmp_path / 'file'}': must be a folder that can be written, not refuse with "
               "'Not a directory'; set CORTADO_CACHE to a folder of yours")
    with pytest.raises(CacheError, match=f"^{re.escape(message)}$"):
        build_library("a hash", Elaboration(), 128)
