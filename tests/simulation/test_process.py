"""Running outside commands."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from cortado.errors import ToolError
from cortado.simulation.process import Command, run_commands


def python(program: str, folder: Path, **changes) -> Command:
    """A command that runs a line of Python."""
    return Command(**{"tool": "python", "task": "run a line", "folder": folder,
                      "arguments": (sys.executable, "-c", program), **changes})


def test_runs_all_in_order(tmp_path: Path) -> None:
    run_commands(python(f"open('log', 'a').write('{index}')", tmp_path) for index in range(4))
    assert (tmp_path / "log").read_text() == "0123"


def test_runs_several_at_once(tmp_path: Path) -> None:
    # Each waits for the other's file: one after the other they would wait for ever.
    wait = ("import pathlib, time\npathlib.Path('{0}').touch()\n"
            "while not pathlib.Path('{1}').exists(): time.sleep(0.01)")
    run_commands([python(wait.format("a", "b"), tmp_path), python(wait.format("b", "a"), tmp_path)], jobs=2)


def test_environment_is_added(tmp_path: Path) -> None:
    run_commands([python("import os; assert os.environ['ROOT'] == 'here' and os.environ['PATH']", tmp_path,
                         environment={"ROOT": "here"})])


def test_failure_shows_the_last_lines(tmp_path: Path) -> None:
    program = "import sys\nfor i in range(30): print('line', i, flush=True)\nsys.exit('the end')"
    lines = "\n".join([*(f"line {index}" for index in range(11, 30)), "the end"])
    message = f"python: must run a line, not fail (exit code 1)\n{lines}"
    with pytest.raises(ToolError, match=f"^{re.escape(message)}$") as caught:
        run_commands([python(program, tmp_path)])
    assert caught.value.exit_code == 1
    assert caught.value.last_lines == lines
    assert caught.value.command.startswith(f"{sys.executable} -c")


def test_missing_program(tmp_path: Path) -> None:
    message = "python: must run a line, not fail to start: No such file or directory"
    with pytest.raises(ToolError, match=f"^{re.escape(message)}$"):
        run_commands([python("", tmp_path, arguments=("no-such-program-anywhere",))])


def is_alive(process: int) -> bool:
    """Whether a process exists that is no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def sleeper(folder: Path) -> Command:
    """A command with a child of its own; both write their ids and sleep."""
    program = ("import os, subprocess, sys, time\n"
               "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
               "open('new', 'w').write(f'{os.getpid()} {child.pid}')\nos.rename('new', 'ids')\ntime.sleep(60)")
    return python(program, folder)


def wait_for(path: Path) -> None:
    """Return when a file exists."""
    limit = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < limit, f"{path} did not appear"
        time.sleep(0.01)


def assert_ended(folder: Path) -> None:
    """Both processes of `sleeper` end."""
    limit = time.monotonic() + 5
    ids = [int(text) for text in (folder / "ids").read_text().split()]
    while any(is_alive(process) for process in ids):
        assert time.monotonic() < limit, "a process was left running"
        time.sleep(0.01)


def test_interrupt_ends_what_runs(tmp_path: Path) -> None:
    def interrupt() -> None:
        wait_for(tmp_path / "ids")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run_commands([sleeper(tmp_path)])
    thread.join()
    assert_ended(tmp_path)


def test_failure_ends_what_else_runs(tmp_path: Path) -> None:
    fails = python("import os, sys, time\nwhile not os.path.exists('ids'): time.sleep(0.01)\nsys.exit(3)", tmp_path)
    with pytest.raises(ToolError, match=r"^python: must run a line, not fail \(exit code 3\)$"):
        run_commands([sleeper(tmp_path), fails], jobs=2)
    assert_ended(tmp_path)
