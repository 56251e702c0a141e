"""What tests of every room share."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from cortado.engines.winograd import Winograd
from cortado.errors import ToolError
from cortado.simulation import toolchain
from cortado.simulation.cache import FOLDER_VARIABLE

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
