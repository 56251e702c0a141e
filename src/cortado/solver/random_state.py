"""The state of every random generator training draws from: torch's, and NumPy's and Python's for layers in Python."""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Start all three anew."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


def random_arrays() -> dict[str, np.ndarray]:
    """The states, as arrays by name."""
    _, keys, position, has_normal, normal = np.random.get_state()
    version, words, gauss = random.getstate()
    return {
        "torch": torch.get_rng_state().numpy(),
        "numpy": np.array([*keys, position, has_normal], np.int64),
        "numpy_normal": np.array([normal]),
        "python": np.array([version, *words], np.int64),
        # No number stands for None.
        "python_gauss": np.array([np.nan if gauss is None else gauss]),
    }


def restore_random(arrays: Mapping[str, np.ndarray]) -> None:
    """Go on from states `random_arrays` gave."""
    torch.set_rng_state(torch.from_numpy(arrays["torch"]))
    *keys, position, has_normal = arrays["numpy"].tolist()
    np.random.set_state(("MT19937", np.array(keys, np.uint32), position, has_normal, float(arrays["numpy_normal"][0])))
    version, *words = arrays["python"].tolist()
    gauss = float(arrays["python_gauss"][0])
    random.setstate((version, tuple(words), None if np.isnan(gauss) else gauss))
