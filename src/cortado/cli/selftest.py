"""`cortado selftest`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cortado.cli.group import cli
from cortado.cli.options import device_option, json_option, key_value, memory_option, token_option
from cortado.cli.output import Verdict, show
from cortado.cli.pipeline import open_chosen_device
from cortado.cli.progress import progress_line


@cli.command()
@device_option("What to test")
@click.option("--engine", "fields", multiple=True, callback=key_value, metavar="FIELD=N,...",
              help="Fields of the engine's configuration, over those of a small engine with every unit.")
@click.option("--only", "names", multiple=True, metavar="CHECK", help="Run this check only; may be given again.")
@click.option("--timeout", "timeout_s", type=click.FloatRange(0.001), help="Give a job up after this many seconds.")
@memory_option
@token_option
@json_option
def selftest(device_name: str, fields: dict[str, int], names: tuple[str, ...], timeout_s: float | None,
             memory_mib: int, token_file: Path | None, as_json: bool) -> None:
    """Check that a device is right: registers, memory, DMA, every feature of its engine, errors, one network.

    The same checks run as tests: pytest --pyargs cortado.conformance.test_device --cortado-device=URL. The exit code is
    1 if one fails. See docs/devices.md for boards.
    """
    from cortado.conformance.check import Check
    from cortado.conformance.suite import engine_of, require_known, run_suite
    from cortado.report.selftest_report import selftest_report

    require_known(names)
    engine = engine_of(fields)
    with progress_line(as_json) as progress:
        def started(check: Check) -> None:
            progress.say(f"{check.name}: {check.title}")

        with open_chosen_device(device_name, None, memory_mib, None, _silent, timeout_s=timeout_s,
                                token_file=token_file) as device:
            outcomes = run_suite(device, engine, names, started=started)
            report = selftest_report(device_name, device, engine, outcomes)
    show(report, as_json)
    failed = [outcome.check.name for outcome in outcomes if outcome.has_failed]
    if failed:
        raise Verdict(f"device '{device_name}': every check must pass, {', '.join(failed)} "
                      f"{'fails' if len(failed) == 1 else 'fail'}")
    if not any(outcome.verdict == "passed" for outcome in outcomes):
        raise Verdict(f"device '{device_name}': at least one check must apply, none does")


def _silent(*_: Any) -> None:
    """Jobs of the suite take no time worth telling."""
