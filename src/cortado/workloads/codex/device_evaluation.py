"""A trained model with its convolution on the FPGA engine."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from cortado.device.device import DeviceOptions, open_device
from cortado.errors import PlanError
from cortado.executor.executor import Executor
from cortado.executor.mixed_pipeline import MixedPipeline
from cortado.frontends.model import Model
from cortado.graph.spec import NetSpec, Weights
from cortado.planner.calibration import Calibration
from cortado.planner.planner import make_plan
from cortado.resources import models_root
from cortado.workloads.codex.model import Scorer
from cortado.workloads.codex.query import known_answers
from cortado.workloads.ranking import Ranking, Ties, rank

# Queries on the device at a time: one simulated job a batch.
AT_ONCE = 128


def fpga_pipeline(spec: NetSpec, device_name: str, weights: Weights | None = None) -> MixedPipeline:
    """The network cut for the engine; raises `PlanError` where the engine takes no layer of it."""
    pipeline = MixedPipeline(Model(name=spec.name, spec=spec, weights=weights, folder=models_root() / "codex",
                                   metadata=None), batch=AT_ONCE)
    if not pipeline.cut.fpga_layers:
        raise PlanError(f"network '{spec.name}': at least one layer must be one the engine takes to run on "
                        f"'{device_name}', none is; conve has a convolution")
    return pipeline


def on_device(scorer: Scorer, device_name: str, asked: np.ndarray, calibrating: np.ndarray,
              between: Callable[[], None] = lambda: None) -> tuple[Ranking, Ranking, float]:
    """Ranks of (n, 3) queries with answers: in float, and with the layers an engine takes on the device.

    The scales are those of `calibrating`, (m, 2) queries. Also gives the share of queries whose best entity is the
    same. `between` is called between batches. Raises as `fpga_pipeline` and the device.
    """
    pipeline = fpga_pipeline(scorer.net.spec, device_name, scorer.net.weights())
    plan = make_plan(pipeline.cut, pipeline.net, _inputs(calibrating), Calibration())
    same = []
    with open_device(device_name, DeviceOptions()) as device, Executor(plan, pipeline.net, device) as executor:
        def scores(queries: np.ndarray) -> torch.Tensor:
            between()
            values = torch.from_numpy(executor.run(_inputs(queries)).values["score"])
            same.append((values.argmax(1) == scorer.queries(queries).argmax(1)).double())
            return values

        known = known_answers(scorer.triples)
        found = Ranking.of([rank(asked[:, :2], asked[:, 2], scores, known, Ties.MEAN, at_once=AT_ONCE)])
    reference = Ranking.of([rank(asked[:, :2], asked[:, 2], scorer.queries, known, Ties.MEAN)])
    return reference, found, float(torch.cat(same).mean())


def _inputs(queries: np.ndarray) -> dict[str, np.ndarray]:
    return {"entity": queries[:, 0].astype(np.float32), "relation": queries[:, 1].astype(np.float32)}
