"""Benches of workloads: runs that are held against bars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cortado.workloads.figure import Bar
from cortado.workloads.records import result_in
from cortado.workloads.result import Result
from cortado.workloads.run import REQUEST, Progress, run_workload
from cortado.workloads.workload import Bench, workloads


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A bar beside what was measured; a figure the run does not have is None, and the bar not met."""

    bar: Bar
    measured: float | None

    @property
    def met(self) -> bool:
        """Whether the figure is within the bar."""
        return self.measured is not None and self.bar.met_by(self.measured)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A bench and what its run found."""

    name: str
    bench: Bench
    result: Result

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One for each bar."""
        metrics = self.result.metrics
        return tuple(Verdict(bar=bar, measured=metrics.get(bar.split, {}).get(bar.metric)) for bar in self.bench.bars)


def run_benches(names: tuple[str, ...], *, folder: Path, seed: int = 0, threads: int = 1,
                most_minutes: float | None = None, should_stop: Callable[[], bool] = lambda: False,
                told: Callable[[str, Progress], None] = lambda name, progress: None) -> tuple[Measured, ...]:
    """Run the benches of some workloads, each in a folder of its own in `folder`.

    A run that is there and done is taken as it is, one that was interrupted goes on. Raises as `run_workload`.
    """
    measured = []
    for name in names:
        for number, bench in enumerate(workloads[name].benches):
            if most_minutes is not None and bench.minutes > most_minutes:
                continue
            place = folder / name / f"{number}-{bench.dataset}"
            result = result_in(place)
            if result is None:
                result = run_workload(name, folder=place, dataset=bench.dataset, settings=bench.settings, seed=seed,
                                      threads=threads, resume=(place / REQUEST).is_file(), should_stop=should_stop,
                                      told=lambda progress, name=name: told(name, progress))
            measured.append(Measured(name=name, bench=bench, result=result))
    return tuple(measured)
