"""`cortado doctor`."""

from __future__ import annotations

import sys

from cortado.cli.group import cli
from cortado.cli.options import json_option
from cortado.cli.output import show


@cli.command()
@json_option
def doctor(as_json: bool) -> None:
    """Look for every tool cortado needs; the exit code is 1 if one is missing."""
    from cortado.hls.headers import headers
    from cortado.report.doctor_report import doctor_report
    from cortado.simulation.doctor import examine

    report = doctor_report(examine((headers(),)))
    show(report, as_json)
    if not report.data["healthy"]:
        sys.exit(1)
