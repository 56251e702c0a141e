"""A bench that `cortado bench-new` writes builds and drives its part, and says where the model is missing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from amaranth.hdl import Module, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

import cortado.gateware
from cortado.errors import ConfigurationError, CortadoError
from cortado.simulation.new_bench import NewBench, components_of, find_component, save, words

# Arguments of the parts that are not made from a configuration alone.
ARGUMENTS = {
    "ColumnMaximum": {"lanes": "1", "beat_bits": "64", "average": "False"},
    "ColumnPooling": {"lanes": "1", "beat_bits": "64", "average": "True"},
    "CreditGate": {"shape": "unsigned(4)", "credits": "3"},
    "DescriptorFetcher": {"beat_bits": "64"},
    "ElementwiseAdd": {"beat_bits": "64"},
    "Gearbox": {"unit_bits": "4", "units_in": "2", "units_out": "3"},
    "LeakyRelu": {"leaky": "1"},
    "Pooling": {"lanes": "1", "beat_bits": "64", "row_beats": "4", "average": "False"},
    "ReadArbiter": {"readers": "('left', 'right')", "beat_bits": "64"},
    "RowPooling": {"beat_bits": "64", "row_beats": "4", "average": "False"},
    "StreamReader": {"beat_bits": "64"},
    "StreamRegister": {"shape": "signed(8)"},
    "StreamWriter": {"beat_bits": "64"},
    "WindowScaling": {"lanes": "2"},
    "WriteMaster": {"beat_bits": "64"},
}
# It is made around another component, which no text of a command line is.
WRAPPERS = {"AxiEngine"}

OWN = '''
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class Doubler(wiring.Component):
    """Twice each number."""

    i: In(stream.Signature(8))
    o: Out(stream.Signature(9))

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [self.o.payload.eq(self.i.payload << 1), self.o.valid.eq(self.i.valid),
                     self.i.ready.eq(self.o.ready)]
        return m
'''


class Nested(wiring.Component):
    """A stream in an interface, an array of ports, and an interface the other way round."""

    def __init__(self) -> None:
        super().__init__({
            "bus": In(wiring.Signature({"request": Out(stream.Signature(unsigned(4))), "busy": In(1)})),
            "levels": Out(3).array(2),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # Something on the clock, as any circuit has.
        m.d.sync += self.levels[0].eq(self.levels[1])
        return m


def run(path: Path) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, path.name], cwd=path.parent, capture_output=True, text=True, timeout=600)


@pytest.mark.parametrize("name", sorted(set(components_of(cortado.gateware)) - WRAPPERS))
def test_there_is_a_bench_for_every_part_of_the_engine(name):
    bench = NewBench(component=find_component(name), arguments=ARGUMENTS.get(name, {}))
    tree = ast.parse(bench.render(f"bench_{bench.file_stem}.py"))
    text = ast.unparse(tree)
    assert bench.ports
    for port in bench.ports.values():
        assert f"'{port.name}'" in text, port


def test_ports_are_the_way_round_the_part_has_them():
    ports = NewBench(component=Nested, arguments={}).ports
    assert {name: (port.is_input, port.shape) for name, port in ports.items()} == {
        "bus.request": (True, "unsigned(4)"), "bus.busy": (False, "unsigned(1)"), "levels.0": (False, "unsigned(3)"),
        "levels.1": (False, "unsigned(3)")}
    assert set(NewBench(component=Nested, arguments={}).streams) == {"bus.request"}


def test_shapes_in_words():
    assert words(data.StructLayout({"y": data.ArrayLayout(signed(8), 4), "last": 1})) == (
        "{y: 4 of signed(8), last: unsigned(1)}")
    assert words(range(6)) == "unsigned(3)"


@pytest.mark.parametrize(("name", "found"), [
    ("relu", "Relu"), ("Relu", "Relu"), ("stream_reader", "StreamReader"), ("mac_array", "MacArray"),
    ("cortado.gateware.pipeline:StreamRegister", "StreamRegister"),
])
def test_a_component_by_its_name(name, found):
    assert find_component(name).__name__ == found


@pytest.mark.parametrize(("name", "message"), [
    ("grinder", r"^component 'grinder': must be one of AxiEngine, .*, or package\.module:Class for one of your own$"),
    ("no.such:Thing", (r"^component 'no\.such:Thing': its module must be one that can be imported from here, not "
                      r"refused with 'No module named 'no''$")),
    ("cortado.gateware.axi:ID_BITS", (r"^component 'cortado\.gateware\.axi:ID_BITS': ID_BITS must be a class of "
                                     r"amaranth\.lib\.wiring\.Component in cortado\.gateware\.axi, not 2$")),
])
def test_a_component_that_is_none(name, message):
    with pytest.raises(ConfigurationError, match=message):
        find_component(name)


@pytest.mark.parametrize(("name", "arguments", "message"), [
    ("gearbox", {"unit_bits": "4"}, (r"^component 'Gearbox': its arguments must be those of Gearbox\(unit_bits: 'int', "
                                    r".*\), not refused with '.*units_in.*'; give them by --with NAME=VALUE$")),
    ("relu", {"cups": "4"}, r"^component 'Relu': its arguments must be those of Relu\(.*'; give them by --with "),
    ("leaky_relu", {}, (r"^component 'LeakyRelu': its arguments must be those of LeakyRelu\(.*\), not refused with "
                        r"'AssertionError'; give them by --with NAME=VALUE$")),
    ("stream_register", {"shape": "open('x')"}, (r"^component 'StreamRegister': argument shape must be a number, "
                                                       r"a text in quotes, a tuple or a shape such as signed\(8\), ")),
    ("relu", {"m": "3"}, r"^engine configuration: m must be one of 2, 4, 6, not 3$"),
])
def test_arguments_that_do_not_make_one(name, arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        NewBench(component=find_component(name), arguments=arguments).render("bench.py")


class Broken(wiring.Component):
    """One that does not elaborate."""

    def __init__(self) -> None:
        super().__init__({"o": Out(1)})

    def elaborate(self, platform: object) -> Module:
        raise NameError("where is m?")


def test_a_component_that_does_not_elaborate():
    with pytest.raises(ConfigurationError) as caught:
        NewBench(component=Broken, arguments={}).render("bench.py")
    assert str(caught.value) == "component 'Broken': it must elaborate, not end with NameError: where is m?"


def test_a_file_is_spared(tmp_path):
    path = tmp_path / "bench_relu.py"
    path.write_text("mine")
    bench = NewBench(component=find_component("relu"), arguments={})
    with pytest.raises(CortadoError) as caught:
        save(bench, path, force=False)
    assert str(caught.value) == f"'{path}': the file must be new; give another one (-o) or --force"
    assert path.read_text() == "mine"
    save(bench, path, force=True)
    assert "class Relu" not in path.read_text()
    assert "from cortado.gateware.relu import Relu" in path.read_text()
    assert [entry.name for entry in tmp_path.iterdir()] == ["bench_relu.py"]


@pytest.mark.rtlsim
def test_a_bench_drives_its_part_and_wants_its_model(simulator_tools, tmp_path):
    path = tmp_path / "bench_relu.py"
    save(NewBench(component=find_component("relu"), arguments={}), path, force=False)
    ended = run(path)
    assert ended.returncode == 1
    assert "TESTS=8 PASS=4 FAIL=4" in ended.stdout
    assert "AssertionError: write the model of Relu here" in ended.stdout
    assert "error: bench_relu: outputs_equal_the_model/case=first/profile=free, " in ended.stderr
    # The model as a user writes it: y and channel pass, and flag 1 makes negative numbers 0.
    text = path.read_text().replace('raise AssertionError("write the model of Relu here")', (
        'keep = not sent["i"]["flags"] & 1\n'
        '    return {"o": [{"y": [y if keep or y > 0 else 0 for y in sent["i"]["y"]], "channel": sent["i"]["channel"]}]'
        '}'))
    path.write_text(text)
    ended = run(path)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr
    assert "TESTS=8 PASS=8 FAIL=0" in ended.stdout


@pytest.mark.rtlsim
def test_a_part_that_passes_everything_on_passes_at_once(simulator_tools, tmp_path):
    path = tmp_path / "bench_stream_register.py"
    save(NewBench(component=find_component("stream_register"), arguments=ARGUMENTS["StreamRegister"]), path,
         force=False)
    ended = run(path)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr
    assert "TESTS=8 PASS=8 FAIL=0" in ended.stdout


@pytest.mark.rtlsim
def test_a_component_of_ones_own(simulator_tools, tmp_path, monkeypatch):
    (tmp_path / "my_part.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "bench_doubler.py"
    save(NewBench(component=find_component("my_part:Doubler"), arguments={}), path, force=False)
    path.write_text(path.read_text().replace('raise AssertionError("write the model of Doubler here")',
                                             'return {"o": [2 * sent["i"]]}'))
    ended = run(path)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr


@pytest.mark.rtlsim
def test_a_part_without_streams_is_driven(simulator_tools, tmp_path):
    path = tmp_path / "bench_open_windows.py"
    save(NewBench(component=find_component("open_windows"), arguments={}), path, force=False)
    ended = run(path)
    assert ended.returncode == 1
    assert "TESTS=2 PASS=1 FAIL=1" in ended.stdout
    assert "AssertionError: write the model of OpenWindows here" in ended.stdout
