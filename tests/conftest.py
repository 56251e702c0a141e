"""What tests of every room share."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

# No deadline: how long an example takes says how busy the machine is.
settings.register_profile("cortado", deadline=None)
settings.load_profile("cortado")


@pytest.fixture
def rng() -> np.random.Generator:
    """The one source of randomness; each test starts it anew."""
    return np.random.default_rng(20161207)


@pytest.fixture(scope="session")
def real_files() -> Path:
    """The folder of real model files that are too large or too many for the repository.

    It is named by CORTADO_DATA; without it the tests that ask for it are skipped.
    """
    folder = os.environ.get("CORTADO_DATA")
    if not folder:
        pytest.skip("real model files: set CORTADO_DATA to the folder that holds prototxt_corpus and squeezenet")
    return Path(folder)
