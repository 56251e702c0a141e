"""The signals of AXI4 and AXI4-Lite ports, by the names that bus tools look for."""

from __future__ import annotations

from enum import IntEnum

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

ADDRESS_BITS = 32
ID_BITS = 2

# No burst may cross a multiple of this many bytes: a slave may end there.
BOUNDARY_BYTES = 4096

INCREMENT = 1  # AxBURST: each beat at the next address
CACHE = 0b0011  # AxCACHE: normal memory, may be buffered


class Response(IntEnum):
    """Values of RRESP and BRESP."""

    OKAY = 0
    EXOKAY = 1
    SLVERR = 2
    DECERR = 3


def read_signature(beat_bits: int) -> wiring.Signature:
    """The read channels of an AXI4 port, as its master has them."""
    return wiring.Signature({
        **_address_channel("ar"),
        "rid": In(ID_BITS), "rdata": In(beat_bits), "rresp": In(2), "rlast": In(1), "rvalid": In(1), "rready": Out(1),
    })


def write_signature(beat_bits: int) -> wiring.Signature:
    """The write channels of an AXI4 port, as its master has them."""
    return wiring.Signature({
        **_address_channel("aw"),
        "wdata": Out(beat_bits), "wstrb": Out(beat_bits // 8), "wlast": Out(1), "wvalid": Out(1), "wready": In(1),
        "bid": In(ID_BITS), "bresp": In(2), "bvalid": In(1), "bready": Out(1),
    })


def lite_signature(address_bits: int) -> wiring.Signature:
    """An AXI4-Lite port of 32 bits, as its master has it."""
    return wiring.Signature({
        "awaddr": Out(address_bits), "awprot": Out(3), "awvalid": Out(1), "awready": In(1),
        "wdata": Out(32), "wstrb": Out(4), "wvalid": Out(1), "wready": In(1),
        "bresp": In(2), "bvalid": In(1), "bready": Out(1),
        "araddr": Out(address_bits), "arprot": Out(3), "arvalid": Out(1), "arready": In(1),
        "rdata": In(32), "rresp": In(2), "rvalid": In(1), "rready": Out(1),
    })


def flat_members(prefix: str, signature: wiring.Signature) -> dict[str, wiring.Member]:
    """The signals as members of their own: `araddr` becomes `PREFIX_araddr`, the name it has in Verilog.

    A nested member would have two underscores there, and tools would not see a bus.
    """
    return {f"{prefix}_{name}": member for name, member in signature.members.items()}


def connect_flat(m: Module, outer: object, prefix: str, inner: object) -> None:
    """Join the flat members `PREFIX_...` of a component with the port `inner` of a part of it, signal by signal."""
    for name, member in inner.signature.members.items():
        inside, outside = getattr(inner, name), getattr(outer, f"{prefix}_{name}")
        m.d.comb += outside.eq(inside) if member.flow is Out else inside.eq(outside)


def connect_address(m: Module, port: object, channel: str, beat_bits: int) -> None:
    """Drive what never changes in an address channel, `ar` or `aw`."""
    m.d.comb += [
        getattr(port, f"{channel}size").eq((beat_bits // 8).bit_length() - 1),
        getattr(port, f"{channel}burst").eq(INCREMENT),
        getattr(port, f"{channel}cache").eq(CACHE),
    ]


def _address_channel(channel: str) -> dict[str, wiring.Member]:
    return {f"{channel}{name}": member for name, member in {
        "id": Out(ID_BITS), "addr": Out(ADDRESS_BITS), "len": Out(8), "size": Out(3), "burst": Out(2), "cache": Out(4),
        "prot": Out(3), "valid": Out(1), "ready": In(1)}.items()}
