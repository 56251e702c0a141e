"""The bench as a test of pytest; SIM=icarus takes the other simulator."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# pytest imports by the folder or by the file, as it is told to; `run` is beside this file.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from run import run


def test_the_engine_equals_its_golden_vectors(tmp_path: Path) -> None:
    assert run(os.environ.get("SIM", "verilator"), tmp_path) == 0
