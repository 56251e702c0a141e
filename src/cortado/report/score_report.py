"""`cortado test`: how well a network does on its own data."""

from __future__ import annotations

from cortado.report.report import Report
from cortado.report.solver_lines import output_lines, outputs_data
from cortado.solver.score import Scores


def score_report(network: str, weights: str, scores: Scores) -> Report:
    """The mean of every output over all batches; `weights` says where they come from."""
    loss = [] if scores.loss is None else [f"loss = {scores.loss:.6g}"]
    return Report(
        command="test",
        title=f"{network}, mean of {scores.iterations} batches",
        data={"network": network, "weights": weights, "iterations": scores.iterations, "loss": scores.loss,
              "outputs": outputs_data(scores.outputs)},
        lines=(*loss, *output_lines(scores.outputs, scores.loss_weights), "", f"weights  {weights}"))
