"""TensorBoard: a solver's figures as its own package writes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cortado.errors import ToolError
from cortado.solver.event import Displayed, Event, Scored


class TensorBoardLog:
    """Writes losses, learning rates and outputs into a folder that `tensorboard --logdir` shows.

    Raises `ToolError` where the package tensorboard is missing.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise ToolError("tensorboard must be installed to write its logs: pip install 'cortado[tensorboard]'"
                            ) from None
        self._writer = SummaryWriter(str(folder))

    def __call__(self, event: Event) -> None:
        """Be told what the solver tells."""
        if isinstance(event, Displayed):
            self._writer.add_scalar("solver/smoothed_loss", event.loss, event.iteration)
            if event.rate is not None:
                self._writer.add_scalar("solver/learning_rate", event.rate, event.iteration)
            for name, value in event.outputs.items():
                self._add_output(f"train/{name}", value, event.iteration)
        elif isinstance(event, Scored):
            for name, value in event.scores.outputs.items():
                self._add_output(f"test{event.network}/{name}", value, event.iteration)

    def _add_output(self, name: str, value: np.ndarray, iteration: int) -> None:
        """A scalar as a curve, several values as a histogram."""
        if value.size == 1:
            self._writer.add_scalar(name, float(value.reshape(-1)[0]), iteration)
        else:
            self._writer.add_histogram(name, value, iteration)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()
