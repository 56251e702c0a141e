"""`cortado export`: what was written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cortado.graph.spec import NetSpec, Weights
from cortado.report.figures import count
from cortado.report.report import Column, Report, Table


def export_report(net: NetSpec, weights: Weights, files: Sequence[Path], *, seed: int | None) -> Report:
    """The files, and what is in them; `seed` is None where somebody trained the weights."""
    types = Counter(layer.type for layer in net.layers)
    values = sum(blob.size for blobs in weights.values() for blob in blobs)
    trained = "trained weights" if seed is None else f"weights drawn from seed {seed}"
    return Report(
        command="export", title=f"{net.name} written to {', '.join(str(file) for file in files)}",
        data={"network": net.name, "files": [str(file) for file in files], "layers": dict(sorted(types.items())),
              "weight_values": values, "seed": seed},
        tables=(Table(columns=(Column(title="layer type"), Column(title="layers", number=True)),
                      rows=tuple((name, count(number)) for name, number in sorted(types.items()))),),
        lines=("", f"{count(values)} values of {trained}"))
