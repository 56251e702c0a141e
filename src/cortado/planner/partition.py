"""Cutting a network between host and FPGA."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from cortado.engines.engine import Engine
from cortado.errors import PlanError
from cortado.gateware.mapping import NOTHING_STAYS
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec, NetSpec
from cortado.layers.layer import CaffeEngine
from cortado.net.shape_inference import bottom_shapes, count_macs
from cortado.planner.join import StayingMaps
from cortado.planner.plan import Cut, Placement, Target

# The type that goes to the FPGA unless somebody says otherwise.
FPGA_TYPE = "Convolution"
# The type that goes there on request and with several pictures: each weight is used once a picture, so that a job of
# one picture does nothing but wait for weights.
BATCH_TYPE = "InnerProduct"


def partition(net: NetSpec, shapes: dict[str, TensorShape], engine: Engine, *, fpga: Collection[str] = (),
              host: Collection[str] = (), inner_products: bool = False, strict: bool = False,
              other_engines: tuple[Engine, ...] = (), programs: Mapping[str, Engine] | None = None,
              program_cycles: float = 0) -> Cut:
    """Put each layer where it is wanted and can run.

    Wanted on the FPGA are the layers named in `fpga`, those whose file says so (`ocl_enable`, `engine: OCL`), and every
    Convolution neither `host` nor its file keeps away; with `inner_products`, so is every InnerProduct of more than one
    picture. With `strict`, a wanted layer no engine takes is a `PlanError`; otherwise it falls to the host and its
    placement says why. A layer named that is not there is a `PlanError`. No layer runs on the FPGA before the first
    XCLProgram layer, if there is one. Of `engine` and `other_engines` each layer gets one such that the estimated
    cycles of all, with `program_cycles` for each time the device is programmed anew in between, are the fewest. Where
    the XCLProgram layers name several engines (`programs`, by layer), each layer has that of the last one before it.
    """
    names = {layer.name for layer in net.layers}
    for option, asked in (("FPGA", fpga), ("host", host)):
        for name in asked:
            if name not in names:
                raise PlanError(f"network '{net.name}' has no layer '{name}' to put on the {option} "
                                f"(it has: {', '.join(layer.name for layer in net.layers)})")
    both = set(fpga) & set(host)
    if both:
        raise PlanError(f"layer '{min(both)}' must be on the FPGA or on the host, it was asked to be on both")

    named = tuple(dict.fromkeys((programs or {}).values()))
    if len(named) > 1 and other_engines:
        raise PlanError(f"network '{net.name}': its XCLProgram layers say which engine runs what, so no other one can "
                        "be offered; leave --or-engine away")
    for other in (*other_engines, *named):
        if other.data_bits != engine.data_bits:
            raise PlanError(f"engine configuration: data_bits must be {engine.data_bits} as in the first one, not "
                            f"{other.data_bits}: a blob has one format")
    macs = count_macs(net, shapes)
    placements = []
    first_program = next((layer.name for layer in net.layers if layer.type == "XCLProgram"), None)
    offered, programmed = (engine, *other_engines), first_program is None
    choices: dict[int, list[tuple[Engine, float]]] = {}
    for layer in net.layers:
        if layer.type == "XCLProgram":
            programmed = True
            if len(named) > 1:
                offered = (programs[layer.name],)
        bottoms = bottom_shapes(layer, shapes)
        wanted, why = _wish(layer, bottoms, fpga=fpga, host=host, inner_products=inner_products)
        rejection = None
        if wanted:
            rejections = [(other, _rejection(layer, bottoms, other, None if programmed else first_program, fpga))
                          for other in offered]
            rejection = rejections[0][1]
            taking = [(other, other.estimate(layer, bottoms).cycles) for other, refusal in rejections
                      if refusal is None]
            if taking:
                rejection, choices[len(placements)] = None, taking
        on_fpga = wanted and rejection is None
        if rejection is not None and (strict or layer.name in fpga):
            raise PlanError(f"layer '{layer.name}': must run on the FPGA ({why}), but engine '{engine.name}' cannot "
                            f"take it: {rejection}. Change the engine's configuration, or keep the layer on the host "
                            f"(--host {layer.name})")
        placements.append(Placement(
            layer=layer.name, type=layer.type, fused=tuple(fused.type for fused in layer.fused), bottoms=bottoms,
            tops=tuple(shapes[top] for top in layer.tops), macs=macs[layer.name],
            target=Target.FPGA if on_fpga else Target.HOST, wanted=wanted,
            reason=why if rejection is None else f"{engine.name}: {rejection}"))
    chosen = dict(zip(choices, choose_engines(list(choices.values()), program_cycles), strict=True))
    maps = None
    if len(set(chosen.values())) == 1:
        # Another engine's circuit ends what is in memory, and its lanes would hold maps another way.
        maps = StayingMaps(net, shapes, next(iter(chosen.values())), {net.layers[index].name for index in chosen},
                           {*host, *(layer.name for layer in net.layers if layer.ocl_enable is False)})
    for index, best in chosen.items():
        layer, bottoms = net.layers[index], placements[index].bottoms
        staying = maps.of(layer) if maps else NOTHING_STAYS
        placements[index] = replace(
            placements[index], engine=best.name, runs_on=best, staying=staying,
            estimate=best.estimate(layer, bottoms, staying), mapping=best.mapping(layer, bottoms, staying))
    others = other_engines or tuple(other for other in named if other != engine)
    return Cut(net=net, engine=engine, placements=tuple(_joined(place, maps) for place in placements),
               other_engines=others, joins=maps.joins if maps else {})


def _joined(place: Placement, maps: StayingMaps | None) -> Placement:
    """A Concat between layers of one engine: by address, or why not."""
    if maps and place.layer in maps.joins:
        return replace(place, target=Target.MEMORY, reason="its bottoms are written side by side")
    if maps and place.layer in maps.refusals and not place.wanted:
        return replace(place, reason=f"{place.reason}: {maps.refusals[place.layer]}")
    return place


def choose_engines(choices: Sequence[Sequence[tuple[Engine, float]]], program_cycles: float) -> list[Engine]:
    """An engine for each layer, from those that take it with their cycles, the layers in the order they run.

    All cycles together are the fewest, with `program_cycles` wherever a layer has another engine than the one before
    it. Of equals the one named first is taken.
    """
    # For each engine the layer at hand may have: the least cycles up to and with it, and the engines that give them.
    best: dict[Engine, tuple[float, tuple[Engine, ...]]] = {}
    for taking in choices:
        following = {}
        for engine, cycles in taking:
            total, engines = min((
                (total + (program_cycles if before != engine else 0), engines)
                for before, (total, engines) in best.items()), key=lambda way: way[0], default=(0, ()))
            following[engine] = (total + cycles, (*engines, engine))
        best = following
    return list(min(best.values(), key=lambda way: way[0])[1]) if best else []


def _rejection(layer: LayerSpec, bottoms: tuple[TensorShape, ...], engine: Engine, program: str | None,
               fpga: Collection[str]) -> str | None:
    """Why a layer that is wanted on the FPGA cannot run there. `program` is the XCLProgram layer it stands before."""
    if program is not None:
        return f"it stands before XCLProgram layer '{program}', which programs the engine"
    subengine = getattr(layer.parameters, "subengine", None)
    if subengine is not None and subengine.name.lower() != engine.name and layer.name not in fpga:
        return f"its file says subengine: {subengine.name}"
    return engine.rejects(layer, bottoms)


def _wish(layer: LayerSpec, bottoms: tuple[TensorShape, ...], *, fpga: Collection[str], host: Collection[str],
          inner_products: bool) -> tuple[bool, str]:
    """Whether a layer is wanted on the FPGA, and the reason in words.

    What the caller asks goes before what the file asks with `ocl_enable`, and that before its `engine`.
    """
    if layer.type == "XCLProgram":
        return False, "it names the engine's configuration"
    caffe_engine = getattr(layer.parameters, "engine", CaffeEngine.DEFAULT)
    if layer.name in fpga:
        return True, "asked for"
    if layer.name in host:
        return False, "kept on the host as asked"
    if layer.ocl_enable is not None:
        return layer.ocl_enable, f"its file says ocl_enable: {str(layer.ocl_enable).lower()}"
    if caffe_engine is CaffeEngine.OCL:
        return True, "its file says engine: OCL"
    if caffe_engine is CaffeEngine.CAFFE:
        return False, "its file says engine: CAFFE"
    if layer.type == FPGA_TYPE:
        height, width = layer.parameters.kernel
        groups = f", {layer.parameters.group} groups" if layer.parameters.group > 1 else ""
        return True, f"{height}x{width} convolution{groups}"
    if layer.type == BATCH_TYPE and inner_products:
        batch = bottoms[0].dims[0]
        return batch > 1, (f"inner product of {batch} pictures" if batch > 1 else
                           "inner product of one picture, which would wait for its weights")
    return False, f"{layer.type} runs on the host"
