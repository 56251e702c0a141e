"""pycaffe's solvers."""

from __future__ import annotations

from pathlib import Path

from cortado.errors import ModelFileError
from cortado.frontends.solver_file import read_solver
from cortado.pycaffe.net import Net
from cortado.solver.solver import Solver as _Solver


class Solver:
    """Trains the network of a solver file: `net` and `test_nets` are Nets on its networks, `iter` counts iterations.

    After a step the blobs of `net` hold what was computed last, and `params` the gradients; diffs of other blobs are
    those of one's own `net.backward()`.
    """

    # The update rule the file must have; None takes any.
    rule: str | None = None

    def __init__(self, solver_file: str | Path) -> None:
        file = read_solver(solver_file)
        if self.rule not in (None, file.spec.rule):
            raise ModelFileError(f"solver: type must be {self.rule} for {type(self).__name__}, not {file.spec.rule}; "
                                 "get_solver takes any", file=solver_file)
        self._solver = _Solver(file)
        self.net = Net.of(self._solver.net)
        self.test_nets = [Net.of(net) for net in self._solver.tests]

    @property
    def iter(self) -> int:
        """Iterations made so far."""
        return self._solver.iteration

    def step(self, iterations: int) -> None:
        """Make so many iterations."""
        self._solver.step(iterations)

    def solve(self, resume_file: str | Path | None = None) -> None:
        """Train to the end, from a snapshot if one is given."""
        if resume_file is not None:
            self.restore(resume_file)
        self._solver.solve()

    def snapshot(self) -> None:
        """Write a snapshot."""
        self._solver.snapshot()

    def restore(self, path: str | Path) -> None:
        """Go on from a snapshot."""
        self._solver.restore(path)


class SGDSolver(Solver):
    """Of type SGD."""

    rule = "SGD"


class NesterovSolver(Solver):
    """Of type Nesterov."""

    rule = "Nesterov"


class AdaGradSolver(Solver):
    """Of type AdaGrad."""

    rule = "AdaGrad"


class RMSPropSolver(Solver):
    """Of type RMSProp."""

    rule = "RMSProp"


class AdaDeltaSolver(Solver):
    """Of type AdaDelta."""

    rule = "AdaDelta"


class AdamSolver(Solver):
    """Of type Adam."""

    rule = "Adam"


def get_solver(solver_file: str | Path) -> Solver:
    """The solver of a file, whatever its type."""
    return Solver(solver_file)
