"""`cortado check`: which networks run, and why others do not."""

from __future__ import annotations

from collections import Counter

from cortado.executor.network_check import NetworkCheck
from cortado.report.report import Column, Report, Table


def check_report(checks: tuple[NetworkCheck, ...]) -> Report:
    """Every network in a row: what came out, or the line that refuses it."""
    counts = Counter(_outcome(check) for check in checks)
    return Report(
        command="check",
        title="networks read, built, and run forward once with seeded weights",
        data={"ran": counts["ran"], "not_finite": counts["not finite"], "refused": counts["refused"],
              "networks": [{"file": check.file, "role": check.role, "network": check.network,
                            "outcome": _outcome(check), "layers": check.layers, "stand_ins": list(check.stand_ins),
                            "outputs": {name: list(shape.dims) for name, shape in check.outputs.items()},
                            "not_finite": list(check.not_finite), "refused": check.refused} for check in checks]},
        tables=(Table(columns=(Column(title="file"), Column(title="network"), Column(title="outcome"),
                               Column(title="layers", number=True), Column(title="what", wraps=True)),
                      rows=tuple((check.file, check.role, _outcome(check), str(check.layers or "-"), _words(check))
                                 for check in checks)),),
        lines=("", f"{counts['ran']} ran, {counts['not finite']} not finite, {counts['refused']} refused"))


def _outcome(check: NetworkCheck) -> str:
    if check.refused is not None:
        return "refused"
    return "not finite" if check.not_finite else "ran"


def _words(check: NetworkCheck) -> str:
    if check.refused is not None:
        # The file has a column of its own.
        return check.refused.removeprefix(f"{check.file}:").lstrip()
    words = ", ".join(f"{name} {shape}" for name, shape in check.outputs.items())
    if check.not_finite:
        words += f"; no finite numbers in {', '.join(check.not_finite)}"
    return words + (f"; random values for {', '.join(check.stand_ins)}" if check.stand_ins else "")
