"""Whatever a user gets wrong: one clear error, the right exit code, no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cortado.frontends.caffemodel import write_caffemodel
from cortado.frontends.data_file import data_files
from cortado.layers.layer import layer_types
from cortado.resources import models_root

DATA = 'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 2 dim: 6 dim: 5 } } }\n'
CONV = ('layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" '
        'convolution_param { num_output: 3 kernel_size: 3 } }\n')
WEIGHT, BIAS = np.ones((3, 2, 3, 3), np.float32), np.zeros(3, np.float32)

# A folder of several networks has none that goes by its name.
MODELS = ", ".join(sorted(folder.name for folder in models_root().iterdir()
                          if any((folder / f"{name}.prototxt").is_file() for name in (folder.name, "deploy"))))
FIELDS = ("m, pc, pk, data_bits, weight_bits, beat_bits, largest_taps, tiles, buffer_words, block_columns, leaky, "
          "pooling, elementwise_add, pooling_row_beats")
SUFFIXES = ".png, .jpg, .jpeg, .bmp, .gif, .pgm, .ppm, .tif, .tiff"
DIGITS = "data, conv1_1, conv1_2, pool1, conv2_1, conv2_2, pool2, score, prob"

INSPECT = ("inspect", "net.prototxt")
WEIGHTS = (*INSPECT, "--weights", "w.caffemodel")
GOLDEN = ("run", "--device", "golden", "--batch", "1")

# Arguments, the network file, and what standard error must be after "error: ".
NETWORKS = {
    "no colon": (DATA + 'layer { name: "conv" type "Convolution" }\n',
                 "net.prototxt:2:27: field 'type' must be followed by ':' or '{', not '\"Convolution\"'"),
    "not closed": ('layer { name: "data"\n',
                   ("net.prototxt:2:1: expected a field name or '}', not the end of the file: '{' of line 1, column 7 "
                    "is not closed")),
    "empty": ("", "net.prototxt: network: at least one layer must be in phase TEST, there is none"),
    "unknown type": (DATA + 'layer { name: "c" type: "Convolutoin" bottom: "data" top: "c" }\n',
                     ("net.prototxt:2:25: layer 'c': unknown layer type 'Convolutoin'; did you mean 'Convolution' or "
                      f"'ConvolutionND' or 'Deconvolution'? (known: {', '.join(layer_types)})")),
    "unknown field": (DATA + CONV.replace("num_output", "num_outputs"),
                      ("net.prototxt:2:89: layer 'conv': convolution_param: unknown field 'num_outputs'; did you mean "
                       "'num_output'? (known: axis, bias_filler, bias_term, dilation, engine, force_nd_im2col, group, "
                       "kernel_h, kernel_size, kernel_w, num_output, pad, pad_h, pad_w, stride, stride_h, stride_w, "
                       "subengine, weight_filler)")),
    "bottom of nobody": (DATA + CONV.replace('"data"', '"dta"'),
                         "net.prototxt:2:7: layer 'conv': bottom 0 'dta' is produced by nobody"),
    "wrong order": (CONV + DATA,
                    ("net.prototxt:1:7: layer 'conv': bottom 0 'data' is produced only later, by layer 'data'; layers "
                     "run in the order of the file")),
    "cycle": (DATA + 'layer { name: "a" type: "Eltwise" bottom: "data" bottom: "y" top: "x" }\n'
              'layer { name: "b" type: "ReLU" bottom: "x" top: "y" }\n',
              "net.prototxt:2:7: layer 'a': bottom 1 'y' closes a cycle of layers: 'a' -> 'b' -> 'a'"),
    "negative dimension": (DATA.replace("dim: 6", "dim: -6") + CONV,
                           "net.prototxt:1:84: layer 'data': input_param.shape: dim must be at least 1, not -6"),
    "no dimension": (DATA.replace("dim: 6", "dim: 0") + CONV,
                     "net.prototxt:1:84: layer 'data': input_param.shape: dim must be at least 1, not 0"),
    "absurd dimension": (DATA.replace("dim: 6", "dim: 99999999999") + CONV,
                         ("net.prototxt:1:70: layer 'data': input_param.shape: dim must give a legal blob: shape "
                          "1x2x99999999999x5: at most 2147483647 elements, not 999999999990")),
    "negative filters": (DATA + CONV.replace("num_output: 3", "num_output: -3"),
                         "net.prototxt:2:89: layer 'conv': convolution_param: num_output must be at least 1, not -3"),
    "absurd filters": (DATA + CONV.replace("num_output: 3", "num_output: 2000000000"),
                       ("net.prototxt:2:7: layer 'conv': shape 1x2000000000x4x3: at most 2147483647 elements, not "
                        "24000000000")),
    "kernel larger than its map": (DATA + CONV.replace("kernel_size: 3", "kernel_size: 30"),
                                   ("net.prototxt:2:7: layer 'conv': the padded height of bottom 'data' must be at "
                                    "least the kernel's 30, not 6")),
    "binary": (b"\x00\xff\xfe\n", ("net.prototxt:1: the file must be UTF-8 text: a network is a .prototxt, only its "
                                   "weights are binary")),
}

# The same for weights: bytes of a file, or trained blobs by layer.
TRAINED = {
    "foreign": (b"\x89PNG\r\n\x1a\n" + bytes(50),
                ("w.caffemodel: byte 10: no protobuf field starts here (field number 0, wire type 0); a caffemodel "
                 "must be a binary protobuf file")),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(50),
             ("w.caffemodel: an HDF5 file must hold together, this one is damaged: Not a file id "
              "(not a file ID)")),
    "empty": (b"", "w.caffemodel: a caffemodel must hold layers, this file has none: it is empty or no caffemodel"),
    "missing layer": ({"other": ()}, "layer 'conv': expected 2 blobs (3x2x3x3, 3), found no blobs"),
    "missing blob": ({"conv": (WEIGHT,)}, "layer 'conv': expected 2 blobs (3x2x3x3, 3), found 1 blob (3x2x3x3)"),
    "extra blob": ({"conv": (WEIGHT, BIAS, BIAS)},
                   "layer 'conv': expected 2 blobs (3x2x3x3, 3), found 3 blobs (3x2x3x3, 3, 3)"),
    "extra layer": ({"conv": (WEIGHT, BIAS), "conv9": (WEIGHT,)},
                    "layer 'conv9': the weights have 1 blob (3x2x3x3), network 'tiny' has no such layer"),
    "misshapen": ({"conv": (np.ones((3, 2, 5, 5), np.float32), BIAS)},
                  "layer 'conv': blob 0 must have shape 3x2x3x3, not 3x2x5x5"),
    "no numbers": ({"conv": (WEIGHT * np.nan, BIAS)},
                   "layer 'conv': blob 0 must have finite values, it has 54 that are infinite or no numbers"),
}

# Arguments, files, and what standard error must be after "error: ".
ARGUMENTS = {
    "misspelt model": (("inspect", "digist"), {},
                       (f"unknown model 'digist'; did you mean 'digits'? (known: {MODELS}; or give the path of a "
                        ".prototxt or .onnx)")),
    "unknown model": (("inspect", "zzz"), {},
                      f"unknown model 'zzz' (known: {MODELS}; or give the path of a .prototxt or .onnx)"),
    "a wave of a device without a clock": (
        ("run", "--device", "golden", "--wave", "job.fst"), {},
        "device 'golden': it has no clock and writes no wave; use --device rtlsim"),
    "a wave where nothing is simulated": (
        ("run", "--wave", "job.fst", "--host", "conv1_1", "--engine", "largest_taps=9"), {},
        "device 'rtlsim': no layer runs on it, so there is no wave to write (see cortado inspect)"),
    "a trace that cannot be written": (
        (*GOLDEN, "--trace", "nowhere/trace.json"), {},
        ("trace file 'nowhere/trace.json': must be one that can be written, not refuse with 'No such file or "
         "directory'")),
    "no such prototxt": (INSPECT, {}, "net.prototxt: the file cannot be read: No such file or directory"),
    "other file": (("inspect", "picture.png"), {"picture.png": b"x"},
                   ("picture.png: a model must be a .prototxt or .onnx file, a folder with a .prototxt, or a known "
                    f"name (known: {MODELS})")),
    "folder without a model": (("inspect", "folder"), {"folder/x": b"x"},
                               "folder: a model folder must hold folder.prototxt or deploy.prototxt"),
    "no such weights": (("inspect", "--weights", "w.caffemodel"), {},
                        "w.caffemodel: the file cannot be read: No such file or directory"),
    "no picture": ((*GOLDEN, "--input", "p.png"), {"p.png": b"hello"},
                   "'p.png': it must be a picture (PNG, JPEG, ...), its contents are none"),
    "no such picture": ((*GOLDEN, "--input", "p.png"), {}, "'p.png': no such file; give the path of a picture"),
    "folder without pictures": ((*GOLDEN, "--input", "folder"), {"folder/x": b"x"},
                                f"'folder': the folder must hold pictures ({SUFFIXES}), it holds none"),
    "no array": ((*GOLDEN, "--input", "p.npy"), {"p.npy": b"\x93NUMPY"},
                 "'p.npy': it must be an .npy file of numbers: EOF: reading magic string, expected 8 bytes got 6"),
    "misshapen array": ((*GOLDEN, "--input", "p.npy"), {"p.npy": np.zeros((2, 3, 8, 8), np.float32)},
                        "'p.npy': the array must have shape Nx1x8x8, not 2x3x8x8"),
    "array of no numbers": ((*GOLDEN, "--input", "p.npy"), {"p.npy": np.full((2, 1, 8, 8), np.nan, np.float32)},
                            "'p.npy': every number must be finite"),
    "picture for a model that knows none": (
        ("run", "net.prototxt", "--device", "golden", "--input", "p.png"), {"net.prototxt": DATA + CONV, "p.png": b"x"},
        ("'p.png': the model must say how pixels become its input (picture in model.json) to take picture files; give "
         "an .npy file instead")),
    "illegal value": (("inspect", "--engine", "m=3"), {}, "engine configuration: m must be one of 2, 4, 6, not 3"),
    "value out of range": (("inspect", "--engine", "tiles=2"), {},
                           "engine configuration: tiles must be from 4 to 1024, not 2"),
    "fields that do not fit together": (
        ("inspect", "--engine", "pc=16,beat_bits=64"), {},
         "engine configuration: pc must be at most the 8 bytes of a 64-bit beat, not 16"),
    "unknown field": (("inspect", "--engine", "zoom=2"), {},
                      f"engine configuration: unknown field 'zoom' (known: {FIELDS})"),
    "percentile": ((*GOLDEN, "--percentile", "0"), {},
                   "calibration: the percentile must be above 0 and at most 100, not 0.0"),
    "verify no layer": (("verify", "--device", "golden", "--layer", "conv9"), {},
                        f"network 'digits' has no layer 'conv9' (it has: {DIGITS})"),
    "verify a host layer": (("verify", "--device", "golden", "--layer", "pool1"), {},
                            ("layer 'pool1': it must run on the FPGA to be verified, it runs on the host: Pooling runs "
                             "on the host")),
    "no layer for the FPGA": (("inspect", "--fpga", "conv9"), {},
                              f"network 'digits' has no layer 'conv9' to put on the FPGA (it has: {DIGITS})"),
    "a layer the FPGA cannot take": (
        ("inspect", "--fpga", "pool1"), {},
        ("layer 'pool1': must run on the FPGA (asked for), but engine 'winograd' cannot take it: type is Pooling; the "
         "engine takes Convolution and InnerProduct, and Pooling with pooling=1. Change the engine's configuration, or "
         "keep the layer on the host "
         "(--host pool1)")),
    "both sides": (("inspect", "--fpga", "conv1_1", "--host", "conv1_1"), {},
                   "layer 'conv1_1' must be on the FPGA or on the host, it was asked to be on both"),
    "strict": (("inspect", "--strict", "--engine", "largest_taps=144"), {},
               ("layer 'conv2_2': must run on the FPGA (3x3 convolution), but engine 'winograd' cannot take it: C * "
                "kernel height * kernel width is 288; the engine takes 1 to 144 (largest_taps of the configuration). "
                "Change the engine's configuration, or keep the layer on the host (--host conv2_2)")),
    "output is a file": (("generate", "-o", "out"), {"out": b"x"},
                         "'out': the output folder must be new or empty; give another one or --force"),
    "output inside a file": (("generate", "-o", "out/bundle"), {"out": b"x"},
                             "'out/bundle': the output folder cannot be written: File exists; give another one"),
    "output of an endless name": (("generate", "-o", "x" * 300), {},
                                  (f"'{'x' * 300}': the output folder cannot be written: File name too long; give "
                                   "another one")),
    "nothing to generate": (
        ("generate", "-o", "out", "--host", "conv1_1", "--engine", "largest_taps=9"), {},
         "network 'digits': nothing to generate, no layer runs on the FPGA (see cortado inspect)"),
    "unknown data file": (("data", "path", "vgg"), {},
                          ("unknown data file 'vgg' (known: "
                           f"{', '.join(sorted({name.partition('/')[0] for name in data_files}))})")),
}

# Arguments a command does not take: the command, and click's message.
USAGE = {
    "engine without a value": (("inspect", "--engine", "m"), "inspect",
                               "Invalid value for '--engine': 'm' must be a field and a whole number, as in m=4"),
    "engine without a number": (("run", "--engine", "m=4,pc=two"), "run",
                                "Invalid value for '--engine': 'pc=two' must be a field and a whole number, as in m=4"),
    "engine with a field twice": (("inspect", "--engine", "m=4,pc=2", "--engine", "m=2"), "inspect",
                                  ("Invalid value for '--engine': field 'm' must be given once, not as m=4 and m=2")),
    "unknown device": (("run", "--device", "board"), "run",
                       ("Invalid value for '--device': unknown device 'board' (known: csim, golden, remote, rtlsim, "
                        "transport, uio, xdma)")),
    "no pictures": (("verify", "--batch", "0"), "verify",
                    "Invalid value for '--batch': 0 is not in the range x>=1."),
    "no clock": (("generate", "-o", "out", "--clock-mhz", "0"), "generate",
                 "Invalid value for '--clock-mhz': 0.0 is not in the range 0.001<=x<=100000."),
    "a clock that is no number": (("run", "--clock-mhz", "nan"), "run",
                                  "Invalid value for '--clock-mhz': 'nan' is not a number."),
    "no output": (("generate",), "generate", "Missing option '-o' / '--output'."),
    "no memory": (("run", "--memory-mib", "0"), "run",
                  "Invalid value for '--memory-mib': 0 is not in the range 1<=x<=4096."),
}


def write_files(files: dict[str, object]) -> None:
    for name, content in files.items():
        path = Path(name)
        path.parent.mkdir(exist_ok=True)
        if isinstance(content, np.ndarray):
            np.save(path, content)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)


def check_error(ended, message: str) -> None:
    assert ended.err == f"error: {message}\n"
    assert (ended.code, ended.out) == (1, "")


@pytest.mark.parametrize(("content", "message"), NETWORKS.values(), ids=NETWORKS)
def test_bad_network(cortado, content, message):
    write_files({"net.prototxt": content})
    check_error(cortado(*INSPECT), message)


@pytest.mark.parametrize(("content", "message"), TRAINED.values(), ids=TRAINED)
def test_bad_weights(cortado, content, message):
    write_files({"net.prototxt": 'name: "tiny"\n' + DATA + CONV})
    if isinstance(content, bytes):
        write_files({"w.caffemodel": content})
    else:
        write_caffemodel("w.caffemodel", "tiny", {name: ("Convolution", blobs) for name, blobs in content.items()})
    check_error(cortado(*WEIGHTS), message)


def test_truncated_weights(cortado):
    write_files({"net.prototxt": DATA + CONV})
    write_caffemodel("w.caffemodel", "tiny", {"conv": ("Convolution", (WEIGHT, BIAS))})
    whole = Path("w.caffemodel").read_bytes()
    # Six bytes of the network's name, two of the key and two of the length of its one layer.
    assert len(whole) == 10 + 270
    Path("w.caffemodel").write_bytes(whole[:-1])
    check_error(cortado(*WEIGHTS), "w.caffemodel: byte 6: field 100 must have 270 bytes, 269 are left: the file is "
                                   "truncated or no caffemodel")


@pytest.mark.parametrize(("arguments", "files", "message"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_bad_arguments(cortado, arguments, files, message):
    write_files(files)
    before = sorted(Path().rglob("*"))
    check_error(cortado(*arguments), message)
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(("arguments", "command", "message"), USAGE.values(), ids=USAGE)
def test_bad_usage(cortado, arguments, command, message):
    ended = cortado(*arguments)
    assert ended.err == (f"Usage: cortado {command} [OPTIONS] [MODEL]\n"
                         f"Try 'cortado {command} --help' for help.\n\nError: {message}\n")
    assert (ended.code, ended.out) == (2, "")


def test_an_error_is_one_json_object_with_json(cortado):
    ended = cortado("inspect", "net.prototxt", "--json")
    message = "net.prototxt: the file cannot be read: No such file or directory"
    assert ended.json == {"error": {"type": "ModelFileError", "message": message}}
    assert (ended.code, ended.err) == (1, f"error: {message}\n")


@pytest.mark.parametrize("command", [("run", "--batch", "1"), ("verify", "--batch", "1")], ids=lambda value: value[0])
def test_cache_folder_that_cannot_be_written(cortado, monkeypatch, simulator_tools, command):
    # Even who may write everything cannot make a folder inside a file.
    write_files({"file": b"x"})
    monkeypatch.setenv("CORTADO_CACHE", str(Path("file/cache").absolute()))
    check_error(cortado(*command),
                f"build cache '{Path('file/cache').absolute()}': must be a folder that can be written, not refuse with "
                "'Not a directory'; set CORTADO_CACHE to a folder of yours")


@pytest.mark.rtlsim
def test_missing_compiler(cortado, monkeypatch):
    Path("bin").mkdir()
    monkeypatch.setenv("PATH", str(Path("bin").absolute()))
    monkeypatch.setenv("CORTADO_CACHE", str(Path("cache").absolute()))
    check_error(cortado("run", "--batch", "1"),
                "g++: must be installed to build the simulator, not missing; install a C++20 compiler (Debian: apt "
                "install g++)")
    assert not Path("cache").exists()


@pytest.mark.parametrize(("wave", "reason"), [("nowhere/job.fst", "No such file or directory"),
                                              (".", "Is a directory")])
def test_wave_that_cannot_be_written_is_said_before_anything_is_built(cortado, monkeypatch, wave, reason):
    monkeypatch.setenv("CORTADO_CACHE", str(Path("cache").absolute()))
    check_error(cortado("run", "--batch", "1", "--wave", wave),
                f"wave file '{wave}': must be one that can be written, not refuse with '{reason}'")
    assert not Path("cache").exists()


@pytest.mark.parametrize("arguments", [("inspect",), ("inspect", "--json")], ids=" ".join)
def test_reader_that_has_seen_enough(arguments):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run([sys.executable, "-m", "cortado", *arguments], stdout=writing, stderr=subprocess.PIPE,
                               text=True, timeout=120)
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (1, "")


def test_full_disk():
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run([sys.executable, "-m", "cortado", "data", "list"], stdout=full, stderr=subprocess.PIPE,
                               text=True, timeout=120)
    assert ended.stderr == "error: standard output must take the report, not refuse with 'No space left on device'\n"
    assert ended.returncode == 1


def test_a_process_says_no_more_than_the_function(tmp_path):
    """Nothing is added on the way out of the interpreter."""
    (tmp_path / "net.prototxt").write_text(DATA + "layer {")
    ended = subprocess.run([sys.executable, "-m", "cortado", *INSPECT, "--json"], capture_output=True, text=True,
                           cwd=tmp_path, timeout=120)
    message = ("net.prototxt:2:8: expected a field name or '}', not the end of the file: '{' of line 2, column 7 is "
               "not closed")
    assert ended.stderr == f"error: {message}\n"
    assert json.loads(ended.stdout) == {"error": {"type": "ModelFileError", "message": message}}
    assert ended.returncode == 1


@pytest.mark.parametrize(("arguments", "message"), [
    (("synth", "--family", "xc8"), "unknown FPGA family 'xc8'; did you mean"),
    (("synth", "winograt", "--family", "ecp5"),
     "unknown engine 'winograt'; did you mean 'winograd'?"),
    (("synth", "--family", "ecp5", "--target-mhz", "100"),
     "--target-mhz and --seed are for place and route; add --pnr"),
    (("synth",), "Missing option '--family'."),
])
def test_synth_says_what_it_takes(arguments, message):
    ended = subprocess.run([sys.executable, "-m", "cortado", *arguments], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert message in " ".join(ended.stderr.split())


def test_place_and_route_is_for_one_family():
    ended = subprocess.run([sys.executable, "-m", "cortado", "synth", "--family", "xc7", "--pnr", "--json"],
                           capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert json.loads(ended.stdout)["error"]["message"].startswith("family 'xc7': must be ecp5 for place and route")
