"""A model on its way from a file to a run: the steps in order, each a value of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import torch

from cortado.engines.engine import Engine, engine_types
from cortado.errors import GraphError, PlanError
from cortado.frontends.model import Model
from cortado.graph.shape import TensorShape
from cortado.layers.element_type import array_of
from cortado.net.net import Net
from cortado.net.shape_inference import infer_shapes
from cortado.net.weights import match_weights, seeded_weights
from cortado.passes.pipeline import prepare
from cortado.planner.calibration import Calibration
from cortado.planner.partition import partition
from cortado.planner.plan import Cut, Plan
from cortado.planner.planner import make_plan
from cortado.planner.program import Program, read_programs

DEFAULT_ENGINE = "winograd"

# Weights of a network nobody has trained are drawn from this seed unless told.
DEFAULT_SEED = 0

# Values in memory at a time, over all blobs and pictures of a float run: a gigabyte.
LARGEST_VALUES = 2**28


class MixedPipeline:
    """A prepared network with its weights and its cut.

    `fields` are fields of the engine's configuration over those the network names (XCLProgram), those of the model and
    the defaults; `engine_name` likewise goes before the network's. Each of `other_fields`, over all those, is another
    configuration a layer may run on. `batch` is the number of pictures the costs are for; `fpga`, `host`,
    `inner_products`, `strict` and `program_cycles` as in `planner.partition`. Without weights in the model they are
    drawn from `seed`; `seeded` says so. Raises `ConfigurationError`, `GraphError`, `PlanError`, `WeightsError`.
    """

    def __init__(self, model: Model, *, fields: Mapping[str, object] | None = None, batch: int = 1,
                 fpga: Collection[str] = (), host: Collection[str] = (), inner_products: bool = False,
                 strict: bool = False, seed: int = DEFAULT_SEED, engine_name: str | None = None,
                 other_fields: Sequence[Mapping[str, object]] = (), program_cycles: float = 0) -> None:
        self.model = model
        self.seeded = model.weights is None
        self.seed = seed
        defaults = dict(model.metadata.engine) if model.metadata else {}

        def configured(program: Program | None, other: Mapping[str, object]) -> Engine:
            engine_type = engine_types[engine_name or (program.engine if program else DEFAULT_ENGINE)]
            return engine_type.from_fields({**defaults, **(program.fields if program else {}), **(fields or {}),
                                            **other})

        programs = read_programs(model.spec)
        first = programs[0] if programs else None
        self.engine: Engine = configured(first, {})
        others = tuple(configured(first, other) for other in other_fields)
        weights = seeded_weights(model.spec, seed) if self.seeded else match_weights(model.spec, model.weights)
        self.spec, weights = prepare(model.spec, weights)
        self.net = Net(self.spec, weights)
        self._wishes = {"fpga": fpga, "host": host, "inner_products": inner_products, "strict": strict,
                        "other_engines": others, "program_cycles": program_cycles,
                        "programs": {program.layer: configured(program, {}) for program in programs}}
        self.reshape(batch)

    def reshape(self, batch: int) -> None:
        """Shapes and cut for another number of pictures."""
        self.batch = batch
        self.shapes: dict[str, TensorShape] = infer_shapes(self.spec, batch=batch)
        self.cut: Cut = partition(self.spec, self.shapes, self.engine, **self._wishes)

    @property
    def input_blob(self) -> str:
        """The blob the pictures go to; `GraphError` when the network has none or several."""
        if len(self.net.inputs) != 1:
            raise GraphError(f"network '{self.spec.name}': it must have one input to take pictures, not "
                             f"{len(self.net.inputs)} ({', '.join(self.net.inputs) or 'none'}); use a deploy network")
        return self.net.inputs[0]

    @property
    def output_blob(self) -> str:
        """The last blob nobody reads: the scores of a classifier."""
        return self.net.outputs[-1]

    @property
    def pictures_at_once(self) -> int:
        """How many pictures the float network may take in one go: every blob of each is in memory at the end."""
        batch = self.shapes[self.input_blob].dims[0]
        return max(1, LARGEST_VALUES // (sum(shape.count for shape in self.shapes.values()) // batch))

    def plan(self, pictures: np.ndarray, calibration: Calibration) -> Plan:
        """Formats from calibration `pictures`, float32 (N, C, H, W)."""
        if not len(pictures):
            raise PlanError("calibration: at least one picture must be given, not none")
        return make_plan(self.cut, self.net, {self.input_blob: pictures}, calibration)

    def reference(self, pictures: np.ndarray) -> np.ndarray:
        """The network's output in float, the lowest rung of the ladder."""
        step = self.pictures_at_once
        with torch.no_grad():
            outputs = [self.net({self.input_blob: torch.from_numpy(pictures[start:start + step])})[self.output_blob]
                       for start in range(0, len(pictures), step)]
        return array_of(torch.cat(outputs))
