"""Running the cocotb benches of sim/benches on generated Verilog."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cocotb_tools.runner import get_runner

from cortado.errors import ToolError
from cortado.resources import sim_root
from cortado.simulation import toolchain
from cortado.simulation.cache import cached, digest
from cortado.simulation.verilog import to_verilog

TOP_NAME = "bench"
# Unset state starts at random, so a design that counts on zeros is found out. A bench spends its time in Python:
# compiling in one piece and without optimisation costs it little, and the build a tenth.
BUILD_ARGUMENTS = ("-Wno-fatal", "-Wno-lint", "-Wno-style", "--x-assign", "unique", "--x-initial", "unique",
                   "--output-split", "0", "-CFLAGS", "-std=c++20 -O0")
PLUS_ARGUMENTS = ("+verilator+rand+reset+2", "+verilator+seed+8")
LOG_LINES = 60
DAY_SECONDS = 86400

RunBench = Callable[[str, dict[str, dict]], None]
RunInIcarus = Callable[[str, dict[str, dict], str], None]


@pytest.fixture(scope="session")
def cocotb_variables() -> dict[str, str]:
    """The environment of the benches. Without a tool they are skipped, except in CI, where they fail."""
    try:
        return toolchain.cocotb_environment()
    except ToolError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture
def run_bench(cocotb_variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RunBench:
    """Runs `sim/benches/bench_NAME.py` on its part in every case, keyword arguments by name."""
    for name, value in cocotb_variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(sim_root())

    def run(name: str, cases: dict[str, dict]) -> None:
        bench = importlib.import_module(f"benches.bench_{name}")
        group = importlib.import_module("benches.case").Group
        verilog = to_verilog(group({case: bench.part(**options) for case, options in cases.items()}), TOP_NAME)
        program = cached("bench", digest(_tools_key(cocotb_variables), verilog), lambda folder: _build(verilog, folder))
        _run(bench.__name__, program, tmp_path, {"CORTADO_BENCH_CASES": json.dumps(cases)})

    return run


@pytest.fixture
def run_in_icarus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RunInIcarus:
    """Runs tests of a bench, chosen by a pattern of their names, with Icarus in place of Verilator."""
    try:
        toolchain.icarus().require()
    except ToolError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    monkeypatch.syspath_prepend(sim_root())

    def run(name: str, cases: dict[str, dict], tests: str) -> None:
        bench = importlib.import_module(f"benches.bench_{name}")
        group = importlib.import_module("benches.case").Group
        source, log = tmp_path / f"{TOP_NAME}.v", tmp_path / "build.log"
        source.write_text(to_verilog(group({case: bench.part(**options) for case, options in cases.items()}), TOP_NAME))
        try:
            get_runner("icarus").build(sources=[source], hdl_toplevel=TOP_NAME, build_dir=tmp_path, always=True,
                                       timescale=("1ns", "1ps"), log_file=log)
        except (SystemExit, RuntimeError):
            pytest.fail(f"the bench must build:\n{_last_lines(log)}")
        _run(bench.__name__, tmp_path, tmp_path, {"CORTADO_BENCH_CASES": json.dumps(cases)}, simulator="icarus",
             test_filter=tests)

    return run


def _tools_key(variables: dict[str, str]) -> str:
    tools = (f"{tool.name} {tool.version}" for tool in (toolchain.compiler(), toolchain.verilator()))
    return digest(*tools, version("cocotb"), variables["MAKEFLAGS"], *BUILD_ARGUMENTS)


def _build(verilog: str, folder: Path) -> None:
    """Makes the simulator; the run-time library, most of the work, is the same for all and made once."""
    variables = toolchain.cocotb_environment()
    runtime = cached("bench-runtime", _tools_key(variables), _build_runtime)
    for source in runtime.glob("*.o"):
        target = shutil.copy(source, folder)
        # Make takes an object for old when it is older than the makefile, which is about to be written.
        os.utime(target, (time.time() + DAY_SECONDS,) * 2)
    _make(verilog, folder)
    _keep(folder, TOP_NAME)


def _build_runtime(folder: Path) -> None:
    _make(f"module {TOP_NAME}(input clk); endmodule\n", folder)
    _keep(folder, "verilated*.o")


def _keep(folder: Path, pattern: str) -> None:
    for path in set(folder.iterdir()) - set(folder.glob(pattern)):
        path.unlink()


def _make(verilog: str, folder: Path) -> None:
    source, log = folder / f"{TOP_NAME}.v", folder / "build.log"
    source.write_text(verilog)
    try:
        get_runner("verilator").build(sources=[source], hdl_toplevel=TOP_NAME, build_dir=folder, always=True,
                                      build_args=BUILD_ARGUMENTS, log_file=log)
    except (SystemExit, RuntimeError):
        pytest.fail(f"the bench must build:\n{_last_lines(log)}")


def _run(module: str, program: Path, folder: Path, variables: dict[str, str], *, simulator: str = "verilator",
         test_filter: str | None = None) -> None:
    """Runs the tests of a bench and fails with the names and messages of those that fail."""
    log, results = folder / "bench.log", folder / "results.xml"
    try:
        get_runner(simulator).test(test_module=module, hdl_toplevel=TOP_NAME, hdl_toplevel_lang="verilog",
                                   build_dir=program, test_dir=folder, results_xml=str(results), log_file=log,
                                   plusargs=list(PLUS_ARGUMENTS) if simulator == "verilator" else [], seed=1,
                                   extra_env=variables, test_filter=test_filter)
    except SystemExit:
        failed = _failed_tests(results)
        pytest.fail(f"{module}: {', '.join(failed) if failed else 'the simulator must end well'}\n{_last_lines(log)}")
    assert _count_tests(results) > 0, f"{module}: there must be tests in it"


def _failed_tests(results: Path) -> list[str]:
    if not results.is_file():
        return []
    cases = ElementTree.parse(results).getroot().iter("testcase")
    return [case.get("name") for case in cases if case.find("failure") is not None or case.find("error") is not None]


def _count_tests(results: Path) -> int:
    return sum(1 for _ in ElementTree.parse(results).getroot().iter("testcase"))


def _last_lines(log: Path) -> str:
    if not log.is_file():
        return "no log was written"
    return "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:])
