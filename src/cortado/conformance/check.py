"""A check of the conformance suite, and how it is announced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cortado.conformance.bench import ConformanceBench


class NotApplicable(Exception):
    """A check has nothing to check on this device or engine; the words say why."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """`run` raises `CortadoError` where the device is wrong and `NotApplicable` where there is nothing to check; its
    result says what was done.
    """

    name: str
    title: str
    run: Callable[[ConformanceBench], str]


# By name, in the order they were announced.
checks: dict[str, Check] = {}


def conformance_check(name: str, title: str) -> Callable[[Callable[[ConformanceBench], str]],
                                                         Callable[[ConformanceBench], str]]:
    """Announce a check."""
    def announce(run: Callable[[ConformanceBench], str]) -> Callable[[ConformanceBench], str]:
        if name in checks:
            raise ValueError(f"conformance check '{name}' is there already")
        checks[name] = Check(name=name, title=title, run=run)
        return run

    return announce
