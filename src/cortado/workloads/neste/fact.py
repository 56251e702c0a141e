"""What the layer types share that draw facts to train on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cortado.errors import FieldError
from cortado.workloads.neste.dataset import NAMES


class Part(Enum):
    """Training triples, or those that rules conclude."""

    TRAINING = 0
    AUGMENTED = 1


@dataclass(frozen=True, kw_only=True)
class FactParameters:
    """Parameters of the types that draw facts: the data set, how many facts, how many corrupted ones for each."""

    dataset: str
    batch_size: int
    corrupted: int = 25
    part: Part = Part.TRAINING

    def __post_init__(self) -> None:
        if self.dataset not in NAMES:
            raise FieldError("dataset", f"must be one of {', '.join(NAMES)}, not '{self.dataset}'")
        for name in ("batch_size", "corrupted"):
            if getattr(self, name) < 1:
                raise FieldError(name, f"must be at least 1, not {getattr(self, name)}")
