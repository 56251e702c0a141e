"""`cortado doctor`: the tools cortado needs."""

from __future__ import annotations

from cortado.report.report import Column, Report, Table
from cortado.simulation.doctor import Finding


def doctor_report(findings: tuple[Finding, ...]) -> Report:
    """Every tool, found or not."""
    missing = [finding.name for finding in findings if finding.required and not finding.found]
    rows = tuple(
        (finding.name, "found" if finding.found else "MISSING" if finding.required else "missing (optional)",
         finding.version, finding.purpose, finding.place if finding.found else finding.advice)
        for finding in findings)
    return Report(
        command="doctor", title="what cortado needs on this machine",
        data={"healthy": not missing, "tools": [
            {"name": finding.name, "found": finding.found, "version": finding.version or None,
             "path": finding.place or None, "purpose": finding.purpose, "advice": finding.advice,
             "required": finding.required}
            for finding in findings]},
        tables=(Table(columns=(Column(title="what"), Column(title="state"), Column(title="version"),
                               Column(title="needed", wraps=True), Column(title="where, or how to get it", wraps=True)),
                      rows=rows),),
        lines=("", f"missing: {', '.join(missing)}" if missing else "everything needed is there"))
