"""A workload of its own for the tests of what all share, which trains the digits for a moment; single layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch

from cortado.errors import FieldError
from cortado.frontends.solver_file import parse_solver
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import Layer, layer_types
from cortado.workloads.figure import Bar, Published
from cortado.workloads.picture import Picture
from cortado.workloads.workload import Bench, Outcome, Workload, workloads

NETWORK = '''
name: "small"
layer { name: "digits" type: "Dataset" top: "data" top: "label" include { phase: TRAIN }
        dataset_param { name: "digits" part: TRAINING batch_size: 16 shuffle: true } }
layer { name: "digits" type: "Dataset" top: "data" top: "label" include { phase: TEST }
        dataset_param { name: "digits" part: HELD_OUT batch_size: 90 } }
layer { name: "score" type: "InnerProduct" bottom: "data" top: "score"
        inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "loss" }
layer { name: "accuracy" type: "Accuracy" bottom: "score" bottom: "label" top: "accuracy" include { phase: TEST } }
'''
SOLVER = ('net: "net.prototxt" type: "Adam" base_lr: 0.01 momentum: 0.9 test_iter: 4 test_interval: 5 '
          "snapshot: 5 snapshot_after_train: true")


@dataclass(frozen=True, kw_only=True)
class Settings:
    steps: int = 10
    rate: float = 0.01

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise FieldError("steps", f"must be at least 1, not {self.steps}")


class Small(Workload):
    """Two trainings of the digits, one part each."""

    title = "Small"
    paper = "none"
    datasets: ClassVar = {"digits": "digits", "other": "nothing"}
    settings_type = Settings
    published = (Published(dataset="digits", split="one", metric="accuracy", value=0.5, source="nobody"),
                 Published(dataset="digits", split="three", metric="accuracy", value=0.75, source="nobody"))
    benches = (Bench(dataset="digits", minutes=0.1, settings={"steps": 5}, bars=(
        Bar(split="one", metric="accuracy", least=0.2), Bar(split="one", metric="loss", most=0.01),
        Bar(split="four", metric="accuracy", least=0.2))),)

    def run(self, run):
        steps = run.settings.steps
        run.expect(2 * steps)
        metrics = {}
        for name in ("one", "two"):
            def compute(name=name):
                folder = run.folder / "net"
                folder.mkdir(exist_ok=True)
                (folder / "net.prototxt").write_text(NETWORK)
                file = parse_solver(SOLVER, folder / "solver.prototxt")
                fit = run.fit(name, file.with_fields(max_iter=steps, base_lr=run.settings.rate).with_parameters(
                    "score", bias_term=name == "one"))
                last = fit.scores[-1]
                return {"accuracy": last.outputs["accuracy"][0], "loss": last.outputs["loss"][0],
                        "tests": [score.iteration for score in fit.scores]}

            part = run.part(name, compute, iterations=steps)
            metrics[name] = {"accuracy": part["accuracy"], "loss": part["loss"], "tests": len(part["tests"])}
        return Outcome(metrics=metrics, pictures=(
            Picture(name="line", draw=lambda figure: figure.subplots().plot([1, 2], [3, 4])),))


@pytest.fixture
def small(monkeypatch) -> str:
    """The name of the workload, registered for the test."""
    list(workloads)
    monkeypatch.setattr(workloads, "_entries", {**workloads._entries, "small": Small})
    return "small"


@pytest.fixture
def layer_of() -> Callable[..., Layer]:
    """Makes a layer 'x' of a type in double precision over bottoms of some dimensions, with blobs and parameters."""

    def make(type_name: str, *bottoms: tuple[int, ...], tops: int = 1, blobs: tuple[np.ndarray, ...] = (),
             **parameters: object) -> Layer:
        layer_type = layer_types[type_name]
        spec = LayerSpec(name="x", type=type_name, bottoms=tuple(f"b{index}" for index in range(len(bottoms))),
                         tops=tuple(f"t{index}" for index in range(tops)),
                         parameters=layer_type.parameters_type(**parameters))
        shapes = tuple(TensorShape(dims) for dims in bottoms)
        layer_type.shapes(spec, shapes)
        layer = layer_type(spec, shapes).double()
        with torch.no_grad():
            for blob, value in zip(layer.blobs, blobs, strict=True):
                blob.copy_(torch.from_numpy(value))
        return layer

    return make
