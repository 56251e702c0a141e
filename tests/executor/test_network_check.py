"""`NetworkChecker`: on files written here, and on every prototxt of BVLC/caffe."""

from __future__ import annotations

from collections import Counter

import pytest

from cortado.errors import ModelFileError
from cortado.executor.network_check import NetworkChecker

NETWORK = """
layer { name: "data" type: "HDF5Data" top: "data" top: "label" hdf5_data_param { source: "no.txt" batch_size: 7 } }
layer { name: "score" type: "InnerProduct" bottom: "data" top: "score" inner_product_param { num_output: 3 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "loss" include { phase: TRAIN } }
"""


def checked(path, **options):
    return {check.role: check for check in NetworkChecker(**options).check(path)}


def test_data_that_is_not_here(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text(NETWORK)
    refused = (f"{path}:2:7: layer 'data': source 'no.txt' must be a text file that can be read: No such file or "
               "directory")
    assert {role: check.refused for role, check in checked(path).items()} == {"TEST": refused, "TRAIN": refused}
    found = checked(path, data_shape=(5,), batch=2)
    assert {role: (check.refused, check.layers, check.stand_ins) for role, check in found.items()} == {
        "TEST": (None, 2, ("data",)), "TRAIN": (None, 3, ("data",))}
    assert {name: str(shape) for name, shape in found["TEST"].outputs.items()} == {"label": "2", "score": "2x3"}
    assert {name: str(shape) for name, shape in found["TRAIN"].outputs.items()} == {"loss": "scalar"}


def test_a_solver_file_has_its_networks(tmp_path):
    (tmp_path / "net.prototxt").write_text(NETWORK)
    path = tmp_path / "solver.prototxt"
    path.write_text('net: "net.prototxt" test_iter: 1 test_interval: 1')
    assert list(checked(path, data_shape=(5,))) == ["solver, training", "solver, test 0"]
    path.write_text('net: "other.prototxt"')
    assert checked(path)["solver"].refused == (
        f"{path}:1:6: solver: field 'net' must name a network file, there is no 'other.prototxt' here nor in the "
        "folders from the solver's upwards")


def test_nothing_is_written(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text(NETWORK + f"""
    layer {{ name: "out" type: "HDF5Output" bottom: "score" bottom: "label"
            hdf5_output_param {{ file_name: "{tmp_path}/out.h5" }} }}
    """)
    check = checked(path, data_shape=(5,))["TEST"]
    assert (check.refused, check.layers, list(check.outputs)) == (None, 3, ["label", "score"])
    assert list(tmp_path.iterdir()) == [path]


def test_no_finite_numbers(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text("""
    layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 4 dim: 9 } } }
    layer { name: "log" type: "Log" bottom: "x" top: "log" }
    layer { name: "abs" type: "AbsVal" bottom: "x" top: "abs" }
    """)
    assert checked(path)["TEST"].not_finite == ("log",)


def test_what_is_no_network(tmp_path):
    (tmp_path / "folder").mkdir()
    broken = tmp_path / "broken.prototxt"
    broken.write_text("layer {")
    assert checked(broken)["file"].refused == (
        f"{broken}:1:8: expected a field name or '}}', not the end of the file: '{{' of line 1, column 7 is not closed")
    with pytest.raises(ModelFileError, match=r"/folder: a folder must hold networks \(.+\), it holds none$"):
        checked(tmp_path / "folder")
    with pytest.raises(ModelFileError, match=r"none.prototxt: the file cannot be read: No such file or directory$"):
        checked(tmp_path / "none.prototxt")


# What the data layers of the files in a folder make, and how many networks are refused there: the data layer WindowData
# of one file and its solver, a solver whose network is not in the corpus, the stages of mnist_autoencoder.prototxt, and
# a layer in Python that is not there.
CORPUS = {
    "examples/cifar10": ((3, 32, 32), 26, 0),
    "examples/hdf5_classification": ((4,), 8, 0),
    "examples/mnist": ((1, 28, 28), 30, 2),
    "examples/siamese": ((2, 28, 28), 6, 0),
    "examples/pycaffe": ((1,), 0, 2),
    "examples/finetune_pascal_detection": ((3, 227, 227), 0, 3),
    **{folder: ((3, 224, 224) if "googlenet" in folder else (3, 227, 227), count, 0) for folder, count in {
        "examples/feature_extraction": 2, "examples/net_surgery": 4, "models/bvlc_alexnet": 6,
        "models/bvlc_googlenet": 8, "models/bvlc_reference_caffenet": 6, "models/bvlc_reference_rcnn_ilsvrc13": 2,
        "models/finetune_flickr_style": 6}.items()},
}
LARGE = ("feature_extraction", "net_surgery", "bvlc_", "finetune_flickr_style")


@pytest.mark.parametrize("folder", [pytest.param(folder, marks=pytest.mark.slow if any(
    name in folder for name in LARGE) else ()) for folder in CORPUS])
def test_every_network_of_caffe_runs_or_is_refused(real_files, folder):
    """Random values in the place of data that is not in the corpus, weights from a seed."""
    shape, ran, refused = CORPUS[folder]
    checks = list(NetworkChecker(data_shape=shape).check(real_files / "prototxt_corpus" / "bvlc_caffe" / folder))
    assert all("\n" not in (check.refused or "") and not check.not_finite for check in checks)
    assert Counter(check.refused is None for check in checks) == Counter({True: ran, False: refused})


def test_the_folders_are_all_of_the_corpus(real_files):
    root = real_files / "prototxt_corpus" / "bvlc_caffe"
    assert {str(file.parent.relative_to(root)) for file in root.rglob("*.prototxt")} == set(CORPUS)
