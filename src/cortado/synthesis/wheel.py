"""Runs the tools of synthesis, which are WebAssembly in Python packages."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from cortado.simulation.process import Command, run_commands
from cortado.simulation.toolchain import Tool
from cortado.synthesis import meter

METER_NAME = "meter.json"


def run_wheel(tool: Tool, function: str, arguments: Sequence[str], *, task: str, folder: Path,
              watch: Callable[[], None]) -> meter.Metering:
    """Run `function` of the tool's package with `arguments` in `folder`, and say what it took.

    `watch` is called now and then meanwhile. Raises `ToolError` if the tool is missing or fails.
    """
    package = tool.require().name
    # -P: the tool's imports must not find our files of the same name.
    run_commands([Command(tool=tool.name, task=task, folder=folder,
                          arguments=(sys.executable, "-P", meter.__file__, METER_NAME, package, function, *arguments))],
                 watch=watch)
    return meter.Metering.read(folder / METER_NAME)
