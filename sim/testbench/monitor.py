"""Watches an AXI4 port and says what is under way."""

from __future__ import annotations

import cocotb
from cocotb.handle import SimHandleBase
from cocotb.triggers import RisingEdge


class Monitor:
    """Counts the bursts and beats of the port `prefix`, cycle by cycle."""

    def __init__(self, dut: SimHandleBase, prefix: str) -> None:
        self._dut, self._prefix = dut, prefix
        self.reads = self.writes = 0
        """Bursts that have been asked for and are not finished."""
        self.beats_to_come = 0
        """Beats of the bursts of writing that have not been sent; below 0 while data is ahead of its address."""
        self.bursts = 0
        """Asked for from the beginning on."""
        cocotb.start_soon(self._watch())

    @property
    def drained(self) -> bool:
        """Whether every burst has had its data and its answer."""
        return not (self.reads or self.writes or self.beats_to_come)

    def __str__(self) -> str:
        return f"{self.reads} reads, {self.writes} writes, {self.beats_to_come} beats of writes under way"

    def forget(self) -> None:
        """What was under way, as by a reset of the circuit and of the memory."""
        self.reads = self.writes = self.beats_to_come = 0

    async def _watch(self) -> None:
        while True:
            await RisingEdge(self._dut.clk)
            if self._moves("ar"):
                self.reads += 1
                self.bursts += 1
            if self._moves("r") and int(self._value("rlast")):
                self.reads -= 1
            if self._moves("aw"):
                self.writes += 1
                self.bursts += 1
                self.beats_to_come += int(self._value("awlen")) + 1
            if self._moves("w"):
                self.beats_to_come -= 1
            if self._moves("b"):
                self.writes -= 1

    def _moves(self, channel: str) -> bool:
        """Whether a transfer happens on a channel."""
        return bool(self._value(f"{channel}valid")) and bool(self._value(f"{channel}ready"))

    def _value(self, name: str) -> object:
        return getattr(self._dut, f"{self._prefix}_{name}").value
