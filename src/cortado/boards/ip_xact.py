"""IP-XACT (IEEE 1685-2014) of an engine: its ports, buses, registers and files, for tools that join blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from cortado.gateware.axi import ADDRESS_BITS
from cortado.gateware.axi_engine import CONTROL_PREFIX, MEMORY_PREFIX
from cortado.gateware.cycle_counters import COUNTER_NAMES
from cortado.gateware.register import Register, counter_registers
from cortado.gateware.register_file import CONTROL_ADDRESS_BITS

NAMESPACE = "http://www.accellera.org/XMLSchema/IPXACT/1685-2014"
SCHEMA = f"{NAMESPACE} {NAMESPACE}/index.xsd"
VENDOR, LIBRARY = "cortado", "engines"
# Name of the interface: the bus, and whether the engine is its master.
BUSES = {CONTROL_PREFIX: ("AXI4-Lite", False), MEMORY_PREFIX: ("AXI4", True)}
VIEW, FILES, REGISTERS, SPACE = "verilog", "rtl", "registers", "memory"
READ_ONLY = {Register.IDENTITY, Register.HASH_LOW, Register.HASH_HIGH, Register.STATUS, Register.ERROR}

_NESTED = Mapping[str, Any] | list | str | int


def component(manifest: Mapping[str, Any], version: str) -> str:
    """The text of component.xml for the engine of a bundle, whose Verilog lies beside it."""
    verilog = manifest["verilog"]
    ElementTree.register_namespace("ipxact", NAMESPACE)
    ElementTree.register_namespace("xsi", "http://www.w3.org/2001/XMLSchema-instance")
    root = ElementTree.Element(f"{{{NAMESPACE}}}component", {
        "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation": SCHEMA})
    _fill(root, {
        "vendor": VENDOR, "library": LIBRARY, "name": f"{manifest['engine']}_engine", "version": version,
        "busInterfaces": [("busInterface", _bus(prefix, verilog["ports"])) for prefix in BUSES],
        "addressSpaces": [("addressSpace", {"name": SPACE, "range": f"64'h{2**ADDRESS_BITS:x}", "width":
                                            manifest["configuration"]["beat_bits"]})],
        "memoryMaps": [("memoryMap", {"name": REGISTERS, "addressBlock": {
            "name": "control", "baseAddress": 0, "range": 2**CONTROL_ADDRESS_BITS, "width": 32, "usage": "register",
            "#": [("register", entry) for entry in _registers()]}})],
        "model": {
            "views": [("view", {"name": VIEW, "envIdentifier": "verilogSource::",
                                "componentInstantiationRef": VIEW})],
            "instantiations": [("componentInstantiation", {
                "name": VIEW, "language": "verilog", "moduleName": verilog["top"],
                "fileSetRef": {"localName": FILES}})],
            "ports": [("port", _port(name, port)) for name, port in verilog["ports"].items()],
        },
        "fileSets": [("fileSet", {"name": FILES, "file": {"name": verilog["file"], "fileType": "verilogSource"}})],
        "description": (f"{manifest['engine']} engine of {manifest['multipliers']} multipliers, configuration "
                        f"{manifest['configuration_hash']}"),
    })
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _bus(prefix: str, ports: Mapping[str, Any]) -> dict[str, _NESTED]:
    bus, is_master = BUSES[prefix]
    library = {"vendor": "amba.com", "library": "AMBA4", "version": "r0p0"}
    names = [name for name in ports if name.startswith(f"{prefix}_")]
    return {
        "name": prefix,
        "busType": {"@": {**library, "name": bus}},
        "abstractionTypes": [("abstractionType", {
            "viewRef": VIEW, "abstractionRef": {"@": {**library, "name": f"{bus}_rtl"}},
            "portMaps": [("portMap", {"logicalPort": {"name": name.removeprefix(f"{prefix}_").upper()},
                                      "physicalPort": {"name": name}}) for name in names]})],
        **({"master": {"addressSpaceRef": {"@": {"addressSpaceRef": SPACE}}}} if is_master else
           {"slave": {"memoryMapRef": {"@": {"memoryMapRef": REGISTERS}}}}),
    }


def _registers() -> list[dict[str, _NESTED]]:
    entries = [(register.name.lower(), int(register), register in READ_ONLY) for register in Register
               if register is not Register.COUNTERS]
    for name in COUNTER_NAMES:
        entries += [(f"{name}_{half}", offset, True)
                    for half, offset in zip(("low", "high"), counter_registers(name), strict=True)]
    return [{"name": name, "addressOffset": f"'h{offset:x}", "size": 32,
             "access": "read-only" if is_read_only else "read-write"} for name, offset, is_read_only in entries]


def _port(name: str, port: Mapping[str, Any]) -> dict[str, _NESTED]:
    wire: dict[str, _NESTED] = {"direction": port["direction"].removesuffix("put")}
    if port["width"] > 1:
        wire["vectors"] = [("vector", {"left": port["width"] - 1, "right": 0})]
    return {"name": name, "wire": wire}


def _fill(parent: ElementTree.Element, content: _NESTED) -> None:
    """Adds elements: a mapping by name, in its order, a list of names with their content, or a text.

    Two keys of a mapping are none: "@" holds attributes, "#" further elements.
    """
    if isinstance(content, Mapping):
        for name, inner in content.items():
            if name == "@":
                parent.attrib.update(inner)
            elif name == "#":
                _fill(parent, inner)
            else:
                _fill(ElementTree.SubElement(parent, f"{{{NAMESPACE}}}{name}"), inner)
    elif isinstance(content, list):
        for name, inner in content:
            _fill(ElementTree.SubElement(parent, f"{{{NAMESPACE}}}{name}"), inner)
    else:
        parent.text = str(content)
