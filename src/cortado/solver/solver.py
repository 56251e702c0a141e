"""The solver: trains a network as a solver file says, tests it, and writes snapshots."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from cortado.errors import GraphError, ModelFileError, WeightsError
from cortado.frontends.caffemodel import read_caffemodel
from cortado.frontends.file import make_folder
from cortado.frontends.solver_file import SolverFile
from cortado.graph.solver_spec import Precision, SnapshotFormat
from cortado.graph.spec import Weights
from cortado.layers.source_path import source_path
from cortado.messages.solver_state import SolverState
from cortado.net.net import Net
from cortado.solver.event import Displayed, Listener, Scored, SnapshotWritten
from cortado.solver.learning_rate import learning_rate, step_count
from cortado.solver.processes import any_process, of_all_processes, process_count, process_rank
from cortado.solver.random_state import random_arrays, restore_random, seed_everything
from cortado.solver.score import score
from cortado.solver.snapshot import read_snapshot, snapshot_path, write_snapshot
from cortado.solver.update_rule import UpdateRule, update_rules

# What Caffe draws a seed below when a file has none.
SEEDS = 2**31


class _Loss(nn.Module):
    """The training network as a module that gives its loss, which is what gradients are of; values by blob with it."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = net

    def forward(self) -> tuple[Tensor, dict[str, Tensor]]:
        values = self.net()
        return self.net.loss(values), {name: values[name].detach() for name in self.net.outputs}


