"""The files around the kernels of a network: test benches, a Makefile, scripts for Vitis HLS, a README."""

from __future__ import annotations

import math
import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from cortado.boards.check import tcl_faults
from cortado.gateware.configuration import WinogradConfiguration
from cortado.hls.floating import FloatingConfiguration
from cortado.hls.floating_calls import FloatingCalls
from cortado.hls.headers import types_folder
from cortado.hls.kernel_calls import KERNEL_PORTS, KernelCall, KernelCalls
from cortado.hls.kernel_configuration import KernelConfiguration
from cortado.hls.linear_expression import float_literal
from cortado.hls.render import kernel_files, render, render_text
from cortado.resources import hls_root

Calls = TypeVar("Calls", KernelCalls, FloatingCalls)

KERNELS, TESTBENCH, VECTORS, TYPES = "kernels", "testbench", "vectors", "types"
# The port of a processor's memory that a platform offers under this name (Zynq UltraScale+).
MEMORY = "HP0"
# The port whose bytes are the same for all inputs of a layer.
WEIGHTS = "weights"


@dataclass(frozen=True, kw_only=True)
class LayerVectors(Generic[Calls]):
    """A layer of the project: its calls, and the file names of its vectors by the maps they hold."""

    stem: str
    calls: Calls
    inputs: tuple[str, ...]

    def file(self, *parts: str) -> str:
        """A file of vectors, in the folder of them."""
        return ".".join((self.stem, *parts, "bin"))

    def sources(self, name: str) -> list[str]:
        """The file behind each port that is read."""
        return [self.file(WEIGHTS) if port == WEIGHTS else self.file(name, port) for port in self.calls.ports[:-1]]


@dataclass(frozen=True, kw_only=True)
class Project(ABC, Generic[Calls]):
    """A folder for Vitis HLS that also works without it. All layers share one configuration."""

    network: str
    layers: tuple[LayerVectors[Calls], ...]
    part: str
    clock_mhz: float

    @property
    def kernels(self) -> tuple[str, ...]:
        """The kernels some layer runs on, by name."""
        return tuple(sorted({layer.calls.kernel for layer in self.layers}))

    def layers_of(self, kernel: str) -> list[LayerVectors[Calls]]:
        """The layers that run on a kernel."""
        return [layer for layer in self.layers if layer.calls.kernel == kernel]

    def texts(self) -> dict[str, str]:
        """Every file that is rendered, by its path in the folder; the same project always gives the same texts."""
        files = self._kernel_files()
        unused = {Path(name).stem for name in files if name.endswith(".cpp")} - set(self.kernels)
        texts = {f"{KERNELS}/{name}": text for name, text in files.items() if Path(name).stem not in unused}
        components = [{"kernel": kernel, "layer": min(self.layers_of(kernel), key=self._cost).stem}
                      for kernel in self.kernels]
        values = {"network": self.network, "kernels": self.kernels, "components": components, "part": self.part,
                  "clock_mhz": f"{self.clock_mhz:g}", "clock_ns": f"{1000 / self.clock_mhz:g}",
                  "ports": KERNEL_PORTS, "memory": MEMORY, "clang_flags": self._clang_flags}
        for name in ("Makefile", "run_hls.tcl", "link.cfg", "README.md"):
            texts[name] = self._render(f"project/{name}.j2", values)
        for component in components:
            kernel = component["kernel"]
            texts[f"{kernel}.cfg"] = self._render("project/hls_config.cfg.j2", values | component)
            texts[f"{TESTBENCH}/{kernel}_test.cpp"] = self._render(self._bench_template, self._bench(kernel))
        return texts

    def write(self, folder: Path) -> None:
        """Write everything but the vectors. Raises `ToolError` where the headers of the HLS types are missing."""
        for name, text in self.texts().items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        shutil.copytree(types_folder(), folder / TYPES)

    @property
    def _clang_flags(self) -> str:
        """What clang++ needs beyond the flags of g++."""
        return ""

    @property
    @abstractmethod
    def _bench_template(self) -> str:
        """The template of the test benches."""

    @abstractmethod
    def _kernel_files(self) -> dict[str, str]:
        """The text of every kernel and header by file name."""

    @abstractmethod
    def _render(self, template: str, values: Mapping[str, Any]) -> str:
        """A file with the banner of the configuration."""

    @abstractmethod
    def _cost(self, layer: LayerVectors[Calls]) -> int:
        """By which the cheapest layer is found for co-simulation: an RTL simulation of all would take days."""

    @property
    @abstractmethod
    def _beat_bytes(self) -> int:
        """Bytes of a beat of the memory ports."""

    def _vector(self, layer: LayerVectors[Calls], name: str) -> dict[str, str]:
        """The files a result is compared with."""
        return {"expected": layer.file(name, "expected"), "counts": layer.file("counts")}

    def _bench(self, kernel: str) -> dict[str, Any]:
        layers = self.layers_of(kernel)
        return {
            "kernel": kernel, "sources": len(KERNEL_PORTS[kernel]) - 1, "port": "beat_t",
            "jobs": [{"calls": [self._call(call) for call in layer.calls.calls()]} for layer in layers],
            "vectors": [{"layer": layer.stem, "job": number, "sources": layer.sources(name),
                         **self._vector(layer, name)}
                        for number, layer in enumerate(layers) for name in layer.inputs],
        }

    def _call(self, call: KernelCall) -> str:
        """A call as C++."""
        last = len(call.offsets) - 1
        pointers = (("output" if place == last else f"sources[{place}]")
                    + (f" + {offset // self._beat_bytes}" if offset else "")
                    for place, offset in enumerate(call.offsets))
        scalars = (float_literal(scalar) if isinstance(scalar, float) else str(scalar)
                   for scalar in call.scalars.values())
        return f"{call.kernel}({', '.join((*pointers, *scalars))})"


