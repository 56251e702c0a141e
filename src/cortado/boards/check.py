"""Checks the files for a board as far as text can be checked: they parse, and every file and port they name exists."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from cortado.boards.ip_xact import NAMESPACE

_CLOSES = {"}": "{", "]": "["}


def declared_ports(verilog: str, top: str) -> dict[str, tuple[str, int]]:
    """Direction and width of each port that a Verilog text of ours declares in module `top`."""
    body = re.search(rf"^module {re.escape(top)}\(.*?^endmodule", verilog, re.MULTILINE | re.DOTALL)
    return {name: (direction, int(high) + 1 if high else 1) for direction, high, name in re.findall(
        r"^  (input|output) (?:\[(\d+):0\] )?(\w+);", body.group() if body else "", re.MULTILINE)}


def faults(folder: Path, top: str) -> list[str]:
    """What does not hold in the files of a folder, in words; `top` is the module in engine.v."""
    verilog = declared_ports((folder / "engine.v").read_text(), top)
    found = _component_faults(folder, verilog)
    if (folder / "top.lpf").is_file():
        pins = declared_ports((folder / "top.v").read_text(), "top")
        found += [f"top.lpf: port {port} is not in top.v" for port in re.findall(
            r'^(?:LOCATE COMP|IOBUF PORT|FREQUENCY PORT) "(\w+)"', (folder / "top.lpf").read_text(), re.MULTILINE)
            if port not in pins]
    found += [f"engine.core: file {name} is not there" for name in re.findall(
        r"^      - ([\w.]+)", (folder / "engine.core").read_text(), re.MULTILINE) if not (folder / name).is_file()]
    if (folder / "package_ip.tcl").is_file():
        text = (folder / "package_ip.tcl").read_text()
        found += [f"package_ip.tcl: {fault}" for fault in tcl_faults(text)]
        files = re.findall(r"file join \$folder (\w+\.\w+)", text)
        found += [f"package_ip.tcl: file {name} is not there" for name in files if not (folder / name).is_file()]
    return found


def tcl_faults(text: str) -> list[str]:
    """Braces, brackets and quotes of a Tcl text that do not match; comments count too, as they do for Tcl."""
    open_at: list[tuple[str, int]] = []
    for number, line in enumerate(text.splitlines(), 1):
        for char in re.sub(r"\\.", "", line):
            if char == '"' and not (open_at and open_at[-1][0] == "{"):
                if open_at and open_at[-1][0] == '"':
                    open_at.pop()
                else:
                    open_at.append((char, number))
            elif char in "{[":
                open_at.append((char, number))
            elif char in "}]":
                if not open_at or open_at[-1][0] != _CLOSES[char]:
                    return [f"line {number}: {char} closes nothing"]
                open_at.pop()
    return [f"line {number}: {char} is not closed" for char, number in open_at[:1]]


def _component_faults(folder: Path, verilog: dict[str, tuple[str, int]]) -> list[str]:
    try:
        root = ElementTree.parse(folder / "component.xml").getroot()
    except ElementTree.ParseError as error:
        return [f"component.xml: {error}"]
    space = {"x": NAMESPACE}
    ports = {}
    for port in root.iterfind("x:model/x:ports/x:port", space):
        left = port.find("x:wire/x:vectors/x:vector/x:left", space)
        ports[port.findtext("x:name", namespaces=space)] = (
            f"{port.findtext('x:wire/x:direction', namespaces=space)}put", 1 if left is None else int(left.text) + 1)
    found = [f"component.xml: port {name} is {ports.get(name)}, in engine.v {verilog.get(name)}"
             for name in sorted({*ports, *verilog}) if ports.get(name) != verilog.get(name)]
    for mapped in root.iterfind(".//x:physicalPort/x:name", space):
        if mapped.text not in verilog:
            found.append(f"component.xml: physical port {mapped.text} is not in engine.v")
    for file in root.iterfind(".//x:file/x:name", space):
        if not (folder / file.text).is_file():
            found.append(f"component.xml: file {file.text} is not there")
    return found
