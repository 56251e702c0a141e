"""The ladder: reference (float) -> golden (integers) -> device, one FPGA layer at a time.

Only the first step has a tolerance, and it is derived, not chosen: what rounding weights, bias, multiplier and result
does to this layer on these inputs (`executor.reference`). Every other step is equal to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np

from cortado.device.device import Device, DeviceOptions
from cortado.device.golden import GoldenDevice
from cortado.engines.job import Job
from cortado.executor.executor import Executor, run_job
from cortado.executor.reference import make_reference
from cortado.graph.spec import LayerSpec
from cortado.net.net import Net
from cortado.planner.plan import Placement, Plan
from cortado.planner.quantisation import ACTIVATIONS


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One step of one layer: the upper rung against the lower one."""

    layer: str
    lower: str
    upper: str
    equal: bool
    """Within the derived tolerance for the first step, to the bit for every other."""
    compared: int
    """Numbers compared."""
    different: int
    """Numbers beyond the tolerance."""
    max_error: float
    """In steps of the output's scale."""
    mean_error: float
    worst: tuple[int, ...]
    """(n, k, y, x) of the largest error; of those beyond the tolerance where there are any."""
    largest_tolerance: float
    """The largest error rounding explains, in steps of the output's scale; 0 where every bit counts."""


def climb(plan: Plan, net: Net, device: Device, inputs: Mapping[str, np.ndarray], *, layers: Collection[str],
          started: Callable[[Placement], None] | None = None) -> tuple[Rung, ...]:
    """Both steps of each of `layers`: golden against reference, the device against golden.

    The input of each layer is what golden makes of the layers before it, so that one layer's difference does not show
    in the next. `inputs` are float32 pictures by blob.
    """
    if layers:
        device.program(plan.cut.engine.design())
    rungs: list[Rung] = []
    with GoldenDevice(DeviceOptions(memory_bytes=device.options.memory_bytes)) as golden:
        executor = Executor(plan, net, golden)
        values = executor.run(inputs).values
    for name in layers:
        if started is not None:
            started(plan.cut.placement(name))
        layer = plan.cut.net.layer(name)
        blob = layer.bottoms[0]
        source = ACTIVATIONS.quantise(values[blob], plan.scales[blob])
        rungs.extend(_climb_layer(plan, net, device, layer, executor.job(name, source), source))
    return tuple(rungs)


def _climb_layer(plan: Plan, net: Net, device: Device, layer: LayerSpec, job: Job,
                 source: np.ndarray) -> tuple[Rung, Rung]:
    golden = job.convolution.golden(source)
    reference = make_reference(layer, net.stage(layer.name), plan.formats[layer.name], source)
    result, _ = run_job(device, job, source)
    return (_compare(layer.name, ("reference", "golden"), reference.values, golden, reference.beyond(golden),
                     reference.largest_tolerance),
            _compare(layer.name, ("golden", device.name), golden, result, result != golden, 0.0))


def _compare(layer: str, rungs: tuple[str, str], expected: np.ndarray, actual: np.ndarray, beyond: np.ndarray,
             largest_tolerance: float) -> Rung:
    errors = np.abs(actual.astype(np.float64) - expected)
    # What is beyond the tolerance comes first, however small its error.
    worst = np.argmax(errors + beyond * (ACTIVATIONS.max - ACTIVATIONS.min + 1))
    return Rung(layer=layer, lower=rungs[0], upper=rungs[1], equal=not beyond.any(), compared=errors.size,
                different=int(np.count_nonzero(beyond)), max_error=float(errors.max()),
                mean_error=float(errors.mean()), largest_tolerance=largest_tolerance,
                worst=tuple(int(index) for index in np.unravel_index(int(worst), errors.shape)))
