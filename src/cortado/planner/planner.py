"""From a network to a plan."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cortado.engines.map_layer import MAP_TYPES
from cortado.errors import WeightsError
from cortado.net.net import Net
from cortado.planner.calibration import Calibration
from cortado.planner.map_layer import quantise_map_layer
from cortado.planner.plan import Cut, Plan
from cortado.planner.quantisation import blob_scales, negative_slope, quantise_convolution


def make_plan(cut: Cut, net: Net, pictures: Mapping[str, np.ndarray], calibration: Calibration) -> Plan:
    """Calibrate on `pictures` (float32 arrays by input blob) and choose the formats of every FPGA layer.

    `net` is the cut's network with its weights. Raises `PlanError` for scales that cannot be represented and
    `WeightsError` for values that are no finite numbers.
    """
    leaks = {layer.tops[0]: negative_slope(layer) for layer in map(cut.net.layer, cut.fpga_layers)}
    ranges = calibration.ranges(net, pictures, {blob: slope for blob, slope in leaks.items() if slope},
                                cut.activations)
    for blob, value in ranges.items():
        if not np.isfinite(value):
            raise WeightsError(f"blob '{blob}': its values must be finite on the calibration pictures, not {value}; "
                               "check the weights and the input's scale")
    scales = blob_scales(cut.net, ranges, cut.activations)
    weights = net.weights()
    formats, convolutions, map_operations = {}, {}, {}
    for name in cut.fpga_layers:
        if cut.net.layer(name).type in MAP_TYPES:
            map_operations[name] = quantise_map_layer(cut.net.layer(name), scales)
            continue
        convolutions[name], formats[name] = quantise_convolution(
            cut.net.layer(name), cut.placement(name).bottoms[0], weights[name], scales,
            data_bits=cut.activations.width, weight_bits=cut.engine_of(name).weight_bits)
    count = len(next(iter(pictures.values())))
    return Plan(cut=cut, scales=scales, calibration=f"{calibration} over {count} pictures", formats=formats,
                convolutions=convolutions, map_operations=map_operations)
