"""What pycaffe sets for the whole process."""

from __future__ import annotations

from cortado.solver.random_state import seed_everything


def set_mode_cpu() -> None:
    """What always holds."""


def set_mode_gpu() -> None:
    """Refused, so that nobody believes to be on a GPU; raises `RuntimeError`."""
    raise RuntimeError("cortado computes on the CPU; call set_mode_cpu, or leave the mode out")


def set_device(number: int) -> None:
    """As `set_mode_gpu`."""
    set_mode_gpu()


def set_random_seed(seed: int) -> None:
    """Start the random generators anew: what dropout, data layers and fillers draw from then on is determined."""
    seed_everything(seed)
