"""Runs outside commands, several at once, and leaves none behind."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from cortado.errors import ToolError

LAST_LINES = 20
POLL_SECONDS = 0.01
WATCH_SECONDS = 0.5
TERMINATE_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Command:
    """One call of an outside tool; `task` completes "tool: must ..." in the error if it fails."""

    tool: str
    task: str
    arguments: tuple[str | Path, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables added to those of this process."""


@dataclass(frozen=True)
class _Running:
    command: Command
    process: subprocess.Popen
    output: BinaryIO

    def last_lines(self) -> str:
        self.output.seek(0)
        return "\n".join(self.output.read().decode(errors="replace").splitlines()[-LAST_LINES:])


def run_commands(commands: Iterable[Command], jobs: int = 1, watch: Callable[[], None] | None = None) -> None:
    """Run all commands, at most `jobs` at a time, in the order given.

    `watch` is called about twice a second meanwhile, to tell how far they are. Raises `ToolError` for the first
    that fails, with the last lines it printed. Whatever ends the wait, an error or Ctrl-C, the commands still
    running are ended with it.
    """
    waiting, running = deque(commands), []
    watched = time.monotonic()
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(_start(waiting.popleft()))
            ended = [entry for entry in running if entry.process.poll() is not None]
            for entry in ended:
                if entry.process.returncode != 0:
                    raise _failure(entry)
                running.remove(entry)
                entry.output.close()
            if not ended:
                time.sleep(POLL_SECONDS)
            if watch is not None and time.monotonic() - watched > WATCH_SECONDS:
                watch()
                watched = time.monotonic()
    finally:
        for entry in running:
            _end(entry)


def _start(command: Command) -> _Running:
    output = tempfile.TemporaryFile()
    try:
        # In a process group of its own: a compiler driver and its children end together, by us and not by the terminal.
        process = subprocess.Popen([str(argument) for argument in command.arguments], cwd=command.folder,
                                   env={**os.environ, **command.environment}, stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    except OSError as error:
        output.close()
        raise ToolError(f"{command.tool}: must {command.task}, not fail to start: {error.strerror or error}",
                        command=_text(command)) from error
    return _Running(command, process, output)


def _failure(entry: _Running) -> ToolError:
    command = entry.command
    return ToolError(f"{command.tool}: must {command.task}, not fail", command=_text(command),
                     exit_code=entry.process.returncode, last_lines=entry.last_lines())


def _end(entry: _Running) -> None:
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        if entry.process.poll() is not None:
            break
        try:
            os.killpg(entry.process.pid, signal_number)
            entry.process.wait(TERMINATE_SECONDS)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
    entry.output.close()


def _text(command: Command) -> str:
    return shlex.join(str(argument) for argument in command.arguments)
