"""`cortado train`: what became of a training."""

from __future__ import annotations

from dataclasses import dataclass

from cortado.report.report import Column, Report, Table
from cortado.report.solver_lines import outputs_data
from cortado.solver.event import Displayed, Event, Scored, SnapshotWritten


@dataclass(frozen=True, kw_only=True)
class Training:
    """`events` is all the solver told, in order; `copied_layers` are those that began with given weights."""

    network: str
    rule: str
    seed: int
    processes: int
    begin: int
    end: int
    stopped: bool
    copied_layers: tuple[str, ...]
    events: tuple[Event, ...]
    seconds: float


def train_report(training: Training) -> Report:
    """Iterations, losses, scores of the last test and snapshots."""
    displays = [event for event in training.events if isinstance(event, Displayed)]
    tests = [event for event in training.events if isinstance(event, Scored)]
    snapshots = [event for event in training.events if isinstance(event, SnapshotWritten)]
    last = [event for event in tests if event.iteration == tests[-1].iteration]
    rows = tuple((str(event.network), name, " ".join(f"{number:.6g}" for number in values[:8]))
                 for event in last for name, values in outputs_data(event.scores.outputs).items())
    words = "stopped before its end" if training.stopped else "done"
    lines = ["", f"iterations  {training.begin} to {training.end}, {words}",
             f"seed        {training.seed}", f"wall time   {training.seconds:.2f} s"]
    if displays:
        lines.append(f"loss        {displays[-1].loss:.6g} at iteration {displays[-1].iteration}")
    lines += [f"snapshot    {event.path}" for event in snapshots[-1:]]
    if training.copied_layers:
        lines.append(f"weights     given for {', '.join(training.copied_layers)}")
    return Report(
        command="train",
        title=f"{training.network} trained by {training.rule}, {training.processes} "
              f"process{'' if training.processes == 1 else 'es'}",
        data={"network": training.network, "type": training.rule, "seed": training.seed,
              "processes": training.processes, "begin": training.begin, "end": training.end,
              "stopped": training.stopped, "copied_layers": list(training.copied_layers),
              "losses": [{"iteration": event.iteration, "loss": event.loss, "rate": event.rate} for event in displays],
              "tests": [{"iteration": event.iteration, "network": event.network, "loss": event.scores.loss,
                         "outputs": outputs_data(event.scores.outputs)} for event in tests],
              "snapshots": [str(event.path) for event in snapshots], "seconds": training.seconds},
        tables=(Table(columns=(Column(title="test network"), Column(title="output"), Column(title="mean", number=True)),
                      rows=rows),) if rows else (),
        lines=tuple(lines))
