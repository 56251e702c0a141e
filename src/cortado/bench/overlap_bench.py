"""What it gains to have several parts of a batch under way: host layers of one while the device runs another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cortado.device.device import Device
from cortado.errors import MismatchError
from cortado.executor.executor import Executor
from cortado.executor.mixed_pipeline import MixedPipeline
from cortado.planner.plan import Plan


@dataclass(frozen=True, kw_only=True)
class OverlapTime:
    """Seconds on the wall for a batch in parts; of the runs the one that took least."""

    pictures: int
    parts: int
    in_flight: int
    serial: float
    """One part after the other."""
    device: float
    """In which the device ran jobs, in the same run."""
    overlapped: float
    """`in_flight` parts at a time."""
    overlapped_device: float
    """In which the device ran jobs meanwhile."""

    @property
    def host(self) -> float:
        """Everything else of the serial run: host layers, packing, copies."""
        return self.serial - self.device

    @property
    def bound(self) -> float:
        """What the slower of host and device takes alone: no overlap gets below it."""
        return max(self.host, self.device)

    @property
    def share(self) -> float:
        """Throughput over that of the bound; 1 at best."""
        return self.bound / self.overlapped

    @property
    def device_busy(self) -> float:
        """Share of the overlapped run in which the device ran jobs: what other work on the machine changes least."""
        return self.overlapped_device / self.overlapped


def time_overlap(plan: Plan, pipeline: MixedPipeline, device: Device, pictures: np.ndarray, *, in_flight: int,
                 repeats: int, started: Callable[[str], None]) -> OverlapTime:
    """Run `pictures`, float32 (N, C, H, W), in parts of the pipeline's batch, both ways in turns.

    A first run, which is not counted, loads the engine and its weights. `started` is told what runs. Raises
    `MismatchError` if the ways differ in a bit.
    """
    inputs, size = {pipeline.input_blob: pictures}, pipeline.batch
    with Executor(plan, pipeline.net, device) as executor:
        started("a first run, not counted")
        executor.run({pipeline.input_blob: pictures[:size]})
        pairs = []
        for repeat in range(repeats):
            for flying in (1, in_flight):
                started(f"run {repeat + 1} of {repeats}, {flying} in flight")
                pairs.append(executor.run(inputs, at_once=size, in_flight=flying))
    for name, values in pairs[0].values.items():
        if not all(np.array_equal(values, run.values[name]) for run in pairs):
            raise MismatchError(f"blob '{name}': it must be the same whatever is in flight, and differs")
    serial, overlapped = (min(runs, key=lambda run: run.seconds) for runs in (pairs[::2], pairs[1::2]))
    return OverlapTime(pictures=len(pictures), parts=serial.parts, in_flight=overlapped.in_flight,
                       serial=serial.seconds, device=serial.device_seconds, overlapped=overlapped.seconds,
                       overlapped_device=overlapped.device_seconds)
