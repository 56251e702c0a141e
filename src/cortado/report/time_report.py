"""`cortado time`: the host's float layers, forward and backward, against plain torch."""

from __future__ import annotations

from typing import Any

from cortado.executor.host_time import HostTime, PassTime
from cortado.report.report import Column, Report, Table


def time_report(network: str, result: HostTime) -> Report:
    """Milliseconds by layer, of whole passes, and their ratio to those of plain torch."""
    rows = tuple((name, f"{1e3 * seconds:.3f}",
                  f"{1e3 * result.layer_backward[name]:.3f}" if name in result.layer_backward else "-")
                 for name, seconds in result.layer_forward.items())
    passes = (("forward", result.forward), ("forward-backward", result.both))
    lines = ("", f"not compared with plain torch: {result.not_compared}") if result.not_compared else ()
    return Report(
        command="time",
        title=f"{network} on the host, batch {result.batch}, {result.threads} threads, median of {result.repeats}",
        data={"network": network, "batch": result.batch, "repeats": result.repeats, "threads": result.threads,
              "forward": _pass_data(result.forward), "forward_backward": _pass_data(result.both),
              "layer_forward_seconds": dict(result.layer_forward),
              "layer_backward_seconds": dict(result.layer_backward), "not_compared": result.not_compared},
        tables=(
            Table(columns=(Column(title="layer"), Column(title="forward ms", number=True),
                           Column(title="backward ms", number=True)), rows=rows),
            Table(columns=(Column(title="pass"), Column(title="cortado ms", number=True),
                           Column(title="plain torch ms", number=True), Column(title="ratio", number=True)),
                  rows=tuple((name, f"{1e3 * time.cortado:.3f}",
                              "-" if time.plain is None else f"{1e3 * time.plain:.3f}",
                              "-" if time.ratio is None else f"{time.ratio:.3f}") for name, time in passes)),
        ),
        lines=lines)


def _pass_data(time: PassTime) -> dict[str, Any]:
    return {"cortado_seconds": time.cortado, "plain_seconds": time.plain, "ratio": time.ratio}
