"""One run of a workload: its folder, its seed, its trainings, what is kept of it and goes on after an interruption."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cortado.errors import WorkloadError
from cortado.frontends.data_file import data_files
from cortado.frontends.data_store import path_to
from cortado.frontends.file import make_folder, read_bytes, read_text, write_whole
from cortado.frontends.solver_file import SolverFile
from cortado.solver.event import Event, Scored, SnapshotWritten
from cortado.solver.solver import Solver
from cortado.workloads.result import FILE_NAME, Result, UsedFile, versions
from cortado.workloads.settings import settings_data, with_given
from cortado.workloads.workload import workloads

# What was asked, in the folder of a run.
REQUEST = "request.json"
PARTS, SNAPSHOTS = "parts", "snapshots"


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is, in iterations of all its trainings; `remaining_seconds` is None before anything can be said."""

    part: str
    done: int
    total: int
    seconds: float
    remaining_seconds: float | None


Told = Callable[[Progress], None]


@dataclass(frozen=True, kw_only=True)
class Score:
    """The outputs of a test network at an iteration, each as the mean over its batches, in a row."""

    iteration: int
    network: int
    outputs: Mapping[str, list[float]]


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A finished training; `scores` are those of all its tests, in order."""

    solver: Solver = field(repr=False)
    scores: tuple[Score, ...]


class Run:
    """What a recipe is given: `dataset`, `settings`, `seed` and `device`, and what it trains and keeps with.

    A run is made of parts, each of some trainings and what is evaluated of them. A part that is done is kept and not
    done again when the run is resumed, and a training goes on from its last snapshot.
    """

    def __init__(self, *, dataset: str, settings: Any, seed: int, folder: Path, device: str | None = None,
                 should_stop: Callable[[], bool] = lambda: False, told: Told = lambda progress: None) -> None:
        self.dataset, self.settings, self.seed, self.device = dataset, settings, seed, device
        self.folder = folder
        self.resumed_parts = 0
        self._should_stop, self._told = should_stop, told
        self._files: dict[str, UsedFile] = {}
        self._part, self._done, self._total = "", 0, 0
        # What was done before says nothing about the pace.
        self._begin, self._skipped = time.monotonic(), 0
        for name in (PARTS, SNAPSHOTS):
            make_folder(folder / name)

    @property
    def data(self) -> tuple[UsedFile, ...]:
        """The files asked for so far."""
        return tuple(self._files[name] for name in sorted(self._files))

    def file(self, name: str) -> Path:
        """Where a data file is, which the record then names; raises `DataError` where it is not here."""
        path = path_to(name)
        self._files[name] = UsedFile(name=name, sha256=data_files[name].sha256, size_bytes=data_files[name].size_bytes)
        return path

    def own_file(self, path: Path) -> Path:
        """A user's own file, which the record then names; raises `ModelFileError` where it cannot be read."""
        content = read_bytes(path)
        self._files[str(path)] = UsedFile(name=str(path), sha256=hashlib.sha256(content).hexdigest(),
                                          size_bytes=len(content))
        return path

    def expect(self, iterations: int) -> None:
        """Say how many iterations all trainings of the run take at most; progress is told as a share of them."""
        self._total = iterations

    def part(self, name: str, compute: Callable[[], Any], *, iterations: int) -> Any:
        """What `compute` gives, values of JSON; kept, and when the run is resumed what was kept.

        `iterations` is how many of those expected it takes at most.
        """
        path = self.folder / PARTS / f"{name}.json"
        self._part, begin = name, self._done
        if path.is_file():
            self.resumed_parts += 1
            self._skipped += iterations
            value = json.loads(read_text(path))
        else:
            text = json.dumps(compute())
            write_whole(path, text.encode())
            # Equal to what a resumed run gets.
            value = json.loads(text)
        self._done = begin + iterations
        self._tell()
        return value

    def fit(self, name: str, file: SolverFile) -> Fit:
        """Train as the file says, with the run's seed, to the end or until the update rule has finished.

        It goes on from the last snapshot of a training of this name. Raises `KeyboardInterrupt` when the run is asked
        to stop, with a snapshot if the file wants one in the end, and what `Solver` raises.
        """
        prefix = self.folder / SNAPSHOTS / name
        make_folder(prefix.parent)
        scores: list[Score] = []

        def keep(event: Event) -> None:
            if isinstance(event, Scored):
                outputs = {blob: np.asarray(value, np.float64).reshape(-1).tolist()
                           for blob, value in event.scores.outputs.items()}
                scores.append(Score(iteration=event.iteration, network=event.network, outputs=outputs))
            elif isinstance(event, SnapshotWritten):
                kept = [{"iteration": score.iteration, "network": score.network, "outputs": score.outputs}
                        for score in scores]
                write_whole(_scores_of(event.path), json.dumps(kept).encode())
                for state in _snapshots(prefix):
                    if state != event.path:
                        _remove_snapshot(state)

        solver = Solver(file.with_fields(random_seed=self.seed, snapshot_prefix=str(prefix)), listeners=(keep,))
        snapshots = _snapshots(prefix)
        if snapshots:
            solver.restore(snapshots[-1])
            scores += [Score(**score) for score in json.loads(read_text(_scores_of(snapshots[-1])))]
            self._skipped += solver.iteration
        begin = self._done

        def tick() -> bool:
            self._done = begin + solver.iteration
            self._tell()
            return self._should_stop()

        solver.solve(should_stop=tick)
        if solver.iteration < file.spec.max_iter and not solver.finished:
            raise KeyboardInterrupt
        # A rule that finished early leaves out the rest.
        self._done = begin + file.spec.max_iter
        return Fit(solver=solver, scores=tuple(scores))

    def stop_if_asked(self) -> None:
        """Raise `KeyboardInterrupt` when the run is asked to stop; for long work between trainings."""
        if self._should_stop():
            raise KeyboardInterrupt

    def _tell(self) -> None:
        seconds, done = time.monotonic() - self._begin, self._done - self._skipped
        left = self._total - self._done
        self._told(Progress(part=self._part, done=self._done, total=self._total, seconds=seconds,
                            remaining_seconds=seconds / done * left if done > 0 else None))


