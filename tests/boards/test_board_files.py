"""The files for a board agree with the engine's Verilog, parse, and say what has not been run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from cortado import __version__
from cortado.boards.board import SERIAL_PINS, Board, boards
from cortado.boards.board_files import BoardPackage
from cortado.boards.check import declared_ports, faults, tcl_faults
from cortado.engines.winograd import Winograd
from cortado.errors import ConfigurationError, ToolError
from cortado.gateware.register import Register
from cortado.simulation import toolchain
from cortado.synthesis.nextpnr import read_timing

SPACE = {"x": "http://www.accellera.org/XMLSchema/IPXACT/1685-2014"}
# Signals of AMBA 4 (ARM IHI 0022) that our ports have.
AXI4_LITE = {f"{channel}{name}" for channel, names in {
    "AW": "ADDR PROT VALID READY", "W": "DATA STRB VALID READY", "B": "RESP VALID READY",
    "AR": "ADDR PROT VALID READY", "R": "DATA RESP VALID READY"}.items() for name in names.split()}
AXI4 = {f"{channel}{name}" for channel, names in {
    "AW": "ID ADDR LEN SIZE BURST CACHE PROT VALID READY", "W": "DATA STRB LAST VALID READY",
    "B": "ID RESP VALID READY", "AR": "ID ADDR LEN SIZE BURST CACHE PROT VALID READY",
    "R": "ID DATA RESP LAST VALID READY"}.items() for name in names.split()}
# Order of the elements of a component, a bus interface and a register in the schema of IEEE 1685-2014.
ORDER = {
    "component": ("vendor", "library", "name", "version", "busInterfaces", "addressSpaces", "memoryMaps", "model",
                  "fileSets", "description"),
    "busInterface": ("name", "busType", "abstractionTypes", "master", "slave"),
    "register": ("name", "addressOffset", "size", "access"),
    "model": ("views", "instantiations", "ports"),
}


def written(name: str, engine: Winograd, bundle: tuple[Path, dict]) -> Path:
    folder, manifest = bundle
    BoardPackage(board=boards[name], design=engine.design()).write(folder, manifest)
    return folder


@pytest.mark.parametrize("name", list(boards))
def test_everything_a_board_needs_is_written_and_holds(name, engine, bundle):
    folder = written(name, engine, bundle)
    package = BoardPackage(board=boards[name], design=engine.design())
    assert {path.name for path in folder.iterdir()} == {"engine.v", "BOARD.md", *(file.name for file in package.files)}
    assert faults(folder, "engine") == []
    text = (folder / "BOARD.md").read_text()
    for file in package.files:
        assert f"| `{file.name}` | {file.says} | {file.checked} |" in text
    assert "Nobody has run it on the board." in text


def test_the_component_has_the_buses_with_all_their_signals(engine, bundle):
    root = ElementTree.parse(written("zcu104", engine, bundle) / "component.xml").getroot()
    for tag, order in ORDER.items():
        for element in (root, *root.iter(f"{{{SPACE['x']}}}{tag}")):
            if element.tag == f"{{{SPACE['x']}}}{tag}":
                found = [child.tag.partition("}")[2] for child in element]
                assert found == sorted(found, key=order.index)
    buses = {bus.findtext("x:name", namespaces=SPACE): bus for bus in root.iterfind("x:busInterfaces/*", SPACE)}
    for name, signals, kind in (("s_axi_control", AXI4_LITE, "AXI4-Lite"), ("m_axi", AXI4, "AXI4")):
        assert buses[name].find("x:busType", SPACE).attrib == {
            "vendor": "amba.com", "library": "AMBA4", "name": kind, "version": "r0p0"}
        maps = {entry.findtext("x:logicalPort/x:name", namespaces=SPACE):
                entry.findtext("x:physicalPort/x:name", namespaces=SPACE)
                for entry in buses[name].iter(f"{{{SPACE['x']}}}portMap")}
        assert maps == {signal: f"{name}_{signal.lower()}" for signal in signals}
    assert buses["m_axi"].find("x:master/x:addressSpaceRef", SPACE) is not None
    assert buses["s_axi_control"].find("x:slave/x:memoryMapRef", SPACE) is not None
    registers = {entry.findtext("x:name", namespaces=SPACE): entry.findtext("x:addressOffset", namespaces=SPACE)
                 for entry in root.iter(f"{{{SPACE['x']}}}register")}
    assert registers["identity"] == "'h0"
    assert {name: f"'h{int(Register[name.upper()]):x}" for name in ("control", "status", "descriptor_count")}.items() \
        <= registers.items()


def test_what_is_wrong_is_found(engine, bundle):
    folder = written("kria_kv260", engine, bundle)
    for name, old, new, expected in (
            ("component.xml", "<ipxact:left>31</ipxact:left>", "<ipxact:left>30</ipxact:left>",
             "component.xml: port m_axi_araddr is ('output', 31), in engine.v ('output', 32)"),
            ("component.xml", "<ipxact:name>m_axi_wlast</ipxact:name>", "<ipxact:name>m_axi_last</ipxact:name>",
             "component.xml: physical port m_axi_last is not in engine.v"),
            ("component.xml", "</ipxact:component>", "", "component.xml: no element found: line "),
            ("component.xml", "<ipxact:name>engine.v<", "<ipxact:name>other.v<", "component.xml: file other.v is not "),
            ("engine.core", "- engine.xdc", "- pins.xdc", "engine.core: file pins.xdc is not there"),
            ("package_ip.tcl", "foreach interface {", "foreach interface ", "package_ip.tcl: line "),
            ("package_ip.tcl", "engine.xdc]", "pins.xdc]", "package_ip.tcl: file pins.xdc is not there")):
        right = (folder / name).read_text()
        assert old in right
        (folder / name).write_text(right.replace(old, new))
        found = faults(folder, "engine")
        assert any(fault.startswith(expected) for fault in found), (expected, found)
        (folder / name).write_text(right)
    folder = written("ulx3s_85f", engine, bundle)
    (folder / "top.lpf").write_text((folder / "top.lpf").read_text().replace('COMP "rx"', 'COMP "rxd"'))
    assert faults(folder, "engine") == ["top.lpf: port rxd is not in top.v"]


@pytest.mark.parametrize(("text", "expected"), [
    ("set a [list {b \"c}]\n", []),
    ("set a {b\n", ["line 1: { is not closed"]),
    ("set a b\nputs c]\n", ["line 2: ] closes nothing"]),
    ('puts "a [b] c\n', ['line 1: " is not closed']),
    ("puts \\{\n", []),
])
def test_tcl_that_does_not_match(text, expected):
    assert tcl_faults(text) == expected


@pytest.fixture
def tclsh() -> str:
    """Tcl, where there is one: nothing else of the project needs it."""
    found = shutil.which("tclsh")
    if found is None:
        pytest.skip("tclsh: must be installed to run a Tcl script, not missing (Debian: apt install tcl)")
    return found


def test_tcl_runs_to_its_end_where_every_command_is_known(engine, bundle, tmp_path, tclsh):
    """With commands that do nothing in place of Vivado's, and the real ones for files and lists."""
    script = written("pynq_z2", engine, bundle) / "package_ip.tcl"
    assert tcl_faults(script.read_text()) == []
    commands = re.findall(r"(?:^|\[)\s*((?:ipx::)?[a-z_]+)", script.read_text(), re.MULTILINE)
    assert {"create_project", "add_files", "ipx::package_project", "ipx::infer_bus_interface", "ipx::save_core"} <= set(
        commands)
    (tmp_path / "run.tcl").write_text("namespace eval ipx {}\nproc unknown {args} { return {} }\nsource "
                                      f"{{{script}}}\nputs ended\n")
    ended = subprocess.run([tclsh, str(tmp_path / "run.tcl")], capture_output=True, text=True, timeout=60)
    assert (ended.stdout, ended.stderr) == ("ended\n", "")


