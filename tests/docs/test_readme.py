"""README: the output it shows is what `cortado run` prints, and it names every command there is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cortado.cli import cli

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def words(line: str) -> str:
    return " ".join(line.split())


@pytest.mark.rtlsim
def test_the_output_of_run_is_real():
    shown = re.search(r"```text\n(.*?)```", README, re.DOTALL).group(1).splitlines()
    result = subprocess.run([sys.executable, "-m", "cortado", "run"], capture_output=True, text=True, timeout=600)
    assert (result.returncode, result.stderr) == (0, "")
    printed = {words(line) for line in result.stdout.splitlines()}
    # The wall time is that of another day.
    assert [line for line in shown if line != "..." and not line.startswith("wall time")
            and words(line) not in printed] == []


def test_every_command_is_named():
    assert re.findall(r"^\| `cortado ([\w-]+)", README, re.MULTILINE) == list(cli.commands)
