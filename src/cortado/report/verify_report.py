"""`cortado verify`: the ladder, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from cortado.executor.ladder import Rung
from cortado.report.figures import count
from cortado.report.report import Column, Report, Table


def verify_report(network: str, devices: Sequence[str], rungs: tuple[Rung, ...], layers: int) -> Report:
    """Each step compared, the first that differs, how many layers were compared; `devices` are those climbed."""
    first = next((rung for rung in rungs if not rung.equal), None)
    rows = tuple(
        (rung.layer, f"{rung.lower} -> {rung.upper}", count(rung.compared), count(rung.different),
         f"{rung.max_error:.3f}", f"{rung.mean_error:.4f}",
         "every bit" if rung.largest_tolerance == 0 else f"{rung.largest_tolerance:.3f}",
         "ok" if rung.equal else f"DIFFERS, most at (n, k, y, x) = {rung.worst}")
        for rung in rungs)
    if not layers:
        verdict = "nothing to compare: no layer runs on the FPGA"
    elif first is None:
        verdict = (f"{layers} layers compared, all equal: reference -> golden within tolerance, "
                   f"{' and '.join(devices)} to the bit")
    else:
        verdict = (f"{layers} layers compared; the first that differs is '{first.layer}', {first.upper} from "
                   f"{first.lower}: {count(first.different)} of {count(first.compared)} numbers, max error "
                   f"{first.max_error:.3f}, mean error {first.mean_error:.4f}, most at (n, k, y, x) = {first.worst}")
    return Report(
        command="verify", title=f"{network}: {' -> '.join(('reference', 'golden', *devices))}",
        data={"network": network, "device": devices[-1], "layers_compared": layers,
              "equal": first is None and layers > 0,
              "first_difference": {"layer": first.layer, "rung": first.upper} if first else None,
              "rungs": [{**asdict(rung), "worst": list(rung.worst)} for rung in rungs]},
        tables=(Table(columns=(
            Column(title="layer"), Column(title="step"), Column(title="compared", number=True),
            Column(title="beyond", number=True), Column(title="max error", number=True),
            Column(title="mean error", number=True), Column(title="tolerance", number=True),
            Column(title="verdict", wraps=True)), rows=rows),) if rungs else (),
        lines=("errors are in steps of the output's scale", verdict) if rungs else (verdict,))
