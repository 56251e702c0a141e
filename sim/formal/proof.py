"""What a proof runs on: one component with free inputs, contracts around it and claims about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType

from amaranth.hdl import Assert, Assume, Cat, Const, Cover, Elaboratable, Fragment, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class Proof(Elaboratable):
    """A component under proof. Its inputs are free, reset comes whenever it likes, memories start with anything.

    Every stream keeps the contract of `amaranth.lib.stream`: an offer stays, with its payload, until it is taken. The
    contract of the streams that come in is assumed, that of the streams that go out is claimed; on each stream a
    transfer must be reachable, on those that go out one that had to wait, or the assumptions would leave nothing to
    prove.

    `claims` is called with the proof and adds what else is assumed, claimed and must be reachable. `meant` says of
    streams, by name, what of a payload counts, where some fields say that others do not; `released` when an offer may
    be withdrawn after all.
    """

    def __init__(self, part: wiring.Component, claims: Callable[[Proof], None], *,
                 meant: Mapping[str, Value] = MappingProxyType({}),
                 released: Mapping[str, Value] = MappingProxyType({})) -> None:
        self.part = part
        self._claims, self._meant, self._released = claims, meant, released
        self.choice = Signal(10)
        """A number of the solver's in every cycle: which of many a claim is about."""
        # Only these: an output that nothing drives is zero, and must not be taken for an input.
        self.ports = [self.choice, *(
            Value.cast(port) for _, member, port in part.signature.flatten(part) if member.flow is In)]

    def elaborate(self, platform: object) -> Module:
        self.m = m = Module()
        # Elaborated here, so that the signals inside can be named.
        m.submodules.part = self._inside = Fragment.get(self.part, platform)
        for channel in channels(self.part):
            self._contract(channel)
        self._claims(self)
        return m

    def inside(self, path: str) -> Signal:
        """The one signal of that name inside the component: `room`, or `queue.level` in a submodule of it."""
        *submodules, name = path.split(".")
        found = [signal for signal in self.signals(*submodules) if signal.name == name]
        assert len(found) == 1, f"{path}: must name one signal, not {len(found)}"
        return found[0]

    def signals(self, *submodules: str) -> list[Signal]:
        """Everything that the component, or a submodule of it, drives; and what it reads, unless it drives the name."""
        fragment = self._inside
        for submodule in submodules:
            fragment = next(part for part, label, _ in fragment.subfragments if label == submodule)
        statements = list(fragment.statements.values())
        # Amaranth has no public way to ask a fragment for its signals.
        driven, read = ({id(signal): signal for signal in signals} for signals in (
            chain(*(s._lhs_signals() for s in statements)), chain(*(s._rhs_signals() for s in statements))))
        names = {signal.name for signal in driven.values()}
        return [*driven.values(), *(signal for signal in read.values() if signal.name not in names)]

    def assume(self, name: str, value: Value) -> None:
        """What the surroundings promise in every cycle."""
        self._state("assume", name, Assume(value))

    def claim(self, name: str, value: Value) -> None:
        """What must hold in every cycle."""
        self._state("claim", name, Assert(value))

    def reach(self, name: str, value: Value) -> None:
        """What must hold in some cycle that can be reached."""
        self._state("reach", name, Cover(value))

    def count(self, source: stream.Interface, sink: stream.Interface, held: Value) -> None:
        """Claims that `held` is how many transfers have come in on `source` and not yet gone out on `sink`."""
        counted = Signal(8)
        self.m.d.sync += counted.eq(counted + (source.valid & source.ready) - (sink.valid & sink.ready))
        self.claim("what_comes_in_goes_out", counted == held)

    def queue(self, path: str, depth: int) -> None:
        """Claims of a `SyncFIFOBuffered` inside that it counts its entries and never holds more than `depth`."""
        signal = {name: self.inside(f"{path}.{name}") for name in ("w_rdy", "w_en", "r_rdy", "r_en", "inner_level")}
        held = signal["inner_level"] + signal["r_rdy"]
        counted = Signal(range(2 * depth), name=f"{path}_counted")
        self.m.d.sync += counted.eq(
            counted + (signal["w_en"] & signal["w_rdy"]) - (signal["r_en"] & signal["r_rdy"]))
        self.claim(f"{path}_counts", held == counted)
        self.claim(f"{path}_fits", counted <= depth)

    def pipeline(self, pattern: str = r"valid_\d+") -> None:
        """Claims of a component of registered stages from `i` to `o` that no transfer is lost or made up, and that it
        waits for its output only. The stages ahead of the last have a register whose name matches `pattern` each."""
        source, sink = self.part.i, self.part.o
        valid = Cat(*(signal for signal in self.signals() if re.fullmatch(pattern, signal.name)), sink.valid)
        self.count(source, sink, sum(valid[1:], valid[0] + 0))
        self.claim("waits_for_its_output_only", source.ready | (sink.valid & ~sink.ready))
        self.reach("full", valid.all())

    def _state(self, kind: str, name: str, statement: object) -> None:
        # In a submodule of its own, whose name is all that the solver prints.
        self.m.submodules[f"{kind}_{name}"] = module = Module()
        module.d.comb += statement

    def _contract(self, channel: Channel) -> None:
        m, name = self.m, channel.name
        payload = self._meant.get(name, channel.payload)
        released = self._released.get(name, Const(0))
        waits, offered = Signal(name=f"{name}_waits"), Signal(len(payload), name=f"{name}_offered")
        m.d.sync += [waits.eq(channel.valid & ~channel.ready & ~released), offered.eq(payload)]
        stays = ~waits | released | (channel.valid & (payload == offered))
        if channel.flow is In:
            self.assume(f"{name}_stays", stays)
            self.reach(f"{name}_taken", channel.valid & channel.ready)
        else:
            self.claim(f"{name}_stays", stays)
            self.reach(f"{name}_taken_late", waits & channel.valid & channel.ready)


