"""The conformance suite: every check there is, and what came of it on a device."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from importlib import import_module

from cortado.conformance.bench import ConformanceBench
from cortado.conformance.check import Check, NotApplicable, checks
from cortado.device.device import Device
from cortado.engines.winograd import Winograd
from cortado.errors import CortadoError

# In the order they run: what the later ones need comes first. The plugin and its test need pytest and are not here.
for _checks in ("registers", "memory", "alignment", "features", "errors", "network"):
    import_module(f"cortado.conformance.{_checks}")

# An engine with every unit, small enough to be built in half a minute.
DEFAULT_FIELDS = {"m": 2, "pc": 2, "pk": 2, "beat_bits": 64, "largest_taps": 1152, "tiles": 64, "buffer_words": 256,
                  "block_columns": 16, "leaky": 1, "pooling": 2, "elementwise_add": 1}


def engine_of(fields: Mapping[str, int]) -> Winograd:
    """The engine to check with: `fields` over `DEFAULT_FIELDS`; `ConfigurationError` outside the legal range."""
    return Winograd.from_fields({**DEFAULT_FIELDS, **fields})


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a check."""

    check: Check
    verdict: str
    """passed, failed or not applicable."""
    words: str
    seconds: float

    @property
    def has_failed(self) -> bool:
        """Whether the device was found wrong."""
        return self.verdict == "failed"


def require_known(names: Collection[str]) -> None:
    """Raise `CortadoError` for a name no check has, listing those there are."""
    for name in names:
        if name not in checks:
            raise CortadoError(f"selftest: unknown check '{name}' (known: {', '.join(checks)})")


def run_check(check: Check, device: Device, engine: Winograd) -> Outcome:
    """Program the device, which does nothing where it is that engine, and run one check."""
    begin = time.perf_counter()
    try:
        device.program(engine.design())
        verdict, words = "passed", check.run(ConformanceBench(device, engine))
    except NotApplicable as reason:
        verdict, words = "not applicable", str(reason)
    except CortadoError as error:
        verdict, words = "failed", str(error)
    return Outcome(check=check, verdict=verdict, words=words, seconds=time.perf_counter() - begin)


def run_suite(device: Device, engine: Winograd, names: Collection[str] = (), *,
              started: Callable[[Check], None] | None = None) -> tuple[Outcome, ...]:
    """Run the checks of those names, all for none, in their order; `started` is told each before it runs."""
    require_known(names)
    outcomes = []
    for check in checks.values():
        if names and check.name not in names:
            continue
        if started is not None:
            started(check)
        outcomes.append(run_check(check, device, engine))
    return tuple(outcomes)
