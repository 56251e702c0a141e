"""What `cortado generate --testbench` adds to a bundle: a cocotb bench with golden vectors that needs no cortado."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cortado.device.buffer import ALIGNMENT
from cortado.device.device import DeviceOptions
from cortado.device.golden import GoldenDevice
from cortado.engines.job import Job
from cortado.errors import PlanError
from cortado.executor.executor import Executor
from cortado.executor.fpga_layer import FpgaLayer
from cortado.executor.ladder import noise
from cortado.gateware.cycle_counters import COUNTER_NAMES
from cortado.gateware.descriptor import ErrorCode
from cortado.gateware.register import Control, Interrupt, Register, Status, counter_registers
from cortado.gateware.winograd_engine import IDENTITY
from cortado.net.net import Net
from cortado.planner.plan import Plan
from cortado.resources import sim_root

TESTBENCH_FOLDER = "testbench"
VECTORS_FILE = "vectors.json"
# A bench in Python simulates some thousands of cycles a second, and runs each job four times.
LARGEST_CYCLES = 50_000
# How much longer than estimated a job may take: channels that stall, and a memory without a model of its latency.
LIMIT_FACTOR, LIMIT_CYCLES = 12, 20_000
RANDOM_SEED = 0


def choose_layers(plan: Plan, wanted: Sequence[str] = ()) -> tuple[str, ...]:
    """The FPGA layers a bench runs, in the order of the network.

    Those `wanted`; or the cheapest ones, as many as take `LARGEST_CYCLES` estimated cycles together, and at least one.
    Raises `PlanError` for a wanted layer that does not run on the FPGA.
    """
    for name in wanted:
        if name not in plan.cut.fpga_layers:
            raise PlanError(f"layer '{name}': a test bench runs layers on the FPGA ("
                            f"{', '.join(plan.cut.fpga_layers) or 'there are none'}); choose one of these")
    chosen, cycles = set(wanted), 0
    if not wanted:
        costs = {name: plan.cut.placement(name).estimate.cycles for name in plan.cut.fpga_layers}
        for name in sorted(costs, key=costs.__getitem__):
            cycles += costs[name]
            if not chosen or cycles <= LARGEST_CYCLES:
                chosen.add(name)
    return tuple(name for name in plan.cut.fpga_layers if name in chosen)


@dataclass(frozen=True, kw_only=True)
class CocotbBench:
    """A bench of some layers of a plan, on the float32 `inputs` by blob and on random maps."""

    plan: Plan
    net: Net
    inputs: Mapping[str, np.ndarray]
    layers: tuple[str, ...]

    def write(self, bundle: Path, manifest: Mapping[str, Any]) -> None:
        """Write the bench into the folder of a bundle; its jobs are those of the bundle, where they lie."""
        folder = bundle / TESTBENCH_FOLDER
        (folder / "vectors").mkdir(parents=True)
        for source in sorted((sim_root() / "testbench").iterdir()):
            if source.is_file():
                shutil.copyfile(source, folder / source.name)
        with GoldenDevice(DeviceOptions()) as device:
            read = {bottom for name in self.layers for bottom in self.plan.cut.net.layer(name).bottoms}
            values = Executor(self.plan, self.net, device).run(self.inputs, keep=read).values
        entries = {entry["layer"]: entry for entry in manifest["jobs"]}
        jobs = [self._write_job(folder, entries[name], values) for name in self.layers]
        end = max(place["address"] + place["bytes"] for name in self.layers
                  for place in entries[name]["memory"].values())
        verilog = manifest["verilog"]
        (folder / VECTORS_FILE).write_text(json.dumps({
            "network": manifest["network"], "verilog_file": f"../{verilog['file']}", "top": verilog["top"],
            "ports": list(verilog["ports"]),
            "identity": IDENTITY, "configuration_hash": manifest["configuration_hash"],
            "memory_bytes": -(-end // ALIGNMENT) * ALIGNMENT,
            **{name: {member.name: int(member) for member in members} for name, members in (
                ("registers", Register), ("control", Control), ("status", Status), ("interrupts", Interrupt))},
            "counters": {name: counter_registers(name) for name in COUNTER_NAMES},
            "errors": {int(code): code.name for code in ErrorCode},
            "jobs": jobs,
        }, indent=2) + "\n")

    def _write_job(self, folder: Path, entry: Mapping[str, Any], values: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """The vectors of a layer, and its entry in `vectors.json`."""
        layer = FpgaLayer(self.plan, entry["layer"])
        operands = layer.operands(values)
        job = layer.job(operands[0].shape)
        stem = Path(entry["descriptors_file"]).name.removesuffix(".descriptors.bin")
        memory = entry["memory"]
        rng = np.random.default_rng(RANDOM_SEED)
        loads = [{"address": memory["descriptors"]["address"], "file": f"../{entry['descriptors_file']}"}]
        if isinstance(job, Job):
            loads.append({"address": memory["weights"]["address"], "file": f"../{entry['weights_file']}"})
        inputs = {}
        for name, maps in (("pictures", operands), ("random", [noise(operand, rng) for operand in operands])):
            inputs[name] = {"loads": []}
            for place, operand in zip(("input", "second_operand"), maps, strict=False):
                file = f"vectors/{stem}.{name}.{place}.bin"
                job.source.pack(operand).tofile(folder / file)
                inputs[name]["loads"].append({"address": memory[place]["address"], "file": file})
            expected = job.golden(*maps)
            inputs[name]["expected_file"] = f"vectors/{stem}.{name}.expected.bin"
            job.target.pack(expected).tofile(folder / inputs[name]["expected_file"])
        job.target.pack(np.full_like(expected, -1)).tofile(folder / f"vectors/{stem}.counts.bin")
        return {
            "layer": layer.name, "name": f"layer_{stem}".replace("-", "_"),
            "descriptors_address": memory["descriptors"]["address"],
            "descriptor_count": entry["descriptor_count"], "output_address": memory["output"]["address"],
            "counts_file": f"vectors/{stem}.counts.bin", "inputs": inputs, "loads": loads,
            "limit_cycles": LIMIT_FACTOR * job.estimate.cycles + LIMIT_CYCLES,
        }

