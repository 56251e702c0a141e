"""Which grouped convolutions are worth a split into their groups."""

from __future__ import annotations

from collections.abc import Collection

from cortado.engines.engine import Engine
from cortado.graph.shape import TensorShape
from cortado.graph.spec import NetSpec
from cortado.net.shape_inference import infer_shapes
from cortado.passes.split_groups import group_part
from cortado.planner.partition import wish

# MACs that each multiplier must do in a cycle on one group. With a channel a group, as in a depthwise convolution, it
# would be a hundredth: most lanes of an engine idle, and every group is a job of its own.
LEAST_USE = 0.25


def groups_to_split(net: NetSpec, engine: Engine, *, fpga: Collection[str] = (),
                    host: Collection[str] = ()) -> frozenset[str]:
    """Names of the grouped convolutions that are wanted on the FPGA and whose groups the engine takes one by one.

    `fpga` and `host` as in `partition`. A convolution named in `fpga` is split even where that uses the engine badly.
    """
    shapes = infer_shapes(net)
    names = set()
    for layer in net.layers:
        if layer.type != "Convolution" or layer.parameters.group == 1 or not wish(layer, fpga, host)[0]:
            continue
        batch, channels, *rest = shapes[layer.bottoms[0]].dims
        bottoms = (TensorShape((batch, channels // layer.parameters.group, *rest)),)
        part = group_part(layer, 0)
        if engine.rejects(part, bottoms) is None and (
                layer.name in fpga or engine.estimate(part, bottoms).macs_per_multiplier_cycle >= LEAST_USE):
            names.add(layer.name)
    return frozenset(names)
