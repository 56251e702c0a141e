"""`cortado time`: the host's float layers against plain torch."""

from __future__ import annotations

from cortado.executor.host_time import HostTime
from cortado.report.report import Column, Report, Table


def time_report(network: str, result: HostTime) -> Report:
    """Milliseconds by layer, both totals and their ratio."""
    rows = tuple((name, f"{1e3 * seconds:.3f}") for name, seconds in result.layer_seconds.items())
    return Report(
        command="time",
        title=f"{network} on the host, batch {result.batch}, {result.threads} threads, median of {result.repeats}",
        data={"network": network, "batch": result.batch, "repeats": result.repeats, "threads": result.threads,
              "cortado_seconds": result.cortado_seconds, "plain_seconds": result.plain_seconds,
              "ratio": result.ratio, "layer_seconds": dict(result.layer_seconds)},
        tables=(Table(columns=(Column(title="layer"), Column(title="ms", number=True)), rows=rows),),
        lines=("", f"cortado      {1e3 * result.cortado_seconds:.3f} ms",
               f"plain torch  {1e3 * result.plain_seconds:.3f} ms",
               f"ratio        {result.ratio:.3f}"))
