"""Every component of the gateware keeps the contract of its streams: see sim/formal."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from amaranth.hdl import Fragment
from amaranth.lib import wiring

import cortado.gateware
from cortado.resources import sim_root

PROVEN = sorted(path.stem.removeprefix("proof_") for path in (sim_root() / "formal").glob("proof_*.py"))
# Components without streams: nothing is offered, so nothing can be withdrawn.
WITHOUT_STREAMS = ("cycle_counters", "open_windows")
# How many times further from reset the slow proofs go.
DEEPER = 3


def require_proof(outcome: object, induction: bool) -> None:
    """Fails with the names of what does not hold."""
    assert outcome.failed == (), outcome.log
    assert outcome.unreached == (), outcome.log
    assert outcome.inductive is (True if induction else None), outcome.log


@pytest.mark.parametrize("component", PROVEN)
def test_claims_hold(component: str, prove: Callable, formal_module: Callable[[str], ModuleType]) -> None:
    proving = formal_module(f"proof_{component}")
    for case in proving.CASES:
        require_proof(prove(component, case), proving.STEPS.induction is not None)


@pytest.mark.slow
@pytest.mark.parametrize("component", PROVEN)
def test_claims_hold_further_from_reset(component: str, prove: Callable,
                                        formal_module: Callable[[str], ModuleType]) -> None:
    proving = formal_module(f"proof_{component}")
    for case in proving.CASES:
        require_proof(prove(component, case, deeper=DEEPER), proving.STEPS.induction is not None)


def test_no_component_is_left_out(formal_module: Callable[[str], ModuleType]) -> None:
    folder = Path(cortado.gateware.__file__).parent
    found = {}
    for name in sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__"):
        module = importlib.import_module(f"cortado.gateware.{name}")
        found[name] = [part for part in vars(module).values() if inspect.isclass(part)
                       and issubclass(part, wiring.Component) and part.__module__ == module.__name__]
    components = {name for name, parts in found.items() if parts}
    assert components == {*PROVEN, *WITHOUT_STREAMS}
    channels = formal_module("proof").channels
    for name in WITHOUT_STREAMS:
        for part in found[name]:
            component = part()
            # Amaranth warns of a component that is made and never elaborated.
            Fragment.get(component, None)
            assert channels(component) == [], name
