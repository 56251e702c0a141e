"""SqueezeNet with its real weights: coffee is espresso, on host and FPGA."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from cortado.device.device import DeviceOptions
from cortado.device.golden import GoldenDevice
from cortado.executor.executor import Executor
from cortado.executor.mixed_pipeline import MixedPipeline
from cortado.frontends.caffemodel import read_caffemodel
from cortado.frontends.deep_compression import read_deep_compression
from cortado.frontends.model import load_model
from cortado.frontends.picture import load_pictures
from cortado.planner.calibration import Calibration

# What scikit-image and scikit-learn ship and a camera took: colour, grey, through lenses of all kinds.
PHOTOGRAPHS = {
    "skimage": ("data", ("astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png", "clock_motion.png",
                         "coffee.png", "coins.png", "grass.png", "gravel.png", "hubble_deep_field.jpg", "ihc.png",
                         "microaneurysms.png", "moon.png", "motorcycle_left.png", "motorcycle_right.png", "page.png",
                         "retina.jpg", "rocket.jpg", "text.png")),
    "sklearn": ("datasets/images", ("china.jpg", "flower.jpg")),
}
ESPRESSO, EGYPTIAN_CAT = 967, 285


def photographs() -> list[Path]:
    files = []
    for package, (folder, names) in PHOTOGRAPHS.items():
        root = Path(importlib.util.find_spec(package).submodule_search_locations[0]) / folder
        files += [root / name for name in names]
    return files


def picture(name: str) -> Path:
    return next(path for path in photographs() if path.name == name)


@pytest.fixture(scope="module")
def pipeline(real_files) -> MixedPipeline:
    return MixedPipeline(load_model("squeezenet"))


@pytest.fixture(scope="module")
def pictures(pipeline) -> np.ndarray:
    shape, how = pipeline.shapes["data"], pipeline.model.metadata.picture
    return np.concatenate([load_pictures(path, shape, how)[0] for path in photographs()])


def scores_of(pipeline: MixedPipeline, pictures: np.ndarray) -> dict[str, np.ndarray]:
    """Of every photograph, (N, 1000): in float, and with the FPGA layers in exact integers."""
    plan = pipeline.plan(pictures, Calibration())
    with GoldenDevice(DeviceOptions(memory_bytes=2**28)) as device:
        mixed = Executor(plan, pipeline.net, device).run({"data": pictures}).values["prob"]
    return {"float": pipeline.reference(pictures).reshape(len(pictures), -1), "mixed": mixed.reshape(len(mixed), -1)}


@pytest.fixture(scope="module")
def scores(pipeline, pictures) -> dict[str, np.ndarray]:
    """With all 26 convolutions on the FPGA."""
    return scores_of(pipeline, pictures)


@pytest.fixture(scope="module")
def scores_of_3x3(pipeline, pictures) -> dict[str, np.ndarray]:
    """With the 3x3 convolutions of stride 1 on the FPGA, the others in float."""
    others = [name for name in pipeline.cut.fpga_layers
              if (pipeline.spec.layer(name).parameters.kernel, pipeline.spec.layer(name).parameters.strides)
              != ((3, 3), (1, 1))]
    return scores_of(MixedPipeline(load_model("squeezenet"), host=others), pictures)


def test_the_compressed_weights_are_the_decoded_ones(real_files):
    folder = real_files / "squeezenet"
    found = read_deep_compression(folder / "compressed_SqueezeNet.net", load_model("squeezenet").spec)
    expected = read_caffemodel(folder / "squeezenet_v1.0.caffemodel")
    assert found.keys() == expected.keys()
    for name, blobs in expected.items():
        assert [blob.shape for blob in found[name]] == [blob.shape for blob in blobs]
        assert [blob.tobytes() for blob in found[name]] == [blob.tobytes() for blob in blobs]


# The three best classes and their logits as the weights' source has them (shared data, SOURCES.md).
@pytest.mark.parametrize(("name", "classes", "logits"), [
    ("coffee.png", (ESPRESSO, 809, 968), (21.68, 17.17, 16.39)),
    ("chelsea.png", (EGYPTIAN_CAT,), (18.77,)),
])
def test_logits_in_float(pipeline, name, classes, logits):
    values, _ = load_pictures(picture(name), pipeline.shapes["data"], pipeline.model.metadata.picture)
    found = pipeline.net({"data": values_tensor(values)})["pool_final"].detach().numpy().reshape(-1)
    assert tuple(np.argsort(-found)[:len(classes)]) == classes
    assert found[list(classes)] == pytest.approx(logits, abs=0.01)


def values_tensor(values: np.ndarray):
    import torch

    return torch.from_numpy(values)


@pytest.mark.parametrize("kind", ["float", "mixed"])
@pytest.mark.parametrize(("name", "expected"), [("coffee.png", ESPRESSO), ("chelsea.png", EGYPTIAN_CAT)])
def test_what_is_on_the_picture(scores, kind, name, expected):
    index = [path.name for path in photographs()].index(name)
    assert scores[kind][index].argmax() == expected


def test_classes_have_names(pipeline):
    assert len(pipeline.model.labels) == 1000
    assert (pipeline.model.labels[ESPRESSO], pipeline.model.labels[EGYPTIAN_CAT]) == ("espresso", "Egyptian Mau")


# Measured: 4.59 with the 3x3 convolutions in int8, 4.18 with all 26 of them.
@pytest.mark.parametrize(("fixture", "least"), [("scores_of_3x3", 4.5), ("scores", 4.0)])
def test_the_best_five_are_nearly_the_same(request, fixture, least):
    scores = request.getfixturevalue(fixture)
    best = {kind: np.argsort(-values, axis=1)[:, :5] for kind, values in scores.items()}
    overlaps = [len(set(one) & set(other)) for one, other in zip(best["float"], best["mixed"], strict=True)]
    assert len(overlaps) == 22
    assert np.mean(overlaps) >= least
