"""Verilog to a shared library: Verilator writes C++, g++ compiles it together with the shell in `sim/engine`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cortado.resources import sim_root
from cortado.simulation import toolchain
from cortado.simulation.cache import cached, digest
from cortado.simulation.process import Command, run_commands
from cortado.simulation.register import render_header

LIBRARY_NAME = "engine.so"
FIRST_HEADER = "printed.h"
SIGN_HEADER = "sign_extension.h"
JOBS = 2

VERILATOR_FLAGS = (
    "--cc", "--prefix", "Vengine", "--make", "json",
    "-O3",
    # Every register of Amaranth's Verilog has an initial value, so no X is ever seen and none need be drawn.
    "--x-assign", "fast", "--x-initial", "fast",
    "--no-timing",
    "--assert",
    # Several files of about this many statements, so that two compilers share the work.
    "--output-split", "20000",
    # Amaranth relies on Verilog's widening of operands, and names things as its user did.
    "-Wno-fatal", "-Wno-lint", "-Wno-style",
)
# A cycle is drawn as 10 ns.
TRACE_FLAGS = ("--trace-fst", "--trace-structs", "--timescale-override", "1ns/1ns")

COMPILE_FLAGS = (
    "-std=c++20", "-fPIC", "-pthread", "-DVERILATOR=1", "-DVL_TIME_CONTEXT", "-DVL_USER_FATAL",
    # Two engines live in one process: nothing of one may be found by the other.
    "-fvisibility=hidden", "-fno-gnu-unique",
    "-fcf-protection=none",
    "-w",
)
# What runs in every cycle, what runs once, and Verilator's run-time library, of which a cycle uses little.
CYCLE_FLAGS = (
    # What -O2 does besides takes a quarter more time to compile and makes nothing faster.
    "-O1",
    # The default (1000) spends half of the compile time on finding out that two of the model's registers differ.
    "--param=sccvn-max-alias-queries-per-access=20",
)
ONCE_FLAGS = ("-O0",)
RUNTIME_FLAGS = ("-O1",)
LINK_FLAGS = ("-shared", "-pthread")


@dataclass(frozen=True, kw_only=True)
class _Translation:
    """The C++ files of a model, by what they are compiled for."""

    cycle: tuple[Path, ...]
    once: tuple[Path, ...]
    runtime: tuple[Path, ...]


def build_key() -> str:
    """Names everything a library is made from but the engine: the shell, the flags, the tools and their versions.

    Raises `ToolError` if g++ or Verilator is missing.
    """
    groups = (VERILATOR_FLAGS, TRACE_FLAGS, COMPILE_FLAGS, CYCLE_FLAGS, ONCE_FLAGS, RUNTIME_FLAGS, LINK_FLAGS)
    return digest(_tools_key(), *(" ".join(group) for group in groups), *_shell_sources())


def build(verilog: Path, folder: Path, *, beat_bits: int, trace: bool) -> None:
    """Leave `engine.so`, the library of the engine in the file `verilog`, in `folder`.

    With `trace` it can write waves and is slower. Raises `ToolError` if Verilator or g++ is missing or fails.
    """
    work = folder / "build"
    work.mkdir()
    (work / "engine_configuration.h").write_text(render_header(beat_bits, trace))
    sources = _translate(verilog, work, trace)
    main = _shell_folder() / "engine_main.cpp"
    flags = (f"-I{work}", f"-I{_shell_folder()}", *_modes(trace))
    cycle_flags = ("-include", str(_shell_folder() / SIGN_HEADER), *CYCLE_FLAGS)
    # Few files, for reading Verilator's headers is a good part of the work, and most of it without optimisation.
    cycle = tuple(_joined(some, work / f"cycle_{number}.cpp") for number, some in enumerate(_shares(sources.cycle)))
    once = _joined(sources.once, work / "once.cpp")
    objects = _compile({(*cycle, main): cycle_flags, (once,): ONCE_FLAGS}, work, flags)
    runtime = _runtime(sources.runtime, trace)
    link = Command(tool="g++", task="link the simulator", folder=work,
                   arguments=(toolchain.compiler().require(), *LINK_FLAGS, *objects, *sorted(runtime.glob("*.o")),
                              "-o", folder / LIBRARY_NAME))
    run_commands([link])
    shutil.rmtree(work)


def _translate(verilog: Path, work: Path, trace: bool) -> _Translation:
    """Run Verilator."""
    program = toolchain.verilator().require()
    run_commands([Command(
        tool="verilator", task="translate the engine's Verilog", folder=work,
        arguments=(program, *VERILATOR_FLAGS, *(TRACE_FLAGS if trace else ()), "--Mdir", work, verilog),
        environment={"VERILATOR_ROOT": str(toolchain.verilator_root())})])
    groups = json.loads((work / "Vengine.json").read_text())["sources"]

    def files(*names: str) -> tuple[Path, ...]:
        return tuple(Path(path) for name in names for path in groups.get(name, ()))

    return _Translation(cycle=files("classes_fast", "support_fast"), once=files("classes_slow", "support_slow"),
                        runtime=files("global"))


def _shares(sources: Sequence[Path]) -> list[list[Path]]:
    """The files for each of the compilers, about as many bytes for one as for the other."""
    shares: list[list[Path]] = [[] for _ in range(JOBS)]
    for source in _largest_first(sources):
        min(shares, key=lambda share: sum(path.stat().st_size for path in share)).append(source)
    return [share for share in shares if share]


def _largest_first(sources: Sequence[Path]) -> tuple[Path, ...]:
    """So that the last jobs are short ones."""
    return tuple(sorted(sources, key=lambda path: -path.stat().st_size))


def _joined(sources: Sequence[Path], file: Path) -> Path:
    """A file that is all of these."""
    file.write_text("".join(f'#include "{source}"\n' for source in sources))
    return file


def _runtime(sources: Sequence[Path], trace: bool) -> Path:
    """The folder with the objects of Verilator's run-time library, which is the same for every engine."""
    # Before the system's headers: Verilator's wave writer finds our compression.
    compression = _shell_folder() / "compression"
    flags = (f"-I{compression}", *_modes(trace))
    key = digest(_tools_key(), *COMPILE_FLAGS, *RUNTIME_FLAGS, *_modes(trace), *sources,
                 *sorted(compression.iterdir()), _shell_folder() / FIRST_HEADER)
    return cached("runtime", key, lambda folder: _compile({_largest_first(sources): RUNTIME_FLAGS}, folder, flags))


