"""Loops whose end is known in time."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, Value


class LoopCount:
    """Counts a loop of `length` steps down; that the step is the last is known at the beginning of its cycle.

    Comparing a position with the end of its loop takes longer than counting, and what follows from it goes far.
    """

    def __init__(self, name: str, length: Value) -> None:
        self._length = length
        self.left = Signal(16, name=f"{name}_left")
        self.is_last = Signal(name=f"last_of_{name}")

    def begins(self) -> tuple:
        """The loop begins, in the next cycle."""
        return self.left.eq(self._length), self.is_last.eq(self._length == 1)

    def advance(self, m: Module) -> None:
        """One step is done; behind the last the loop begins again."""
        m.d.sync += [self.left.eq(self.left - 1), self.is_last.eq(self.left == 2)]
        with m.If(self.is_last):
            m.d.sync += self.begins()