@dataclass(frozen=True, kw_only=True)
class HlsProject(Project[KernelCalls]):
    """The exact kernels of an engine's configuration."""

    configuration: WinogradConfiguration

    @property
    def _bench_template(self) -> str:
        return "project/testbench.cpp.j2"

    def _kernel_files(self) -> dict[str, str]:
        return kernel_files(self.configuration, self._depths)

    @property
    def _depths(self) -> dict[str, int]:
        """Beats of the largest maps and weights, by memory port."""
        depths: dict[str, int] = {}
        for layer in self.layers:
            for port, size in zip(layer.calls.ports, layer.calls.port_bytes, strict=True):
                depths[port] = max(depths.get(port, 0), size // self.configuration.beat_bytes)
        return depths

    def _render(self, template: str, values: Mapping[str, Any]) -> str:
        return render(template, KernelConfiguration(self.configuration), values)

    def _cost(self, layer: LayerVectors[KernelCalls]) -> int:
        return layer.calls.cycles

    @property
    def _beat_bytes(self) -> int:
        return self.configuration.beat_bytes


@dataclass(frozen=True, kw_only=True)
class FloatingProject(Project[FloatingCalls]):
    """The kernels in floating point. Their benches compare with float64."""

    configuration: FloatingConfiguration

    @property
    def _bench_template(self) -> str:
        return "project/floating_testbench.cpp.j2"

    @property
    def _clang_flags(self) -> str:
        # Before version 15 clang++ has the type for these processors only; what it reads is not run.
        return "-mavx512fp16" if self.configuration.value == "half" else ""

    def write(self, folder: Path) -> None:
        super().write(folder)
        for header in sorted((hls_root() / "include").iterdir()):
            shutil.copy(header, folder / TYPES)

    def _kernel_files(self) -> dict[str, str]:
        return self.configuration.files()

    def _render(self, template: str, values: Mapping[str, Any]) -> str:
        return render_text(template, str(self.configuration), values)

    def _cost(self, layer: LayerVectors[FloatingCalls]) -> int:
        return layer.calls.macs + math.prod(layer.calls.result_dims)

    @property
    def _beat_bytes(self) -> int:
        return self.configuration.beat_bytes

    def _vector(self, layer: LayerVectors[FloatingCalls], name: str) -> dict[str, str]:
        return {"expected": layer.file(name, "expected"), "bound": layer.file(name, "bound")}

    def _bench(self, kernel: str) -> dict[str, Any]:
        return {**super()._bench(kernel), "port": "beat_t" if WEIGHTS in KERNEL_PORTS[kernel] else "data_t"}


def faults(folder: Path) -> list[str]:
    """What does not hold in the scripts of a project, in words: files, kernels and ports they name must exist."""
    found = [f"run_hls.tcl: {fault}" for fault in tcl_faults((folder / "run_hls.tcl").read_text())]
    script = (folder / "run_hls.tcl").read_text()
    named = [("run_hls.tcl", "/".join(parts.split())) for parts in re.findall(
        r"^add_files (?:-tb )?\[file join \$folder ([\w. ]+)\]", script, re.MULTILINE)]
    kernels = re.findall(r"^set_top (\w+)$", script, re.MULTILINE)
    for kernel in kernels:
        config = folder / f"{kernel}.cfg"
        if not config.is_file():
            found.append(f"run_hls.tcl: kernel {kernel} has no {config.name}")
            continue
        named += [(config.name, name) for name in re.findall(r"^(?:syn|tb)\.file=(.+)$", config.read_text(),
                                                             re.MULTILINE)]
    found += [f"{script_name}: {name} is not there" for script_name, name in named if not (folder / name).exists()]
    link = (folder / "link.cfg").read_text()
    for kernel in re.findall(r"^nk=(\w+):", link, re.MULTILINE):
        if kernel not in kernels:
            found.append(f"link.cfg: kernel {kernel} is not in run_hls.tcl")
    for kernel, port in re.findall(r"^sp=(\w+)_1\.(\w+):", link, re.MULTILINE):
        header = folder / KERNELS / f"{kernel}.h"
        if not header.is_file() or not re.search(rf"\b(?:beat|data)_t \*{port}\b", header.read_text()):
            found.append(f"link.cfg: kernel {kernel} has no port {port}")
    return found
