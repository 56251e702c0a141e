"""Figures of a workload: what was published, what a bench must reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Figures by split and name, as {"test": {"accuracy": 0.85}}.
Metrics = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, kw_only=True)
class Published:
    """A figure that others have published for one split of a dataset; `source` says where."""

    dataset: str
    split: str
    metric: str
    value: float
    source: str


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A figure to reach: from `least` to `most`, either of which may be open."""

    split: str
    metric: str
    least: float = float("-inf")
    most: float = float("inf")

    def met_by(self, value: float) -> bool:
        """Whether a value is within the bar; one that is no number is not."""
        return self.least <= value <= self.most

    def __str__(self) -> str:
        if self.least == float("-inf"):
            return f"at most {self.most:g}"
        return f"at least {self.least:g}" if self.most == float("inf") else f"{self.least:g} to {self.most:g}"
