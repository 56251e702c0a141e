"""Running a cocotb bench on the Verilog of components, side by side in one simulation."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

from amaranth.lib import wiring

from cortado.errors import CortadoError, ToolError
from cortado.resources import sim_root
from cortado.simulation import toolchain
from cortado.simulation.cache import cached, digest
from cortado.simulation.verilog import to_verilog

TOP_NAME = "bench"
PORTS_FILE = "ports.vlt"
# A bench looks at ports alone, and those are in the top module. Every other signal that a bench could look at costs
# time to compile: most of it, in an engine.
PORTS = f'`verilator_config\npublic_flat_rw -module "{TOP_NAME}" -var "*"\n'
# Unset state starts at random, so a design that counts on zeros is found out. A bench spends its time in Python:
# compiling in one piece and without optimisation costs it little, and the build a tenth.
BUILD_ARGUMENTS = ("-Wno-fatal", "-Wno-lint", "-Wno-style", "--x-assign", "unique", "--x-initial", "unique",
                   "--no-public-flat-rw", "--output-split", "0", "-CFLAGS", "-std=c++20 -O0", PORTS_FILE)
PLUS_ARGUMENTS = ("+verilator+rand+reset+2", "+verilator+seed+8")
CASES_VARIABLE = "CORTADO_BENCH_CASES"
LOG_LINES = 60
DAY_SECONDS = 86400


def run_bench(module: str, parts: Mapping[str, wiring.Component], folder: Path, *,
              cases: Mapping[str, Mapping] | None = None, simulator: str = "verilator", test_filter: str | None = None,
              log: Path | None = None) -> None:
    """Run the tests of the module called `module` on `parts`, in `folder`; it is told the `cases`, by the parts' names.

    `test_filter` is a pattern of the tests' names. Without `log` everything is printed. Raises `ToolError` when a tool
    is missing or the Verilog does not build, and, with the names of the tests, when some fail.
    """
    group = importlib.import_module("benches.case").Group
    verilog = to_verilog(group(dict(parts)), TOP_NAME)
    if simulator == "verilator":
        variables = toolchain.cocotb_environment()
        with _environment(variables):
            program = cached("bench", digest(_tools_key(variables), verilog), lambda place: _build(verilog, place))
            _run(module, program, folder, cases or {}, simulator, test_filter, log)
    else:
        (folder / f"{TOP_NAME}.v").write_text(verilog)
        _make(simulator, folder)
        _run(module, folder, folder, cases or {}, simulator, test_filter, log)


def run_file(path: Path) -> None:
    """Run a bench of its own, a file with `CASES` and `part`, and print what it prints; as `run_bench`."""
    bench = _load(path)
    with tempfile.TemporaryDirectory() as folder:
        run_bench(path.stem, {case: bench.part(**options) for case, options in bench.CASES.items()}, Path(folder))


def main(file: str) -> None:
    """`run_file` as a program: ends with one message and code 1 when something fails."""
    try:
        run_file(Path(file).resolve())
    except CortadoError as error:
        raise SystemExit(f"error: {error}") from None


def _load(path: Path) -> ModuleType:
    # The simulator imports the bench by its name, from the same path.
    sys.path[:0] = [str(path.parent), str(sim_root())]
    return importlib.import_module(path.stem)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """With these variables, which the runner of cocotb takes from the process."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _tools_key(variables: Mapping[str, str]) -> str:
    tools = (f"{tool.name} {tool.version}" for tool in (toolchain.compiler(), toolchain.verilator()))
    return digest(*tools, version("cocotb"), variables["MAKEFLAGS"], *BUILD_ARGUMENTS, PORTS)


def _build(verilog: str, folder: Path) -> None:
    """Makes the simulator; the run-time library, most of the work, is the same for all and made once."""
    runtime = cached("bench-runtime", _tools_key(toolchain.cocotb_environment()), _build_runtime)
    for source in runtime.glob("*.o"):
        target = shutil.copy(source, folder)
        # Make takes an object for old when it is older than the makefile, which is about to be written.
        os.utime(target, (time.time() + DAY_SECONDS,) * 2)
    (folder / f"{TOP_NAME}.v").write_text(verilog)
    _make("verilator", folder)
    _keep(folder, TOP_NAME)


def _build_runtime(folder: Path) -> None:
    (folder / f"{TOP_NAME}.v").write_text(f"module {TOP_NAME}(input clk); endmodule\n")
    _make("verilator", folder)
    _keep(folder, "verilated*.o")


def _keep(folder: Path, pattern: str) -> None:
    for path in set(folder.iterdir()) - set(folder.glob(pattern)):
        path.unlink()


def _make(simulator: str, folder: Path) -> None:
    """Makes the simulator of the Verilog in `folder`."""
    from cocotb_tools.runner import get_runner

    log = folder / "build.log"
    (folder / PORTS_FILE).write_text(PORTS)
    try:
        get_runner(simulator).build(sources=[folder / f"{TOP_NAME}.v"], hdl_toplevel=TOP_NAME, build_dir=folder,
                                    always=True, timescale=("1ns", "1ps"), log_file=log,
                                    build_args=BUILD_ARGUMENTS if simulator == "verilator" else [])
    except (SystemExit, RuntimeError):
        raise ToolError(f"{simulator}: the bench must build", command=simulator, last_lines=_last_lines(log)) from None


def _run(module: str, program: Path, folder: Path, cases: Mapping[str, Mapping], simulator: str,
         test_filter: str | None, log: Path | None) -> None:
    """Runs the tests of a bench and fails with the names and messages of those that fail."""
    from cocotb_tools.runner import get_runner

    results = folder / "results.xml"
    try:
        get_runner(simulator).test(test_module=module, hdl_toplevel=TOP_NAME, hdl_toplevel_lang="verilog",
                                   build_dir=program, test_dir=folder, results_xml=str(results), log_file=log,
                                   plusargs=list(PLUS_ARGUMENTS) if simulator == "verilator" else [], seed=1,
                                   extra_env={CASES_VARIABLE: json.dumps(cases)}, test_filter=test_filter)
    except SystemExit:
        failed = _failed_tests(results)
        raise ToolError(f"{module}: {', '.join(failed) if failed else 'the simulator must end well'}",
                        command=simulator, last_lines=_last_lines(log)) from None
    if not any(True for _ in ElementTree.parse(results).getroot().iter("testcase")):
        raise ToolError(f"{module}: there must be tests in it", command=simulator)


def _failed_tests(results: Path) -> list[str]:
    if not results.is_file():
        return []
    cases = ElementTree.parse(results).getroot().iter("testcase")
    return [case.get("name") for case in cases if case.find("failure") is not None or case.find("error") is not None]


def _last_lines(log: Path | None) -> str:
    if log is None or not log.is_file():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:])
