"""A board as a user has one: a maker's library, here on the simulator, and a class on top of it from the document."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cortado.conformance.suite import engine_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "devices.md"

ACME = '''
"""The library of a board's maker, with a simulation for the board."""

from cortado.conformance.suite import engine_of
from cortado.device.simulated_transport import SimulatedTransport
from cortado.gateware.register import Register


def open(card):
    return Card()


class Card:
    def __init__(self):
        self._board = SimulatedTransport(64 * 2**20)

    def load(self, file):
        design = engine_of({}).design()
        assert file.name == f"{design.configuration_hash}.bit"
        self._board.program(design)

    def peek(self, address):
        if address == Register.STATUS:
            # Time passes between two looks, as it does on a board.
            self._board.wait_interrupt(0.01, 200)
        return self._board.register_read(address)

    def poke(self, address, value):
        self._board.register_write(address, value)

    def fetch(self, address, size):
        return self._board.memory_read(address, size)

    def store(self, address, data):
        self._board.memory_write(address, data)

    def close(self):
        self._board.close()
'''


@pytest.fixture
def board_folder(tmp_path: Path, simulator_tools: None) -> Path:
    """A folder with `my_board.py` as docs/devices.md has it, the maker's library, and a bitstream."""
    example = re.search(r"```python\n(from pathlib.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL).group(1)
    (tmp_path / "my_board.py").write_text(example)
    (tmp_path / "acme.py").write_text(ACME)
    (tmp_path / f"{engine_of({}).configuration.hash}.bit").touch()
    return tmp_path
