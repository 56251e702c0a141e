"""Streams that have two ends on one side, of which one is used at a time."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Value


def connected(m: Module, source: object, sink: object) -> None:
    """Connects `source` to `sink`."""
    m.d.comb += [sink.payload.eq(source.payload), sink.valid.eq(source.valid), source.ready.eq(sink.ready)]


def one_of_two_sinks(m: Module, second: Value, source: object, sinks: tuple[object, object]) -> None:
    """Connects `source` to the first sink, or to the second where `second` is 1.

    `second` may change only while nothing is offered, so that what is offered holds until taken.
    """
    for sink, chosen in zip(sinks, (~second, second), strict=True):
        m.d.comb += [sink.payload.eq(source.payload), sink.valid.eq(source.valid & chosen)]
    m.d.comb += source.ready.eq(Mux(second, sinks[1].ready, sinks[0].ready))


def one_of_two_sources(m: Module, second: Value, sources: tuple[object, object], sink: object) -> None:
    """Connects the first source, or the second where `second` is 1, to `sink`; `second` changes as said above."""
    for source, chosen in zip(sources, (~second, second), strict=True):
        m.d.comb += source.ready.eq(sink.ready & chosen)
    m.d.comb += [
        sink.valid.eq(Mux(second, sources[1].valid, sources[0].valid)),
        sink.payload.eq(Mux(second, sources[1].payload, sources[0].payload)),
    ]
