"""The command line, called as the installed command calls it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cortado.cli import main


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict:
        """Standard output as the one JSON object it must be."""
        return json.loads(self.out)


@pytest.fixture
def cortado(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
            tmp_path: Path) -> Callable[..., Ended]:
    """Run `cortado ARGUMENTS` in an empty folder, in this process: torch takes seconds to import."""
    monkeypatch.chdir(tmp_path)
    # Usage messages name the program as the installed script has it, not `python -m pytest`.
    monkeypatch.setattr(sys.modules["__main__"], "__package__", None)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["cortado", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Ended(ended.value.code or 0, out, err)

    return run