class Solver:
    """Trains the networks of a solver file. `net` is the one that is trained, `tests` share its blobs.

    `seed` stands in for `random_seed` where the file has none; without either one is drawn, and `seed` says which.
    `listeners` are told what happens. Under `torch.distributed` each process takes every n-th item of the data, and
    gradients are averaged over the processes: the batch is that of the file times their number, as in Caffe. The first
    one tests and writes.
    Raises `GraphError`, `WeightsError` and `ModelFileError` where file, networks and weights do not fit together.
    """

    def __init__(self, file: SolverFile, *, seed: int | None = None, listeners: tuple[Listener, ...] = ()) -> None:
        self.spec = file.spec
        self.file = file
        if self.spec.rule not in update_rules:
            raise ModelFileError(f"solver: {update_rules.unknown(self.spec.rule)}", file=file.path)
        self.seed = self._chosen_seed(seed)
        self.iteration = 0
        # Whether the update rule has found that there is nothing left to do.
        self.finished = False
        self._listeners = listeners
        self._losses: deque[float] = deque(maxlen=self.spec.average_loss)
        self._displayed_at = time.monotonic()
        outside = random_arrays()
        # All processes draw the same weights and the same order of the data, and from then on numbers of their own.
        seed_everything(self.seed)
        dtype = torch.float64 if self.spec.precision is Precision.DOUBLE else torch.float32
        self.net = Net(file.training, seed=self.seed, fillers=True, dtype=dtype)
        self._check_network()
        self.tests = tuple(Net(spec, seed=self.seed, fillers=True, dtype=dtype) for spec in file.tests)
        for test in self.tests:
            test.share_blobs_of(self.net)
        self.rule: UpdateRule = update_rules[self.spec.rule](self.net.trained_blobs, self.spec)
        loss = _Loss(self.net)
        self._loss = loss if process_count() == 1 else DistributedDataParallel(loss, broadcast_buffers=False)
        if process_count() > 1:
            seed_everything(self.seed + process_rank())
        # What its generators are at while it does not run; others may draw in between. None while it runs.
        self._random: Mapping[str, np.ndarray] | None = random_arrays()
        restore_random(outside)

    def copy_from(self, weights: Weights) -> tuple[str, ...]:
        """Start from weights of another training; the names of the layers that took theirs. Raises `WeightsError`."""
        found = self.net.copy_from(weights)
        if not found:
            raise WeightsError(f"the weights must have at least one layer of network '{self.net.spec.name}', they have "
                               f"{', '.join(list(weights)[:5])} ...")
        return found

    def copy_named_weights(self) -> tuple[str, ...]:
        """Start from the files that field `weights` of the solver file names."""
        return tuple(name for path in self.spec.weights
                     for name in self.copy_from(read_caffemodel(source_path(path, self.file.path))))

    def solve(self, should_stop: Callable[[], bool] = lambda: False) -> None:
        """Train up to `max_iter`, with all tests and snapshots of the file; `should_stop` is asked every iteration.

        Stopped before, a snapshot is written unless the file says no. Source: `solver.cpp`, Solver::Solve.
        """
        with self._own_random():
            self._solve(should_stop)

    def _solve(self, should_stop: Callable[[], bool]) -> None:
        spec = self.spec
        if spec.snapshot or spec.snapshot_after_train:
            # That no snapshot can be written is said before hours are spent.
            self._check_format()
            make_folder(Path(self.prefix).parent)
        stopped = self.step(spec.max_iter - self.iteration, should_stop)
        if spec.snapshot_after_train and not (spec.snapshot and self.iteration % spec.snapshot == 0):
            self.snapshot()
        if stopped:
            return
        if spec.display and self.iteration % spec.display == 0:
            with torch.no_grad():
                loss, outputs = self._loss()
            self._losses.append(float(loss))
            self._display(outputs, None)
        if spec.test_interval and (self.finished or self.iteration % spec.test_interval == 0):
            self.test()

    def step(self, iterations: int, should_stop: Callable[[], bool] = lambda: False) -> bool:
        """Make so many iterations; whether `should_stop` ended it before. Source: `solver.cpp`, Solver::Step."""
        with self._own_random():
            return self._step(iterations, should_stop)

    def _step(self, iterations: int, should_stop: Callable[[], bool]) -> bool:
        spec = self.spec
        for _ in range(iterations):
            if spec.test_interval and self.iteration % spec.test_interval == 0 and (
                    self.iteration or spec.test_initialization):
                self.test()
            total, outputs = self._gradients()
            self._losses.append(total / spec.iter_size)
            if self.rule.finished:
                self.finished = True
                return False
            rate = learning_rate(spec, self.iteration)
            if spec.display and self.iteration % spec.display == 0:
                self._display(outputs, rate)
            self.rule.set_rate(rate)
            self.rule.step(self._closure(total))
            self.iteration += 1
            if spec.snapshot and self.iteration % spec.snapshot == 0:
                self.snapshot()
            if any_process(should_stop()):
                return True
        return False

    def _gradients(self) -> tuple[float, Mapping[str, Tensor]]:
        """Gradients of the loss over `iter_size` batches; the loss, summed over them, and the last one's outputs."""
        self.rule.zero_grad()
        total, outputs = 0.0, {}
        for _ in range(self.spec.iter_size):
            loss, outputs = self._loss()
            loss.backward()
            total += float(loss.detach())
        return total, outputs

    def _closure(self, computed: float) -> Callable[[], float]:
        """Computes the loss and its gradients for a rule; the first time they are there already."""
        ready = [computed]
        return lambda: ready.pop() if ready else self._gradients()[0]

    def test(self) -> None:
        """Score every test network and tell. Source: `solver.cpp`, Solver::TestAll."""
        if process_rank():
            return
        with self._own_random():
            for index, (net, iterations) in enumerate(zip(self.tests, self.spec.test_iter, strict=True)):
                self._tell(Scored(iteration=self.iteration, network=index, scores=score(net, iterations)))

    def snapshot(self) -> Path:
        """Write a snapshot of this iteration; raises `ModelFileError` where it cannot be written."""
        self._check_format()
        path = snapshot_path(self.prefix, self.iteration)
        randoms = of_all_processes(random_arrays() if self._random is None else dict(self._random))
        if process_rank() == 0:
            arrays = {f"random{rank}/{name}": value for rank, states in enumerate(randoms)
                      for name, value in states.items()}
            arrays["losses"] = np.array(self._losses, np.float64)
            arrays.update({name: buffer.numpy() for name, buffer in self._buffers().items()})
            write_snapshot(path, self.net, SolverState(
                iteration=self.iteration, learned_net="", history=self.rule.history,
                current_step=step_count(self.spec, self.iteration), arrays=arrays))
            self._tell(SnapshotWritten(iteration=self.iteration, path=path))
        return path

    def restore(self, path: str | Path) -> None:
        """Go on from a snapshot as if training had not been interrupted, to the bit.

        A snapshot of Caffe's own has no states of random generators and data: those begin anew. Raises
        `ModelFileError` for what is no whole snapshot and `WeightsError` for one of another network, or of more or
        fewer processes.
        """
        state, weights = read_snapshot(Path(path))
        missing = {blob.layer for blob in self.net.trained_blobs} - set(self.net.copy_from(weights))
        if missing:
            raise WeightsError(f"the snapshot must have the trained blobs of network '{self.net.spec.name}'; those of "
                               f"{', '.join(sorted(missing))} are missing")
        self.rule.restore(state.history, state.iteration)
        self.iteration = state.iteration
        if state.arrays:
            self._restore_arrays(state.arrays, Path(path))

    @property
    def prefix(self) -> str:
        """What the names of snapshots begin with: `snapshot_prefix`, or the solver file without its ending."""
        stem = self.file.path.with_suffix("")
        given = Path(self.spec.snapshot_prefix or stem)
        return str(given / stem.name if given.is_dir() else given)

    def _check_format(self) -> None:
        if self.spec.snapshot_format is not SnapshotFormat.BINARYPROTO:
            raise ModelFileError("solver: snapshot_format must be BINARYPROTO for snapshots to be written, not HDF5",
                                 file=self.file.path)

    def _restore_arrays(self, arrays: Mapping[str, np.ndarray], path: Path) -> None:
        ranks = {name.partition("/")[0] for name in arrays if name.startswith("random")}
        buffers = self._buffers()
        if len(ranks) != process_count() or not set(buffers) <= set(arrays):
            lacks = ", ".join(sorted(set(buffers) - set(arrays))) or "nothing"
            raise WeightsError(f"'{path}': the snapshot must be of these networks in {process_count()} processes; it "
                               f"is of {len(ranks)} and lacks {lacks}")
        own = f"random{process_rank()}/"
        try:
            for name, buffer in buffers.items():
                buffer.copy_(torch.from_numpy(arrays[name]).reshape(buffer.shape))
            self._losses = deque(arrays["losses"].tolist(), self.spec.average_loss)
            self._random = {name.removeprefix(own): arrays[name] for name in arrays if name.startswith(own)}
            with self._own_random():
                pass
        except (KeyError, ValueError, RuntimeError, TypeError) as error:
            raise ModelFileError(f"the state of the random generators or the data is damaged: {error}",
                                 file=path) from None

    def _buffers(self) -> dict[str, Tensor]:
        """The buffers of all networks: how far their data has been read."""
        return {f"{prefix}/{name}": buffer
                for prefix, net in [("training", self.net), *((f"test{i}", test) for i, test in enumerate(self.tests))]
                for name, buffer in net.named_buffers()}

    @contextmanager
    def _own_random(self) -> Iterator[None]:
        """Draw from generators of its own meanwhile; inside another such block nothing changes."""
        if self._random is None:
            yield
            return
        outside = random_arrays()
        restore_random(self._random)
        self._random = None
        try:
            yield
        finally:
            self._random = random_arrays()
            restore_random(outside)

    def _chosen_seed(self, seed: int | None) -> int:
        if self.spec.random_seed >= 0:
            return self.spec.random_seed
        drawn = torch.tensor(secrets.randbelow(SEEDS) if seed is None else seed)
        if process_count() > 1:
            torch.distributed.broadcast(drawn, 0)
        return int(drawn)

    def _check_network(self) -> None:
        if self.net.inputs:
            raise GraphError(f"network '{self.net.spec.name}': its data must come from layers of its own to be "
                             f"trained, but '{self.net.inputs[0]}' is an input; give it data layers in phase TRAIN")
        if not self.net.loss_weights:
            raise GraphError(f"network '{self.net.spec.name}': it must have a loss in phase TRAIN to be trained")

    def _display(self, outputs: Mapping[str, Tensor], rate: float | None) -> None:
        now = time.monotonic()
        self._tell(Displayed(iteration=self.iteration, loss=sum(self._losses) / len(self._losses), rate=rate,
                             outputs={name: value.numpy() for name, value in outputs.items()},
                             loss_weights=self.net.loss_weights, seconds=now - self._displayed_at))
        self._displayed_at = now

    def _tell(self, event: Displayed | Scored | SnapshotWritten) -> None:
        if process_rank() == 0:
            for listener in self._listeners:
                listener(event)
