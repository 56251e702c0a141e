"""Layers run in an order in which the device is rarely programmed."""

from __future__ import annotations

from itertools import pairwise

import pytest

from cortado.engines.winograd import Winograd
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec, NetSpec
from cortado.planner.plan import Cut, Placement, Target
from cortado.planner.schedule import schedule

ENGINES = {name: Winograd.from_fields({"m": 2, "pc": 1, "pk": pk}) for name, pk in (("A", 1), ("B", 2))}
SHAPE = TensorShape((1, 1, 4, 4))


def cut(*layers: str) -> Cut:
    """Each layer is `name: bottoms -> engine`; no engine is the host."""
    specs, placements = [], []
    for text in layers:
        name, _, rest = text.partition(":")
        bottoms, _, engine = (part.strip() for part in rest.partition("->"))
        kind = "XCLProgram" if name.startswith("program") else "Convolution"
        specs.append(LayerSpec(name=name, type=kind, bottoms=tuple(bottoms.split()), tops=(name,),
                               parameters=None))
        placements.append(Placement(
            layer=name, type=kind, fused=(), bottoms=(SHAPE,), tops=(SHAPE,), macs=0, wanted=bool(engine), reason="",
            target=Target.FPGA if engine else Target.HOST, runs_on=ENGINES.get(engine)))
    return Cut(net=NetSpec(name="n", phase="TEST", layers=tuple(specs)), engine=ENGINES["A"],
               placements=tuple(placements), other_engines=(ENGINES["B"],))


def words(made: Cut) -> str:
    names = {engine: name for name, engine in ENGINES.items()}
    return "; ".join(f"{names.get(segment.engine, 'host')} {' '.join(place.layer for place in segment.placements)}"
                     for segment in schedule(made))


@pytest.mark.parametrize(("layers", "expected"), [
    (("in:", "a: in"), "host in a"),
    (("in:", "a: in -> A", "b: a", "c: b -> A"), "A in a b c"),
    # A chain leaves no choice.
    (("in:", "a: in -> A", "b: a -> B", "c: b -> A"), "A in a; B b; A c"),
    # Two branches that change in turn run engine by engine.
    (("in:", "a: in -> A", "b: a -> B", "c: in -> A", "d: c -> B", "e: b d"), "A in a c; B b d e"),
    # It pays to begin with the second engine.
    (("in:", "a: in -> A", "b: in -> B", "c: b -> A"), "B in b; A a c"),
    # The network says when.
    (("in:", "program1:", "a: in -> A", "program2:", "b: in -> B", "program3:", "c: in -> A"),
     "A in program1 a program2; B b program3; A c"),
])
def test_segments(layers, expected):
    assert words(cut(*layers)) == expected


def test_every_layer_runs_once_and_behind_what_it_reads(rng):
    for _ in range(50):
        layers = ["n0:"]
        for number in range(1, 12):
            bottoms = " ".join(f"n{index}" for index in {int(rng.integers(number)) for _ in range(2)})
            layers.append(f"n{number}: {bottoms} -> {rng.choice(['', 'A', 'B'])}")
        made = cut(*layers)
        segments = schedule(made)
        order = [place.layer for segment in segments for place in segment.placements]
        assert sorted(order) == sorted(place.layer for place in made.placements)
        for name in order:
            assert set(made.net.layer(name).bottoms) <= set(order[:order.index(name)])
        for segment in segments:
            assert {place.runs_on for place in segment.placements} <= {None, segment.engine}
        in_file_order = [place.runs_on for place in made.placements if place.runs_on]
        changes = sum(one != other for one, other in pairwise(in_file_order))
        assert sum(segment.engine is not None for segment in segments) <= changes + bool(in_file_order)
