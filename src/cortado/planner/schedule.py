"""The order in which layers run, so that the device is rarely programmed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cortado.engines.engine import Engine
from cortado.planner.plan import Cut, Placement


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Layers that run one after the other on a device that stays what it is; `engine` is None where all are hosts'."""

    engine: Engine | None
    placements: tuple[Placement, ...]


def schedule(cut: Cut) -> tuple[Segment, ...]:
    """All layers in an order their blobs allow; the device is programmed once for each segment with an engine.

    With one engine this is the order of the network. With several, layers that do not wait for each other are put
    behind one another where they have an engine in common: everything that can run with the engine at hand runs before
    another one is loaded, and of the engines to begin with, the one with the fewest segments is taken. A network with
    XCLProgram layers says itself when the device is programmed, so its order stays.
    """
    engines = tuple(dict.fromkeys(place.runs_on for place in cut.placements if place.runs_on is not None))
    if len(engines) < 2 or any(place.type == "XCLProgram" for place in cut.placements):
        return _segments(cut.placements)
    return min((_segments(_order(cut, first)) for first in engines), key=len)


def _order(cut: Cut, engine: Engine) -> list[Placement]:
    """The placements, as many as can with `engine` first."""
    layers = {place.layer: cut.net.layer(place.layer) for place in cut.placements}
    waiting, made, order = list(cut.placements), set(), []

    def ready() -> Iterable[Placement]:
        return (place for place in waiting if made.issuperset(layers[place.layer].bottoms))

    while waiting:
        place = next((place for place in ready() if place.runs_on in (None, engine)), None)
        if place is None:
            place = next(iter(ready()))
            engine = place.runs_on
        waiting.remove(place)
        order.append(place)
        made.update(layers[place.layer].tops)
    return order


def _segments(order: Iterable[Placement]) -> tuple[Segment, ...]:
    """Cut where the engine changes."""
    segments: list[Segment] = []
    for place in order:
        if segments and (place.runs_on is None or segments[-1].engine in (None, place.runs_on)):
            engine, placements = segments[-1].engine or place.runs_on, (*segments[-1].placements, place)
            segments[-1] = Segment(engine=engine, placements=placements)
        else:
            segments.append(Segment(engine=place.runs_on, placements=(place,)))
    return tuple(segments)
