"""What every workload answers, and the registry that finds it by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from cortado.registry import Registry
from cortado.workloads.figure import Bar, Metrics, Published
from cortado.workloads.picture import Picture

if TYPE_CHECKING:
    from cortado.workloads.run import Run

workloads: Registry[type[Workload]] = Registry("workload", workload_part="recipe")


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A run whose figures are held against bars. `minutes` is what it takes on one core."""

    dataset: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    bars: tuple[Bar, ...]
    minutes: float


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run has found: figures by split and name, and pictures."""

    metrics: Metrics
    pictures: tuple[Picture, ...] = ()


class Workload:
    """A published method. A subclass is the `recipe.py` of its folder and registered there under the folder's name.

    `datasets` says what there is to run on, the first one unless told; `settings_type` is a frozen dataclass of what
    can be set, checked in its `__post_init__` (which raises `FieldError`).
    """

    title: ClassVar[str]
    paper: ClassVar[str]
    datasets: ClassVar[Mapping[str, str]]
    settings_type: ClassVar[type]
    published: ClassVar[tuple[Published, ...]]
    benches: ClassVar[tuple[Bench, ...]]
    # The dataset that stands for a user's own file, which setting `data` names; None where it takes none.
    own_dataset: ClassVar[str | None] = None
    # Whether some of its layers can run on the FPGA engine.
    takes_device: ClassVar[bool] = False

    def dataset(self, given: Mapping[str, Any]) -> str:
        """The dataset of a run that names none, by what is set."""
        is_own = self.own_dataset is not None and given.get("data") is not None
        return self.own_dataset if is_own else next(iter(self.datasets))

    def settings(self, dataset: str) -> Any:
        """The settings of a dataset unless told otherwise: the dataclass's own defaults, where a recipe has no others.
        """
        return self.settings_type()

    def run(self, run: Run) -> Outcome:
        """Train and evaluate, by the solver, through what `run` offers."""
        raise NotImplementedError
