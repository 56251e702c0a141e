"""Cutting a network between host and FPGA."""

from __future__ import annotations

from collections.abc import Collection

from cortado.engines.engine import Engine
from cortado.errors import PlanError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec, NetSpec
from cortado.layers.layer import CaffeEngine
from cortado.net.shape_inference import bottom_shapes, count_macs
from cortado.planner.plan import Cut, Placement, Target

# Types that go to the FPGA unless somebody says otherwise.
FPGA_TYPES = ("Convolution",)


def partition(net: NetSpec, shapes: dict[str, TensorShape], engine: Engine, *, fpga: Collection[str] = (),
              host: Collection[str] = (), strict: bool = False) -> Cut:
    """Put each layer where it is wanted and can run.

    Wanted on the FPGA are the layers named in `fpga`, those whose file says so (`ocl_enable`, `engine: OCL`), and every
    Convolution neither `host` nor its file keeps away. With `strict`, a wanted layer no engine takes is a `PlanError`;
    otherwise it falls to the host and its placement says why. The parts of a layer a pass has cut answer to its name
    too. A layer named that is not there is a `PlanError`. No layer runs on the FPGA before the first XCLProgram layer,
    if there is one.
    """
    names = {layer.name for layer in net.layers} | {layer.part_of for layer in net.layers if layer.part_of}
    for option, asked in (("FPGA", fpga), ("host", host)):
        for name in asked:
            if name not in names:
                raise PlanError(f"network '{net.name}' has no layer '{name}' to put on the {option} "
                                f"(it has: {', '.join(layer.name for layer in net.layers)})")
    both = set(fpga) & set(host)
    if both:
        raise PlanError(f"layer '{min(both)}' must be on the FPGA or on the host, it was asked to be on both")

    macs = count_macs(net, shapes)
    placements = []
    programs = [layer.name for layer in net.layers if layer.type == "XCLProgram"]
    programmed = not programs
    for layer in net.layers:
        programmed = programmed or layer.type == "XCLProgram"
        bottoms = bottom_shapes(layer, shapes)
        wanted, why = wish(layer, fpga, host)
        rejection = None
        if wanted:
            rejection = _rejection(layer, bottoms, engine, None if programmed else programs[0], fpga)
        on_fpga = wanted and rejection is None
        if rejection is not None and (strict or is_named(layer, fpga)):
            raise PlanError(f"layer '{layer.name}': must run on the FPGA ({why}), but engine '{engine.name}' cannot "
                            f"take it: {rejection}. Change the engine's configuration, or keep the layer on the host "
                            f"(--host {layer.part_of or layer.name})")
        placements.append(Placement(
            layer=layer.name, type=layer.type, fused=tuple(fused.type for fused in layer.fused), bottoms=bottoms,
            tops=tuple(shapes[top] for top in layer.tops), macs=macs[layer.name],
            target=Target.FPGA if on_fpga else Target.HOST, wanted=wanted,
            reason=why if rejection is None else f"{engine.name}: {rejection}",
            engine=engine.name if on_fpga else None,
            estimate=engine.estimate(layer, bottoms) if on_fpga else None))
    return Cut(net=net, engine=engine, placements=tuple(placements))


def is_named(layer: LayerSpec, names: Collection[str]) -> bool:
    """Whether the layer, or the one it was cut from, is among `names`."""
    return layer.name in names or layer.part_of in names


def _rejection(layer: LayerSpec, bottoms: tuple[TensorShape, ...], engine: Engine, program: str | None,
               fpga: Collection[str]) -> str | None:
    """Why a layer that is wanted on the FPGA cannot run there. `program` is the XCLProgram layer it stands before."""
    if program is not None:
        return f"it stands before XCLProgram layer '{program}', which programs the engine"
    subengine = getattr(layer.parameters, "subengine", None)
    if subengine is not None and subengine.name.lower() != engine.name and not is_named(layer, fpga):
        return f"its file says subengine: {subengine.name}"
    return engine.rejects(layer, bottoms)


def wish(layer: LayerSpec, fpga: Collection[str], host: Collection[str]) -> tuple[bool, str]:
    """Whether a layer is wanted on the FPGA, and the reason in words.

    What the caller asks goes before what the file asks with `ocl_enable`, and that before its `engine`.
    """
    if layer.type == "XCLProgram":
        return False, "it names the engine's configuration"
    caffe_engine = getattr(layer.parameters, "engine", CaffeEngine.DEFAULT)
    if is_named(layer, fpga):
        return True, "asked for"
    if is_named(layer, host):
        return False, "kept on the host as asked"
    if layer.ocl_enable is not None:
        return layer.ocl_enable, f"its file says ocl_enable: {str(layer.ocl_enable).lower()}"
    if caffe_engine is CaffeEngine.OCL:
        return True, "its file says engine: OCL"
    if caffe_engine is CaffeEngine.CAFFE:
        return False, "its file says engine: CAFFE"
    if layer.type in FPGA_TYPES:
        return True, "3x3 convolution" if getattr(layer.parameters, "kernel", None) == (3, 3) else "convolution"
    return False, f"{layer.type} runs on the host"
