"""From a network to a plan."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cortado.errors import WeightsError
from cortado.net.net import Net
from cortado.planner.calibration import Calibration
from cortado.planner.plan import Cut, Plan
from cortado.planner.quantisation import blob_scales, quantise_convolution


def make_plan(cut: Cut, net: Net, pictures: Mapping[str, np.ndarray], calibration: Calibration) -> Plan:
    """Calibrate on `pictures` (float32 arrays by input blob) and choose the formats of every FPGA layer.

    `net` is the cut's network with its weights. Raises `PlanError` for scales that cannot be represented and
    `WeightsError` for values that are no finite numbers.
    """
    ranges = calibration.ranges(net, pictures)
    for blob, value in ranges.items():
        if not np.isfinite(value):
            raise WeightsError(f"blob '{blob}': its values must be finite on the calibration pictures, not {value}; "
                               "check the weights and the input's scale")
    scales = blob_scales(cut.net, ranges)
    weights = net.weights()
    formats, convolutions = {}, {}
    for name in cut.fpga_layers:
        convolutions[name], formats[name] = quantise_convolution(cut.net.layer(name), weights[name], scales)
    count = len(next(iter(pictures.values())))
    return Plan(cut=cut, scales=scales, calibration=f"{calibration} over {count} pictures", formats=formats,
                convolutions=convolutions)
