"""The files around the kernels of a network: test benches, a Makefile, scripts for Vitis HLS, a README."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cortado.boards.check import tcl_faults
from cortado.gateware.configuration import WinogradConfiguration
from cortado.hls.headers import types_folder
from cortado.hls.kernel_calls import KERNEL_PORTS, KernelCall, KernelCalls
from cortado.hls.kernel_configuration import KernelConfiguration
from cortado.hls.render import kernel_files, render

KERNELS, TESTBENCH, VECTORS, TYPES = "kernels", "testbench", "vectors", "types"
# The port of a processor's memory that a platform offers under this name (Zynq UltraScale+).
MEMORY = "HP0"
# The port whose bytes are the same for all inputs of a layer.
WEIGHTS = "weights"


@dataclass(frozen=True, kw_only=True)
class LayerVectors:
    """A layer of the project: its calls, and the file names of its vectors by the maps they hold."""

    stem: str
    calls: KernelCalls
    inputs: tuple[str, ...]

    def file(self, *parts: str) -> str:
        """A file of vectors, in the folder of them."""
        return ".".join((self.stem, *parts, "bin"))

    def sources(self, name: str) -> list[str]:
        """The file behind each port that is read."""
        return [self.file(WEIGHTS) if port == WEIGHTS else self.file(name, port) for port in self.calls.ports[:-1]]


@dataclass(frozen=True, kw_only=True)
class HlsProject:
    """A folder for Vitis HLS that also works without it. All layers share one configuration."""

    network: str
    configuration: WinogradConfiguration
    layers: tuple[LayerVectors, ...]
    part: str
    clock_mhz: float

    @property
    def kernels(self) -> tuple[str, ...]:
        """The kernels some layer runs on, by name."""
        return tuple(sorted({layer.calls.kernel for layer in self.layers}))

    def layers_of(self, kernel: str) -> list[LayerVectors]:
        """The layers that run on a kernel."""
        return [layer for layer in self.layers if layer.calls.kernel == kernel]

    def texts(self) -> dict[str, str]:
        """Every file that is rendered, by its path in the folder; the same project always gives the same texts."""
        files = kernel_files(self.configuration, self._depths)
        unused = {Path(name).stem for name in files if name.endswith(".cpp")} - set(self.kernels)
        texts = {f"{KERNELS}/{name}": text for name, text in files.items() if Path(name).stem not in unused}
        components = [{"kernel": kernel, "layer": self._cheapest(kernel).stem}
                      for kernel in self.kernels]
        values = {"network": self.network, "kernels": self.kernels, "components": components, "part": self.part,
                  "clock_mhz": f"{self.clock_mhz:g}", "clock_ns": f"{1000 / self.clock_mhz:g}",
                  "ports": KERNEL_PORTS, "memory": MEMORY}
        for name in ("Makefile", "run_hls.tcl", "link.cfg", "README.md"):
            texts[name] = self._render(name, values)
        for component in components:
            kernel = component["kernel"]
            texts[f"{kernel}.cfg"] = self._render("hls_config.cfg", values | component)
            texts[f"{TESTBENCH}/{kernel}_test.cpp"] = self._render("testbench.cpp", self._bench(kernel))
        return texts

    def write(self, folder: Path) -> None:
        """Write everything but the vectors. Raises `ToolError` where the headers of the HLS types are missing."""
        for name, text in self.texts().items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        shutil.copytree(types_folder(), folder / TYPES)

    @property
    def _depths(self) -> dict[str, int]:
        """Beats of the largest maps and weights, by memory port."""
        depths: dict[str, int] = {}
        for layer in self.layers:
            for port, size in zip(layer.calls.ports, layer.calls.port_bytes, strict=True):
                depths[port] = max(depths.get(port, 0), size // self.configuration.beat_bytes)
        return depths

    def _cheapest(self, kernel: str) -> LayerVectors:
        """What co-simulation runs: an RTL simulation of all layers would take days."""
        return min(self.layers_of(kernel), key=lambda layer: layer.calls.cycles)

    def _render(self, name: str, values: Mapping[str, Any]) -> str:
        return render(f"project/{name}.j2", KernelConfiguration(self.configuration), values)

    def _bench(self, kernel: str) -> dict[str, Any]:
        layers = self.layers_of(kernel)
        return {
            "kernel": kernel, "sources": len(KERNEL_PORTS[kernel]) - 1,
            "jobs": [{"calls": [self._call(call) for call in layer.calls.calls()]} for layer in layers],
            "vectors": [{"layer": layer.stem, "job": number, "sources": layer.sources(name),
                         "counts": layer.file("counts"), "expected": layer.file(name, "expected")}
                        for number, layer in enumerate(layers) for name in layer.inputs],
        }

    def _call(self, call: KernelCall) -> str:
        """A call as C++."""
        pitch, last = self.configuration.beat_bytes, len(call.offsets) - 1
        pointers = (("output" if place == last else f"sources[{place}]") + (f" + {offset // pitch}" if offset else "")
                    for place, offset in enumerate(call.offsets))
        return f"{call.kernel}({', '.join((*pointers, *map(str, call.scalars.values())))})"


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
        if not header.is_file() or not re.search(rf"\bbeat_t \*{port}\b", header.read_text()):
            found.append(f"link.cfg: kernel {kernel} has no port {port}")
    return found
