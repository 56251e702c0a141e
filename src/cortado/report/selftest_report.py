"""`cortado selftest`: what came of every check."""

from __future__ import annotations

from dataclasses import asdict

from cortado.conformance.suite import Outcome
from cortado.device.device import Device
from cortado.engines.winograd import Winograd
from cortado.report.report import Column, Report, Table


def selftest_report(address: str, device: Device, engine: Winograd, outcomes: tuple[Outcome, ...]) -> Report:
    """Every check with its verdict and what was done, or what was wrong."""
    failed = [outcome.check.name for outcome in outcomes if outcome.has_failed]
    passed = sum(outcome.verdict == "passed" for outcome in outcomes)
    left = len(outcomes) - passed - len(failed)
    memory = str(device.memory_model) if device.memory_model else None
    lines = ["", f"device      {address}, {device.memory_bytes // 2**20} MiB" + (f", {memory}" if memory else ""),
             f"engine      {engine.configuration}",
             f"checks      {passed} passed, {len(failed)} failed, {left} not applicable"]
    return Report(
        command="selftest", title=f"is {address} right?",
        data={"device": address, "memory": memory, "memory_bytes": device.memory_bytes,
              "configuration_hash": engine.configuration.hash, "configuration": asdict(engine.configuration),
              "healthy": not failed and passed > 0,
              "checks": [{"name": outcome.check.name, "title": outcome.check.title, "verdict": outcome.verdict,
                          "words": outcome.words, "seconds": outcome.seconds} for outcome in outcomes]},
        tables=(Table(columns=(Column(title="check"), Column(title="verdict"), Column(title="s", number=True),
                               Column(title="what", wraps=True)),
                      rows=tuple((outcome.check.name, outcome.verdict.upper() if outcome.has_failed
                                  else outcome.verdict, f"{outcome.seconds:.1f}", outcome.words)
                                 for outcome in outcomes)),),
        lines=tuple(lines))
