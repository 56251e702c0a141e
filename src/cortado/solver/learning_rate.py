"""The learning rate of each iteration, by policy."""

from __future__ import annotations

import math

from cortado.graph.solver_spec import SolverSpec


def step_count(spec: SolverSpec, iteration: int) -> int:
    """How many steps the policies step and multistep have made; 0 for others."""
    if spec.lr_policy == "step":
        return iteration // spec.stepsize
    return sum(iteration >= value for value in spec.stepvalue) if spec.lr_policy == "multistep" else 0


def learning_rate(spec: SolverSpec, iteration: int) -> float:
    """The rate, before each blob's own factor. Source: Caffe's `sgd_solver.cpp`, SGDSolver::GetLearningRate."""
    rate, gamma = spec.base_lr, spec.gamma
    match spec.lr_policy:
        case "fixed":
            return rate
        case "step" | "multistep":
            return rate * gamma**step_count(spec, iteration)
        case "exp":
            return rate * gamma**iteration
        case "inv":
            return rate * (1 + gamma * iteration)**-spec.power
        case "poly":
            return rate * (1 - iteration / spec.max_iter)**spec.power
        case "sigmoid":
            return rate / (1 + math.exp(-gamma * (iteration - spec.stepsize)))
