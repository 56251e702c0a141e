"""The benches themselves: a wrong circuit fails them, and their payloads are Amaranth's."""

from __future__ import annotations

import ast
import importlib
import random
from collections.abc import Callable
from types import ModuleType

import pytest
from amaranth.hdl import Module, signed
from amaranth.lib import data

import cortado.boards
import cortado.gateware
from cortado.gateware.gearbox import Gearbox
from cortado.resources import sim_root
from cortado.simulation.new_bench import components_of

LAYOUT = data.StructLayout({
    "pixels": data.ArrayLayout(data.ArrayLayout(signed(5), 3), 2),
    "index": range(6),
    "nothing": range(1),
    "last": 1,
})
VALUE = {"pixels": [[-16, 15, 0], [-1, 1, 7]], "index": 5, "nothing": 0, "last": 1}


@pytest.fixture
def bench_module(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Imports a module of sim/benches."""
    monkeypatch.syspath_prepend(sim_root())
    return lambda name: importlib.import_module(f"benches.{name}")


class EndlessGearbox(Gearbox):
    """One that never says where a row ends."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.o.payload.last.eq(0)
        return m


@pytest.mark.rtlsim
def test_a_wrong_circuit_fails_by_name(
        run_bench: Callable[[str, dict], None], bench_module: Callable[[str], ModuleType],
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_module("bench_gearbox"), "part", lambda **case: EndlessGearbox(**case))
    with pytest.raises(pytest.fail.Exception) as failure:
        run_bench("gearbox", {"passes": {"unit_bits": 4, "units_in": 2, "units_out": 2}})
    names = [f"rows_come_out_in_groups/case=passes/profile={profile}"
             for profile in ("free", "starved", "pressed", "ragged")]
    first, *log = str(failure.value).splitlines()
    assert first == f"benches.bench_gearbox: {', '.join([*names, 'a_group_a_cycle_passes/case=passes'])}"
    assert any("AssertionError: o: transfer" in line for line in log)


def test_every_component_has_a_bench() -> None:
    """By what the function `part` of each bench says it returns."""
    benched = set()
    for path in (sim_root() / "benches").glob("bench_*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name == "part":
                benched.add(ast.unparse(node.returns))
    components = {**components_of(cortado.gateware), **components_of(cortado.boards)}
    assert set(components) - benched == set()
    assert benched - set(components) == set()


def test_payloads_are_packed_as_amaranth_packs_them(bench_module: Callable[[str], ModuleType]) -> None:
    payload = bench_module("payload")
    bits = payload.pack(LAYOUT, VALUE)
    assert bits == LAYOUT.const(VALUE).as_bits()
    assert payload.unpack(LAYOUT, bits) == VALUE
    rng = random.Random(4)
    for _ in range(50):
        bits = payload.junk(LAYOUT, rng)
        value = payload.unpack(LAYOUT, bits)
        assert payload.pack(LAYOUT, value) == bits == LAYOUT.const(value).as_bits()


def test_numbers_that_do_not_fit_are_found(bench_module: Callable[[str], ModuleType]) -> None:
    pack = bench_module("payload").pack
    for name, value in (("pixels", [[16, 0, 0], [0, 0, 0]]), ("pixels", [[0, 0, 0]]), ("index", 8), ("last", -1)):
        with pytest.raises(AssertionError):
            pack(LAYOUT, {**VALUE, name: value})
    with pytest.raises(AssertionError):
        pack(LAYOUT, {"last": 1})


def test_a_checker_wants_everything_in_order_and_nothing_else(bench_module: Callable[[str], ModuleType]) -> None:
    checker = bench_module("streams").InOrderChecker("o", signed(4))
    assert checker.drained
    checker.expect(-3, 5, 6)
    checker.receive(0b1101)
    assert not checker.drained
    with pytest.raises(AssertionError, match=r"^o: transfer 1 must be 5, not 4"):
        checker.receive(4)
    checker.receive(6)
    assert checker.drained
    with pytest.raises(AssertionError, match=r"^o: transfer 2 must not come: 7"):
        checker.receive(7)


def test_beats_hold_the_first_byte_in_their_low_bits(bench_module: Callable[[str], ModuleType]) -> None:
    assert bench_module("payload").in_beats([1, 2, -1, 4, 5], 4) == [0x04FF0201, 0x00000005]
