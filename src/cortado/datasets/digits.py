"""Scikit-learn's handwritten digits: the pictures of the embedded default network, and the one place of their split.

Source: UCI "Optical Recognition of Handwritten Digits", test part, 1797 pictures of 8x8 pixels from 0 to 16.
"""

from __future__ import annotations

import numpy as np

from cortado.datasets.dataset import Dataset, datasets

# Every fifth picture is held out. No random draw: the split cannot move with a library's generator.
HELD_OUT_EVERY = 5

# Pixels count up to 16; the network sees them from 0 to 1.
BRIGHTEST = 16


def held_out_digits() -> tuple[np.ndarray, np.ndarray]:
    """Pictures never trained on: float32 (360, 1, 8, 8) from 0 to 1, and labels int64 (360,)."""
    pictures, labels = _digits()
    return pictures[::HELD_OUT_EVERY], labels[::HELD_OUT_EVERY]


def training_digits() -> tuple[np.ndarray, np.ndarray]:
    """The other pictures, for training and calibration: float32 (1437, 1, 8, 8) from 0 to 1, and labels int64."""
    pictures, labels = _digits()
    training = np.arange(len(labels)) % HELD_OUT_EVERY != 0
    return pictures[training], labels[training]


def _digits() -> tuple[np.ndarray, np.ndarray]:
    # Imported here: it takes a second, and most commands need no digits.
    from sklearn.datasets import load_digits

    pictures, labels = load_digits(return_X_y=True)
    return (pictures.reshape(-1, 1, 8, 8) / BRIGHTEST).astype(np.float32), labels.astype(np.int64)


datasets.register("digits")(
    Dataset(title="scikit-learn's handwritten digits", held_out=held_out_digits, training=training_digits))
