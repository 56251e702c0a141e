"""An engine's bundle to write board files into."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from cortado.engines.winograd import Winograd
from cortado.simulation.verilog import TOP_NAME, to_verilog


@pytest.fixture
def engine() -> Winograd:
    """The smallest one."""
    return Winograd.from_fields({"m": 2, "pc": 1, "pk": 1, "beat_bits": 64, "tiles": 16, "buffer_words": 64,
                                 "block_columns": 8, "largest_taps": 144})


@pytest.fixture(scope="session")
def engine_verilog(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Verilog by configuration hash, made once."""
    return {}


@pytest.fixture
def bundle(engine: Winograd, engine_verilog: dict[str, str], tmp_path: Path) -> tuple[Path, dict]:
    """The folder with engine.v, and its manifest, of which the jobs are two addresses."""
    design = engine.design()
    if design.configuration_hash not in engine_verilog:
        engine_verilog[design.configuration_hash] = to_verilog(design.component())
    (tmp_path / "engine.v").write_text(engine_verilog[design.configuration_hash])
    manifest = {
        "network": "net", "engine": "winograd", "configuration": asdict(design.configuration),
        "configuration_hash": design.configuration_hash, "multipliers": design.multipliers,
        "verilog": {"file": "engine.v", "top": TOP_NAME, "clock": "clk", "reset": "rst", "clock_mhz": 100.0,
                    "ports": design.ports},
        "jobs": [{"memory": {"input": {"address": 4096, "bytes": 100}, "output": {"address": 8192, "bytes": 2000}}}],
    }
    return tmp_path, json.loads(json.dumps(manifest))