def run_workload(name: str, *, folder: Path, dataset: str | None = None, settings: Mapping[str, Any] | None = None,
                 seed: int = 0, threads: int = 1, device: str | None = None, resume: bool = False,
                 should_stop: Callable[[], bool] = lambda: False, told: Told = lambda progress: None) -> Result:
    """Run a workload and write its record and pictures into `folder`, which must be new or, to `resume`, of that run.

    `settings` go over those of the dataset, as values or as the words for them. The same seed and threads give the same
    figures on the same machine. Raises `LookupError` for an unknown workload, `WorkloadError` for what it cannot be
    asked, `DataError` for data that is not here, and `KeyboardInterrupt` when it is asked to stop; it then goes on with
    `resume`.
    """
    workload = workloads[name]()
    who = f"workload '{name}'"
    dataset = workload.dataset(settings or {}) if dataset is None else dataset
    if dataset not in workload.datasets:
        raise WorkloadError(f"{who}: dataset must be one of {', '.join(workload.datasets)}, not '{dataset}'")
    if device is not None and not workload.takes_device:
        raise WorkloadError(f"{who}: none of its layers is one the FPGA engine takes; leave the device out")
    chosen = with_given(workload.settings(dataset), settings or {}, who)
    request = {"workload": name, "dataset": dataset, "settings": settings_data(chosen), "seed": seed,
               "threads": threads, "device": device}
    _claim(folder, request, resume, who)
    run = Run(dataset=dataset, settings=chosen, seed=seed, folder=folder, device=device, should_stop=should_stop,
              told=told)
    begin, before = time.monotonic(), torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        outcome = workload.run(run)
    finally:
        torch.set_num_threads(before)
    pictures = tuple(path.name for picture in outcome.pictures for path in picture.write(folder))
    result = Result(**request, data=run.data, versions=versions(), metrics=outcome.metrics, pictures=pictures,
                    seconds=time.monotonic() - begin, resumed=run.resumed_parts > 0)
    result.write(folder)
    return result


def _claim(folder: Path, request: Mapping[str, Any], resume: bool, who: str) -> None:
    """Have the folder for this run; `WorkloadError` where it is another run's."""
    path = folder / REQUEST
    if not path.is_file():
        if resume:
            raise WorkloadError(f"{who}: '{folder}' must hold a run to resume, there is none")
        make_folder(folder)
        write_whole(path, (json.dumps(request, indent=2) + "\n").encode())
        return
    try:
        found = json.loads(read_text(path))
        different = [key for key in request if found[key] != request[key]]
    except (ValueError, KeyError, TypeError):
        raise WorkloadError(f"'{path}': it must say what the run in its folder was asked; it is damaged") from None
    if not resume:
        raise WorkloadError(f"{who}: '{folder}' must be a new folder, it holds a run; choose another, or resume")
    if different:
        words = ", ".join(f"{key} {found[key]}" for key in different)
        raise WorkloadError(f"{who}: a run goes on as it was begun, the one in '{folder}' with {words}")
    # Until there is a new one, there is no result.
    (folder / FILE_NAME).unlink(missing_ok=True)


def _scores_of(state: Path) -> Path:
    return state.with_suffix(".scores.json")


def _snapshots(prefix: Path) -> list[Path]:
    """The whole snapshots of a training, oldest first."""
    numbered = {int(match[1]): path for path in prefix.parent.glob("*.solverstate")
                if (match := re.fullmatch(re.escape(prefix.name) + r"_iter_(\d+)\.solverstate", path.name))
                and _scores_of(path).is_file()}
    return [numbered[number] for number in sorted(numbered)]


def _remove_snapshot(state: Path) -> None:
    for path in (_scores_of(state), state, state.with_suffix(".caffemodel")):
        path.unlink(missing_ok=True)
