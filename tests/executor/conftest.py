"""A small trained network on its way through the planner."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cortado.engines.winograd import Winograd
from cortado.executor.mixed_pipeline import MixedPipeline
from cortado.frontends.model import load_model
from cortado.planner.calibration import Calibration
from cortado.planner.plan import Plan

NETWORK = """
name: "small" input: "data" input_shape { dim: 1 dim: 2 dim: 9 dim: 7 }
layer { name: "a" type: "Convolution" bottom: "data" top: "a"
        convolution_param { num_output: 4 kernel_size: 3 pad: 1 bias_filler { type: "constant" value: 0.2 } } }
layer { name: "relu" type: "ReLU" bottom: "a" top: "a" }
layer { name: "pool" type: "Pooling" bottom: "a" top: "pool" pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "b/3x3" type: "Convolution" bottom: "pool" top: "b/3x3"
        convolution_param { num_output: 3 kernel_size: 3 pad: 1 } }
layer { name: "score" type: "InnerProduct" bottom: "b/3x3" top: "score" inner_product_param { num_output: 5 } }
"""


@pytest.fixture
def make_pipeline(tmp_path: Path, small_engine: Winograd) -> Callable[..., MixedPipeline]:
    """Makes the pipeline of the network, its weights seeded, on the small engine; options as of `MixedPipeline`."""
    path = tmp_path / "small.prototxt"
    path.write_text(NETWORK)

    def make(**options: object) -> MixedPipeline:
        configuration = small_engine.configuration
        fields = {name: getattr(configuration, name) for name in configuration.__dataclass_fields__}
        return MixedPipeline(load_model(path), **{"fields": fields, "batch": 3, "seed": 1, **options})

    return make


@pytest.fixture
def pipeline(make_pipeline: Callable[..., MixedPipeline]) -> MixedPipeline:
    return make_pipeline()


@pytest.fixture
def pictures(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((3, 2, 9, 7)).astype(np.float32)


@pytest.fixture
def plan(pipeline: MixedPipeline, pictures: np.ndarray) -> Plan:
    return pipeline.plan(pictures, Calibration(percentile=100))
