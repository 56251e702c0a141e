"""What tests of every room share."""

from __future__ import annotations

import importlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from cortado.engines.winograd import Winograd
from cortado.errors import ToolError
from cortado.resources import sim_root
from cortado.simulation import toolchain
from cortado.simulation.cache import FOLDER_VARIABLE
from cortado.simulation.cocotb_bench import run_bench as run_on_parts

RunBench = Callable[[str, dict[str, dict]], None]
RunInIcarus = Callable[[str, dict[str, dict], str], None]

# No deadline: how long an example takes says how busy the machine is.
settings.register_profile("cortado", deadline=None)
settings.load_profile("cortado")

# A shell that runs the tests in the background has them ignore Ctrl-C, and what they start too.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def rng() -> np.random.Generator:
    """The one source of randomness; each test starts it anew."""
    return np.random.default_rng(20161207)


@pytest.fixture(scope="session", autouse=True)
def build_cache(request: pytest.FixtureRequest) -> Path:
    """Where builds are kept during the tests: pytest's own cache, which stays from run to run, not the user's."""
    folder = Path(os.environ.get(FOLDER_VARIABLE) or request.config.cache.mkdir("cortado"))
    os.environ[FOLDER_VARIABLE] = str(folder)
    return folder


@pytest.fixture(scope="session")
def simulator_tools() -> None:
    """The tools a simulator is built with. Without one the tests that ask for it are skipped; in CI they fail."""
    try:
        toolchain.compiler().require()
        toolchain.verilator().require()
    except ToolError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def other_engine() -> Winograd:
    """Another small engine, whose maps go in as they come out."""
    return Winograd.from_fields({"m": 2, "pc": 2, "pk": 2, "beat_bits": 64, "largest_taps": 180, "tiles": 12,
                                 "buffer_words": 48, "block_columns": 8})


@pytest.fixture(scope="session")
def small_engine() -> Winograd:
    """An engine that builds in seconds: 32 multipliers, a layer of more than 12 tiles takes several blocks."""
    return Winograd.from_fields({"m": 2, "pc": 2, "pk": 1, "beat_bits": 64, "largest_taps": 216, "tiles": 12,
                                 "buffer_words": 48, "block_columns": 8})


@pytest.fixture(scope="session")
def real_files() -> Path:
    """The folder of real model files that are too large or too many for the repository.

    It is named by CORTADO_DATA; without it the tests that ask for it are skipped.
    """
    folder = os.environ.get("CORTADO_DATA")
    if not folder:
        pytest.skip("real model files: set CORTADO_DATA to the folder that holds prototxt_corpus and squeezenet")
    return Path(folder)


@pytest.fixture(scope="session")
def cocotb_tools() -> None:
    """The tools of the benches. Without one they are skipped, except in CI, where they fail."""
    _require(toolchain.cocotb_environment)


@pytest.fixture
def run_bench(cocotb_tools: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RunBench:
    """Runs `sim/benches/bench_NAME.py` on its part in every case, keyword arguments by name."""
    monkeypatch.syspath_prepend(sim_root())
    return lambda name, cases: _run(name, cases, tmp_path)


@pytest.fixture
def run_in_icarus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RunInIcarus:
    """Runs tests of a bench, chosen by a pattern of their names, with Icarus in place of Verilator."""
    _require(toolchain.icarus().require)
    monkeypatch.syspath_prepend(sim_root())
    return lambda name, cases, tests: _run(name, cases, tmp_path, simulator="icarus", test_filter=tests)


def _require(tools: Callable[[], object]) -> None:
    try:
        tools()
    except ToolError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


def _run(name: str, cases: dict[str, dict], folder: Path, **options: str) -> None:
    """Fails with the names and messages of the tests that fail."""
    bench = importlib.import_module(f"benches.bench_{name}")
    parts = {case: bench.part(**arguments) for case, arguments in cases.items()}
    try:
        run_on_parts(bench.__name__, parts, folder, cases=cases, log=folder / "bench.log", **options)
    except ToolError as error:
        pytest.fail(str(error))