def _compile(sources: dict[tuple[Path, ...], tuple[str, ...]], folder: Path, flags: Sequence[str]) -> list[Path]:
    """Compile groups of sources, each with its own flags and in this order; the object files, in `folder`."""
    include = toolchain.verilator().require().parent.parent / "include"
    common = (toolchain.compiler().require(), *COMPILE_FLAGS, "-include", _shell_folder() / FIRST_HEADER, *flags,
              f"-I{include}", f"-I{include / 'vltstd'}")
    objects, commands = [], []
    for group, group_flags in sources.items():
        for source in group:
            objects.append(folder / f"{source.stem}.o")
            commands.append(Command(tool="g++", task=f"compile {source.name}", folder=folder,
                                    arguments=(*common, *group_flags, "-c", source, "-o", objects[-1])))
    run_commands(commands, jobs=JOBS)
    return objects


def _modes(trace: bool) -> tuple[str, ...]:
    """What the generated files and the run-time library must agree on."""
    modes = {"COVERAGE": 0, "SC": 0, "TIMING": 0, "TRACE": int(trace), "TRACE_FST": int(trace), "TRACE_VCD": 0,
             "TRACE_SAIF": 0}
    return tuple(f"-DVM_{name}={value}" for name, value in modes.items())


def _shell_sources() -> list[Path]:
    return sorted(path for path in _shell_folder().rglob("*") if path.suffix in (".h", ".cpp"))


def _shell_folder() -> Path:
    return sim_root() / "engine"


def _tools_key() -> str:
    tools = toolchain.compiler(), toolchain.verilator()
    for tool in tools:
        tool.require()
    return digest(*(f"{tool.name} {tool.version}" for tool in tools))
