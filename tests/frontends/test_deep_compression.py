from __future__ import annotations

import struct

import numpy as np
import pytest

from cortado.errors import LayerError, ModelFileError
from cortado.frontends.deep_compression import read_deep_compression
from cortado.frontends.prototxt import parse_prototxt

NETWORK = """
name: "tiny"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 2 dim: 4 dim: 4 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 3 kernel_size: 3 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip" inner_product_param { num_output: 5 } }
"""
# Shapes of the weights: 3x2x3x3 and 5x12.
WEIGHTS = {"conv": 54, "ip": 60}


@pytest.fixture
def net():
    return parse_prototxt(NETWORK)


@pytest.fixture
def layers(rng):
    """What each layer stores: its codebook, its bias, and (relative index, code) of each entry."""
    stored = {}
    for name, codes, outputs in (("conv", 256, 3), ("ip", 16, 5)):
        codebook = rng.standard_normal(codes).astype(np.float32)
        codebook[0] = 0
        entries, place = [], -1
        while True:
            index = int(rng.integers(0, 16)) if len(entries) % 3 else 0
            if place + index + 1 >= WEIGHTS[name]:
                break
            place += index + 1
            # Now and then a filler.
            entries.append((index, int(rng.integers(0, codes)) if len(entries) != 1 else 0))
        stored[name] = (codebook, rng.standard_normal(outputs).astype(np.float32), entries)
    return stored


def packed(values: list[int]) -> bytes:
    """Two 4-bit values to a byte, the low one first."""
    values = values + [0] * (len(values) % 2)
    return bytes(low | high << 4 for low, high in zip(values[::2], values[1::2], strict=True))


def encoded(layers) -> bytes:
    content = b"".join(struct.pack("<I", len(entries)) for _, _, entries in layers.values())
    for name, (codebook, bias, entries) in layers.items():
        codes = [code for _, code in entries]
        content += struct.pack(f"<{len(codebook)}f", *codebook) + struct.pack(f"<{len(bias)}f", *bias)
        content += bytes(codes) if name == "conv" else packed(codes)
        content += packed([index for index, _ in entries])
    return content


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "tiny.net"
        path.write_bytes(content)
        return path

    return write


def test_entries_stand_where_their_indices_say(net, layers, write):
    found = read_deep_compression(write(encoded(layers)), net)
    assert list(found) == ["conv", "ip"]
    for name, (codebook, bias, entries) in layers.items():
        expected, place = [0.0] * WEIGHTS[name], -1
        for index, code in entries:
            place += index + 1
            expected[place] = codebook[code]
        weight = found[name][0]
        assert weight.shape == ((3, 2, 3, 3) if name == "conv" else (5, 12))
        assert weight.dtype == np.float32
        np.testing.assert_array_equal(weight.reshape(-1), np.array(expected, np.float32))
        np.testing.assert_array_equal(found[name][1], bias)


def test_a_layer_may_store_nothing(net, layers, write):
    codebook, bias, _ = layers["conv"]
    found = read_deep_compression(write(encoded({**layers, "conv": (codebook, bias, [])})), net)
    assert not found["conv"][0].any()


def refusal(path, net) -> str:
    with pytest.raises(ModelFileError) as caught:
        read_deep_compression(path, net)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value).removeprefix(f"{path}: ")


def test_every_truncation_is_refused(net, layers, write):
    content = encoded(layers)
    for length in range(8, len(content), 37):
        assert refusal(write(content[:length]), net) == (
            f"must have {len(content)} bytes for network 'tiny', it has {length}: the file is truncated, or of another "
            "network")
    for length in range(8):
        assert refusal(write(content[:length]), net) == (
            "must begin with 2 numbers of 4 bytes, one for each trained layer of network 'tiny'; it has "
            f"{length} bytes")


def test_a_longer_file_is_refused(net, layers, write):
    content = encoded(layers)
    assert refusal(write(content + b"abc"), net) == (
        f"must have {len(content)} bytes for network 'tiny', it has 3 more: something was appended, or it is of "
        "another network")


@pytest.mark.parametrize("content", [b"\x0a\x04name" * 100, b"\xff" * 400, b"layer { }\n" * 40])
def test_a_foreign_file_is_refused(net, write, content):
    entries = int.from_bytes(content[:4], "little")
    assert refusal(write(content), net) == (
        f"layer 'conv' must have at most 54 stored entries, not {entries}: this is no Deep Compression file of network "
        "'tiny'")


def test_zeros_of_the_right_length_would_be_a_file_of_zeros(net, write):
    found = read_deep_compression(write(bytes(8 + 4 * (256 + 3) + 4 * (16 + 5))), net)
    assert not any(blob.any() for blobs in found.values() for blob in blobs)


def test_code_0_must_be_zero(net, layers, write):
    codebook, bias, entries = layers["ip"]
    codebook[0] = 0.5
    assert refusal(write(encoded({**layers, "ip": (codebook, bias, entries)})), net) == (
        "layer 'ip': code 0 must stand for 0, not 0.5: this is no Deep Compression file, or of another network")


def test_entries_beyond_the_weight_are_refused(net, layers, write):
    codebook, bias, _ = layers["ip"]
    entries = [(15, 1)] * 4
    assert refusal(write(encoded({**layers, "ip": (codebook, bias, entries)})), net) == (
        "layer 'ip': entries must lie within its 60 weights, the last is at 63: the file is damaged, or of another "
        "network")


def test_no_such_file(net, tmp_path):
    assert refusal(tmp_path / "none.net", net) == "the file cannot be read: No such file or directory"


def test_a_layer_without_bias_is_refused(write):
    net = parse_prototxt(NETWORK.replace("kernel_size: 3", "kernel_size: 3 bias_term: false"))
    assert refusal(write(b""), net) == (
        "layer 'conv' (Convolution) of network 'tiny': a Deep Compression file holds Convolution and InnerProduct "
        "layers with a bias only")


def test_a_network_that_does_not_fit_together(write):
    net = parse_prototxt(NETWORK.replace("kernel_size: 3", "kernel_size: 7"))
    with pytest.raises(LayerError, match=r"^<text>:4:\d+: layer 'conv': "):
        read_deep_compression(write(b""), net)
