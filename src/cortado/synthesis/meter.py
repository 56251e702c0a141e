"""Runs a tool from a wheel in this process and writes down what it took.

    python -m cortado.synthesis.meter METER.json PACKAGE FUNCTION ARGUMENT...

The tools are WebAssembly inside Python packages, so this process is the tool and its memory is the tool's.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Metering:
    """What one run of a tool took."""

    wall_seconds: float
    cpu_seconds: float
    memory_mib: int
    """The most memory it held."""

    @classmethod
    def read(cls, path: Path) -> Metering:
        """What a run wrote down."""
        return cls(**json.loads(path.read_text()))


def main(record: str, package: str, function: str, *arguments: str) -> int:
    """Run `package.function(arguments)` and return its exit code."""
    start = time.perf_counter()
    code = getattr(importlib.import_module(package), function)(list(arguments))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    Path(record).write_text(json.dumps(asdict(Metering(
        wall_seconds=time.perf_counter() - start, cpu_seconds=usage.ru_utime + usage.ru_stime,
        memory_mib=usage.ru_maxrss // 1024))))
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
