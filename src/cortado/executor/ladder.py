"""The ladder: reference (float) -> golden (integers) -> devices, one FPGA layer at a time.

Only the first step has a tolerance, and it is derived, not chosen: what rounding weights, bias, multiplier and result
does to this layer on these inputs (`executor.reference`). Every other step is equal to the bit.

Behind many layers, pictures become maps of few different numbers, on which a wrong device may look right. The step to
the device therefore runs each layer on one more map, random over the whole range.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cortado.device.device import Device, DeviceOptions
from cortado.device.golden import GoldenDevice
from cortado.executor.executor import Executor, run_job
from cortado.executor.fpga_layer import FpgaLayer
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
          started: Callable[[Placement], None] | None = None, between: Sequence[Device] = ()) -> tuple[Rung, ...]:
    """Every step of each of `layers`: golden against reference, then each of `between` and the device against the
    rung before.

    The input of each layer is what golden makes of the layers before it, so that one layer's difference does not show
    in the next. `inputs` are float32 pictures by blob.
    """
    rungs: list[Rung] = []
    with GoldenDevice(DeviceOptions(memory_bytes=device.options.memory_bytes)) as golden:
        read = {bottom for name in plan.cut.fpga_layers for bottom in plan.cut.net.layer(name).bottoms}
        values = Executor(plan, net, golden).run(inputs, keep=read).values
    for name in layers:
        if started is not None:
            started(plan.cut.placement(name))
        layer = FpgaLayer(plan, name)
        devices = (*between, device)
        for rung in devices:
            rung.program(layer.engine.design())
        operands = layer.operands(values)
        golden = layer.job(operands[0].shape).golden(*operands)
        rungs.append(_compare_reference(layer, net, values, operands, golden))
        rungs.extend(_compare_devices(layer, devices, operands, golden))
    return tuple(rungs)


def _compare_reference(layer: FpgaLayer, net: Net, values: Mapping[str, np.ndarray], operands: Sequence[np.ndarray],
                       golden: np.ndarray) -> Rung:
    """Golden against the layer in float."""
    plan, stage, bottoms = layer.plan, net.stage(layer.name), layer.spec.bottoms
    if layer.is_map_layer:
        reference, tolerance = map_reference(stage, plan.map_operations[layer.name], operands,
                                             [plan.scales[bottom] for bottom in bottoms],
                                             plan.scales[layer.spec.tops[0]])
        return _compare(layer.name, ("reference", "golden"), reference, golden,
                        np.abs(golden - reference) > tolerance, float(tolerance.max()))
    view = ConvolutionView(layer=layer.spec, bottom=TensorShape(values[bottoms[0]].shape))
    reference = make_reference(view, stage, plan.formats[layer.name], operands[0])
    return _compare(layer.name, ("reference", "golden"), reference.values, golden, reference.beyond(golden),
                    reference.largest_tolerance)


def _compare_devices(layer: FpgaLayer, devices: Sequence[Device], operands: Sequence[np.ndarray],
                     golden: np.ndarray) -> list[Rung]:
    """Each device against the rung before it, to the bit, on `operands`, whose result is known, and on random maps."""
    rng = np.random.default_rng(RANDOM_SEED)
    random = [noise(operand[:1], rng) for operand in operands]
    expected = np.concatenate([golden, layer.job(random[0].shape).golden(*random)])
    rungs, lower = [], "golden"
    for device in devices:
        result = np.concatenate([run_job(device, layer.job(maps[0].shape), *maps)[0] for maps in (operands, random)])
        rungs.append(_compare(layer.name, (lower, device.name), expected, result, result != expected, 0.0))
        lower, expected = device.name, result
    return rungs


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