@dataclass(frozen=True)
class Channel:
    """Something that is offered with `valid` and taken with `ready`: a stream, or a channel of an AXI port."""

    prefix: str
    """What the names of its ports begin with: `o__`, `memory__ar`."""
    flow: wiring.Flow
    """As the component sees it."""
    valid: Value
    ready: Value
    payload: Value

    @property
    def name(self) -> str:
        """For people."""
        return self.prefix.removesuffix("__")


def channels(part: wiring.Component) -> list[Channel]:
    """Every stream of a component (`a__b` in an interface, `a__0` in an array) and every channel of AXI ports."""
    def walk(prefix: str, signature: wiring.Signature, interface: object, flipped: bool) -> Iterator[Channel]:
        ports = {}
        for name, member in signature.members.items():
            # The signature of a member that comes in is flipped already.
            comes_in = member.flow is In if member.is_port else isinstance(member.signature, wiring.FlippedSignature)
            flow, inner = In if comes_in != flipped else Out, getattr(interface, name)
            if member.is_port:
                ports[name] = flow, Value.cast(inner)
                continue
            below = member.signature.flip() if comes_in else member.signature
            elements = [(f"{prefix}{name}", inner)] if not member.dimensions else [
                (f"{prefix}{name}__{index}", element) for index, element in enumerate(inner)]
            for label, port in elements:
                if isinstance(below, stream.Signature):
                    yield Channel(f"{label}__", flow, port.valid, port.ready, Value.cast(port.payload))
                else:
                    yield from walk(f"{label}__", below, port, flow is In)
        for name in (port.removesuffix("valid") for port in ports if port.endswith("valid")):
            flow, valid = ports[f"{name}valid"]
            payload = [value for port, (towards, value) in ports.items()
                       if port.startswith(name) and towards is flow and value is not valid]
            yield Channel(f"{prefix}{name}", flow, valid, ports[f"{name}ready"][1], Cat(payload))
    return list(walk("", part.signature, part, False))
