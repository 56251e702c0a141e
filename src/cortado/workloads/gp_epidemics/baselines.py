"""What the paper holds its method against, by scikit-learn and NumPy, and the last value for all to beat.

Their intervals are 1.96 standard deviations of the residuals of a window; in prediction those of the points ahead
themselves, as the paper has it, which no forecast could know.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np

from cortado.workloads.gp_epidemics.posterior import Posterior

# Predicts at times (m,) from times and values (n,).
Predictor = Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]


def polynomial(degree: int) -> Predictor:
    """Least squares, over times scaled to [-1, 1]."""

    def predict(times: np.ndarray, values: np.ndarray, ahead: np.ndarray, seed: int) -> np.ndarray:
        return np.polynomial.Polynomial.fit(times, values, degree)(ahead)

    return predict


def nearest(neighbours: int) -> Predictor:
    """The mean of the nearest points."""

    def predict(times: np.ndarray, values: np.ndarray, ahead: np.ndarray, seed: int) -> np.ndarray:
        from sklearn.neighbors import KNeighborsRegressor

        return KNeighborsRegressor(neighbours).fit(times[:, None], values).predict(ahead[:, None])

    return predict


def network(widths: tuple[int, ...], *, activation: str, rate: float, periods: tuple[float, ...] = (),
            early_stopping: bool = False) -> Predictor:
    """A multilayer perceptron by Adam on scaled times, with sines and cosines of `periods` in days."""

    def predict(times: np.ndarray, values: np.ndarray, ahead: np.ndarray, seed: int) -> np.ndarray:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPRegressor

        middle, spread = times.mean(), times.std()
        level, scale = values.mean(), values.std() or 1.0

        def features(at: np.ndarray) -> np.ndarray:
            waves = [wave(2 * np.pi * at / period) for period in periods for wave in (np.sin, np.cos)]
            return np.stack([(at - middle) / spread, *waves], 1)

        model = MLPRegressor(hidden_layer_sizes=widths, activation=activation, learning_rate_init=rate,
                             max_iter=200, early_stopping=early_stopping, random_state=seed % 2**32)
        with warnings.catch_warnings():
            # That it could be trained further is no fault: the paper stops too.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(features(times), (values - level) / scale)
        return model.predict(features(ahead)) * scale + level

    return predict


def last_value(times: np.ndarray, values: np.ndarray, ahead: np.ndarray, seed: int) -> np.ndarray:
    """Tomorrow as today; within the training points, each as the one before it."""
    before = np.searchsorted(times, ahead) - 1
    return values[np.clip(before, 0, len(values) - 1)]


MODELLING: dict[str, Predictor] = {
    "polynomial": polynomial(20), "k-NN": nearest(15), "last value": last_value,
    "network": network((200, 150, 100), activation="tanh", rate=1e-4, periods=(365.25, 182.6, 91.3, 45.7, 30.4))}

PREDICTION: dict[str, Predictor] = {
    "polynomial": polynomial(3), "k-NN": nearest(3), "last value": last_value,
    "network": network((50, 25, 10), activation="relu", rate=1e-3, early_stopping=True)}


def baseline(predictor: Predictor, windows: Sequence[tuple[np.ndarray, ...]], seed: int) -> tuple[Posterior, ...]:
    """What a predictor says after each window: training times and values, times ahead and what was observed there."""
    found = []
    for times, values, ahead, observed in windows:
        mean = predictor(times, values, ahead, seed)
        found.append(Posterior(times=ahead, mean=mean, observed=observed,
                               variance=np.full(len(mean), (mean - observed).var())))
    return tuple(found)
