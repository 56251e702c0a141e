"""Progress of long work, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cortado.cli.output import is_terminal


class Progress:
    """One line on standard error: the layer that runs and how far its job is."""

    def __init__(self, line: Any = None) -> None:
        self._line = line
        self._words, self._expected = "", 0

    def layer(self, placement: Any) -> None:
        """A layer begins."""
        self._words = placement.layer
        self._expected = placement.estimate.cycles if placement.estimate else 0
        if self._line is not None:
            self._line.update(f"{self._words} on the {placement.target.value}")

    def bench_layer(self, layer: Any, number: int, count: int, cycles: int) -> None:
        """A layer of a bench begins."""
        self._words, self._expected = f"{layer.network} {layer.name}, {number} of {count},", cycles
        self.say(f"{self._words} on the FPGA")

    def say(self, words: str) -> None:
        """What is going on, in words."""
        if self._line is not None:
            self._line.update(words)

    def cycles(self, cycles: int) -> None:
        """A job is at this cycle."""
        if self._line is not None:
            self._line.update(f"{self._words} on the FPGA: {cycles:,} of about {self._expected:,} cycles")


@contextmanager
def progress_line(as_json: bool, begin: str = "starting: the first run builds the simulator") -> Iterator[Progress]:
    """Progress while the block runs, on a terminal only; `begin` is said first."""
    if as_json or not is_terminal(sys.stderr):
        yield Progress()
        return
    from rich.console import Console

    with Console(stderr=True).status(begin) as line:
        yield Progress(line)