@pytest.mark.parametrize("name", list(boards))
def test_the_core_is_yaml_that_fusesoc_knows(name, engine, bundle):
    folder, board = written(name, engine, bundle), boards[name]
    core = (folder / "engine.core").read_text()
    assert core.startswith("CAPI=2:\n")
    content = yaml.safe_load(core)
    assert content["name"] == f"cortado:engines:winograd_engine:{__version__}"
    assert set(content["targets"]) == {"default", "lint", "synth"}
    synth = content["targets"]["synth"]
    assert set(synth["filesets"]) <= set(content["filesets"])
    if board.is_serial:
        assert synth["tools"]["trellis"]["nextpnr_options"] == list(map(str, board.place_and_route))
    else:
        assert synth["tools"]["vivado"]["part"] == board.part


def test_the_top_has_the_pins_of_the_board_and_no_others(engine, bundle):
    folder = written("ulx3s_85f", engine, bundle)
    assert declared_ports((folder / "top.v").read_text(), "top") == {
        "clk": ("input", 1), "rx": ("input", 1), "tx": ("output", 1), "led": ("output", 1)}
    sites = re.findall(r'LOCATE COMP "(\w+)" SITE "(\w+)";', (folder / "top.lpf").read_text())
    assert dict(sites) == {"clk": "G2", "rx": "M1", "tx": "L4", "led": "B2"}
    assert 'FREQUENCY PORT "clk" 25 MHZ;' in (folder / "top.lpf").read_text()


