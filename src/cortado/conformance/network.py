"""One whole network."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from cortado.conformance.bench import ConformanceBench
from cortado.conformance.check import NotApplicable, conformance_check
from cortado.errors import MismatchError
from cortado.executor.executor import Executor
from cortado.executor.input_batch import calibration_pictures, input_batch
from cortado.executor.mixed_pipeline import MixedPipeline
from cortado.frontends.model import load_model
from cortado.planner.calibration import Calibration

PICTURES = 8


@conformance_check("network", "the embedded network of handwritten digits")
def check_network(bench: ConformanceBench) -> str:
    """Every layer the engine takes, against golden to the bit, and the classes it finds."""
    pipeline = MixedPipeline(load_model("digits"), batch=PICTURES, fields=asdict(bench.engine.configuration))
    if not pipeline.cut.fpga_layers:
        raise NotApplicable("the engine takes no layer of the network")
    pictures = input_batch(pipeline, None, PICTURES)
    plan = pipeline.plan(calibration_pictures(pipeline, pictures)[0], Calibration())
    run = Executor(plan, pipeline.net, bench.device).run({pipeline.input_blob: pictures.pictures}, compare=1)
    if run.equal_layers != run.compared_layers:
        wrong = [layer.placement.layer for layer in run.layers if layer.equal_to_golden is False]
        raise MismatchError(f"network: layers {', '.join(wrong)} differ from golden")
    right = np.count_nonzero(run.values[pipeline.output_blob].reshape(PICTURES, -1).argmax(1) == pictures.labels)
    return f"{run.equal_layers} layers equal to the bit, {right} of {PICTURES} pictures named rightly"
