"""Registered stages between streams."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, Value


def stage(m: Module, i_valid: Value, o_valid: Signal, o_ready: Value) -> Value:
    """One registered stage: drives the register `o_valid` and returns whether the stage moves this cycle.

    A stage moves when it is empty or its content is taken. The caller loads the stage's payload registers under the
    returned condition and offers it as `ready` to the stage before. `valid` holds until taken and never waits for
    `ready`.
    """
    moves = ~o_valid | o_ready
    with m.If(moves):
        m.d.sync += o_valid.eq(i_valid)
    return moves
