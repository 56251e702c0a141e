"""The ladder: reference (float) -> golden (integers) -> device, one FPGA layer at a time.

Only the first step has a tolerance, and it is derived, not chosen: what rounding weights, bias, multiplier and result
does to this layer on these inputs (`executor.reference`). Every other step is equal to the bit.

Behind many layers, pictures become maps of few different numbers, on which a wrong device may look right. The step to
the device therefore runs each layer on one more map, random over the whole range.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np

from cortado.device.device import Device, DeviceOptions
from cortado.device.golden import GoldenDevice
from cortado.engines.map_layer import MAP_TYPES
from cortado.executor.executor import Executor, run_job, run_map_job
from cortado.executor.map_reference import map_reference
from cortado.executor.reference import make_reference
from cortado.graph.shape import TensorShape
from cortado.layers.convolution_view import ConvolutionView
from cortado.net.net import Net
from cortado.planner.plan import Placement, Plan

RANDOM_SEED = 0


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
    """(n, k, y, x) of the largest error; of those beyond the tolerance where there are any. The random map is the
    last n."""
    largest_tolerance: float
    """The largest error rounding explains, in steps of the output's scale; 0 where every bit counts."""


def climb(plan: Plan, net: Net, device: Device, inputs: Mapping[str, np.ndarray], *, layers: Collection[str],
          started: Callable[[Placement], None] | None = None) -> tuple[Rung, ...]:
    """Both steps of each of `layers`: golden against reference, the device against golden.

    The input of each layer is what golden makes of the layers before it, so that one layer's difference does not show
    in the next. `inputs` are float32 pictures by blob.
    """
    rungs: list[Rung] = []
    with GoldenDevice(DeviceOptions(memory_bytes=device.options.memory_bytes)) as golden:
        executor = Executor(plan, net, golden)
        values = executor.run(inputs).values
    for name in layers:
        if started is not None:
            started(plan.cut.placement(name))
        device.program(plan.cut.engine_of(name).design())
        layer = plan.cut.net.layer(name)
        if layer.type in MAP_TYPES:
            rungs.extend(_climb_map_layer(executor, net, device, name, values))
            continue
        bottom = values[layer.bottoms[0]]
        source = executor.maps(name, bottom)
        golden = plan.convolutions[name].golden(source)
        view = ConvolutionView(layer=layer, bottom=TensorShape(bottom.shape))
        reference = make_reference(view, net.stage(name), plan.formats[name], source)
        rungs.append(_compare(name, ("reference", "golden"), reference.values, golden, reference.beyond(golden),
                              reference.largest_tolerance))
        rungs.append(_compare_device(executor, device, name, source, golden))
    return tuple(rungs)


def _climb_map_layer(executor: Executor, net: Net, device: Device, name: str,
                     values: Mapping[str, np.ndarray]) -> tuple[Rung, Rung]:
    """Both steps of a pooling or an addition."""
    plan, layer = executor.plan, executor.plan.cut.net.layer(name)
    operands = executor.operands(name, values)
    golden = executor.map_job(name, operands[0]).golden(*operands)
    reference, tolerance = map_reference(net.stage(name), plan.map_operations[name], operands,
                                         [plan.scales[bottom] for bottom in layer.bottoms], plan.scales[layer.tops[0]])
    first = _compare(name, ("reference", "golden"), reference, golden, np.abs(golden - reference) > tolerance,
                     float(tolerance.max()))
    rng = np.random.default_rng(RANDOM_SEED)
    random = [noise(operand[:1], rng) for operand in operands]
    expected = np.concatenate([golden, executor.map_job(name, random[0]).golden(*random)])
    result = np.concatenate([run_map_job(device, executor.map_job(name, maps[0]), maps)[0]
                             for maps in (operands, random)])
    return first, _compare(name, ("golden", device.name), expected, result, result != expected, 0.0)


def _compare_device(executor: Executor, device: Device, layer: str, source: np.ndarray, golden: np.ndarray) -> Rung:
    """The device against golden on `source`, whose result is known, and on a random map."""
    random = noise(source[:1], np.random.default_rng(RANDOM_SEED))
    expected = np.concatenate([golden, executor.plan.convolutions[layer].golden(random)])
    result = np.concatenate([run_job(device, executor.job(layer, maps), maps)[0] for maps in (source, random)])
    return _compare(layer, ("golden", device.name), expected, result, result != expected, 0.0)


def noise(maps: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Maps of the shape and type of `maps`, any number of the type as likely as any other."""
    limits = np.iinfo(maps.dtype)
    return rng.integers(limits.min, limits.max, maps.shape, maps.dtype, endpoint=True)


def _compare(layer: str, rungs: tuple[str, str], expected: np.ndarray, actual: np.ndarray, beyond: np.ndarray,
             largest_tolerance: float) -> Rung:
    errors = np.abs(actual.astype(np.float64) - expected)
    # What is beyond the tolerance comes first, however small its error.
    worst = np.argmax(errors + beyond * (errors.max() + 1))
    return Rung(layer=layer, lower=rungs[0], upper=rungs[1], equal=not beyond.any(), compared=errors.size,
                different=int(np.count_nonzero(beyond)), max_error=float(errors.max()),
                mean_error=float(errors.mean()), largest_tolerance=largest_tolerance,
                worst=tuple(int(index) for index in np.unravel_index(int(worst), errors.shape)))