@pytest.mark.parametrize(("name", "fields", "message"), [
    ("ulx3s_85f", {"m": 4, "pc": 4, "pk": 2, "beat_bits": 64}, (
        "board 'ulx3s_85f': the engine must have at most the 156 multipliers of LFE5U-85F-6BG381C, not 288; take a "
        "smaller one (--engine m=2,pc=1,pk=1)")),
    ("pynq_z2", {"m": 2, "pc": 1, "pk": 1, "beat_bits": 128}, (
        "board 'pynq_z2': the memory port must be at most 64 bits wide, not 128; take --engine beat_bits=64")),
])
def test_an_engine_that_cannot_go_there(name, fields, message):
    with pytest.raises(ConfigurationError) as caught:
        BoardPackage(board=boards[name], design=Winograd.from_fields(fields).design())
    assert str(caught.value) == message


def test_jobs_beyond_the_memory_of_the_board(engine, bundle):
    folder, manifest = bundle
    manifest["jobs"][0]["memory"]["output"]["address"] = 2**17
    with pytest.raises(ConfigurationError) as caught:
        written("ulx3s_85f", engine, (folder, manifest))
    assert str(caught.value) == ("board 'ulx3s_85f': the jobs must lie within 131072 bytes of memory, not 133072; take "
                                 "a smaller batch or keep layers on the host (--host)")


@pytest.mark.parametrize(("changes", "message"), [
    ({"family": "virtex"}, "family must be one of ecp5, xc7, xcup, not virtex"),
    ({"port_bits": 100}, "port_bits must be one of (64, 128, 256, 512), not 100"),
    ({"clock_mhz": 0}, "clock_mhz must be above 0, not 0"),
    ({"pins": {"clk": "G2"}}, "pins must be those of clk, rx, tx, led or none, not clk"),
    ({"baud": None}, "pins, baud and place_and_route must be given together"),
    ({"memory_bytes": 100_000}, "memory_bytes must be a power of two where the memory is block RAM, not 100000"),
])
def test_a_board_that_cannot_be(changes, message):
    with pytest.raises(ConfigurationError) as caught:
        replace(boards["ulx3s_85f"], **changes)
    assert str(caught.value) == f"board 'ulx3s_85f': {message}"


def test_boards_are_found_by_name():
    assert set(boards) == {"kria_kv260", "pynq_z2", "ulx3s_85f", "zcu104"}
    for name in boards:
        assert isinstance(boards[name], Board)
        assert boards[name].name == name
    assert tuple(boards["ulx3s_85f"].pins) == SERIAL_PINS


@pytest.mark.slow
@pytest.mark.parametrize("name", ["kria_kv260", "ulx3s_85f"])
def test_fusesoc_takes_the_core(name, engine, bundle, tmp_path, monkeypatch):
    """It sets the target up: every file is found and the tool's project is written. The tools are not run."""
    folder = written(name, engine, bundle)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    ended = subprocess.run(
        [sys.executable, "-m", "fusesoc.main", "--cores-root", str(folder), "run", "--setup", "--target", "synth",
         "--build-root", str(tmp_path / "work"), f"cortado:engines:winograd_engine:{__version__}"],
        capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert any(path.name in ("engine.v", "top.v") for path in (tmp_path / "work").rglob("*.v"))


@pytest.fixture
def place_and_route_tools() -> None:
    """The tools of the Makefile; nextpnr is not among those the tests install."""
    try:
        toolchain.yosys().require()
        toolchain.nextpnr_ecp5().require()
    except ToolError as error:
        pytest.skip(str(error))


@pytest.mark.slow
def test_the_top_becomes_a_bitstream(engine, bundle, place_and_route_tools):
    """By the Makefile that is written: yosys, nextpnr, ecppack."""
    folder = written("ulx3s_85f", engine, bundle)
    ended = subprocess.run(["make"], cwd=folder, capture_output=True, text=True, timeout=3600)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    timing = read_timing(json.loads((folder / "timing.json").read_text()))
    assert timing.fmax_mhz > 25
    # An ECP5 takes a bitstream by its preamble (FPGA-TN-02039).
    assert b"\xff\xff\xbd\xb3" in (folder / "top.bit").read_bytes()[:4096]
