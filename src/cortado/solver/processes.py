"""The processes that train together, started by torchrun; one alone is the same with a count of 1."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import distributed

from cortado.errors import ToolError


@contextmanager
def process_group() -> Iterator[None]:
    """Join the processes torchrun started, if it did, for as long as this lasts."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield
        return
    try:
        distributed.init_process_group("gloo")
    except (ValueError, RuntimeError) as error:
        raise ToolError(f"torchrun: the processes must find each other: {error}") from None
    try:
        yield
    finally:
        distributed.destroy_process_group()


def process_rank() -> int:
    """Which of the processes this is; 0 writes and prints."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def process_count() -> int:
    """How many there are."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def any_process(flag: bool) -> bool:
    """Whether it is true in any of them."""
    if process_count() == 1:
        return flag
    value = torch.tensor(int(flag))
    distributed.all_reduce(value, distributed.ReduceOp.MAX)
    return bool(value)


def of_all_processes(arrays: dict[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    """What each of them has, in the order of their ranks."""
    if process_count() == 1:
        return [arrays]
    gathered: list[dict[str, np.ndarray]] = [{}] * process_count()
    distributed.all_gather_object(gathered, arrays)
    return gathered
