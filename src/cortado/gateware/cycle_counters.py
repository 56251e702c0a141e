"""Where the cycles of a job went."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

COUNTER_BITS = 48

# An idle cycle has the first of these causes that holds.
IDLE_CAUSES = {
    "map": "a pooling or an addition runs, in which the multipliers have no part",
    "output": "finished tiles wait because the rows before them wait for the memory",
    "drain": "finished tiles wait for the inverse transform: fewer than pk channel blocks of input",
    "weights": "a tile waits for the weights of its pass",
    "hazard": "a pass of fewer than four tiles waits for its accumulators",
    "input": "the block being read waits for its input, or its first tile is on the way",
    "finish": "every tile has been multiplied; results are on their way to memory",
    "setup": "no block to multiply has been decoded, at the start of a job or between blocks",
}
COUNTER_NAMES = ("cycles", "busy", *(f"idle_{cause}" for cause in (
    "setup", "input", "weights", "drain", "output", "hazard", "finish", "map")))

COUNTERS_SIGNATURE = wiring.Signature({name: Out(COUNTER_BITS) for name in COUNTER_NAMES})


class CycleCounters(wiring.Component):
    """Counts the cycles of a job; each is busy or idle for one cause, the first in `IDLE_CAUSES` that holds.

    A cycle shows in the counters three cycles later: the conditions come from everywhere.

    Members
    -------
    clear : In(1)
        A job begins.
    running : In(1)
    busy : In(1)
        The multipliers take a tile.
    causes : In(1) each
        Conditions by name; when none holds the cause is `setup`.
    counters : Out(COUNTERS_SIGNATURE)
    """

    def __init__(self) -> None:
        super().__init__({
            "clear": In(1),
            "running": In(1),
            "busy": In(1),
            **{f"is_{cause}": In(1) for cause in IDLE_CAUSES if cause != "setup"},
            "counters": Out(COUNTERS_SIGNATURE),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()

        conditions = ("clear", "running", "busy", *(f"is_{cause}" for cause in IDLE_CAUSES if cause != "setup"))
        of_cycle = {name: Signal(name=f"{name}_of_cycle") for name in conditions}
        m.d.sync += [register.eq(getattr(self, name)) for name, register in of_cycle.items()]
        clears = Signal()
        counts = {name: Signal(name=f"counts_{name}") for name in COUNTER_NAMES}
        m.d.sync += [clears.eq(of_cycle["clear"]), *(signal.eq(0) for signal in counts.values())]
        with m.If(of_cycle["running"] & ~of_cycle["clear"]):
            m.d.sync += counts["cycles"].eq(1)
            with m.If(of_cycle["busy"]):
                m.d.sync += counts["busy"].eq(1)
            for cause in IDLE_CAUSES:
                if cause == "setup":
                    with m.Else():
                        m.d.sync += counts["idle_setup"].eq(1)
                else:
                    with m.Elif(of_cycle[f"is_{cause}"]):
                        m.d.sync += counts[f"idle_{cause}"].eq(1)
        for name, counted in counts.items():
            counter = getattr(self.counters, name)
            with m.If(clears):
                m.d.sync += counter.eq(0)
            with m.Elif(counted):
                m.d.sync += counter.eq(counter + 1)
        return m
