from __future__ import annotations

import json
from pathlib import Path

import pytest

from cortado.errors import ModelFileError
from cortado.frontends.metadata import ChannelOrder, Metadata, PictureInput, read_metadata

LEAST = {"title": "T", "source": "S", "licence": "L"}


@pytest.fixture
def write(tmp_path):
    """Writes a model.json of the given entries or text and returns its path."""
    def write(entries):
        path = tmp_path / "model.json"
        path.write_text(entries if isinstance(entries, str) else json.dumps(entries))
        return path

    return write


def test_the_least(write):
    assert read_metadata(write(LEAST)) == Metadata(title="T", source="S", licence="L")


def test_everything(write):
    found = read_metadata(write({
        **LEAST, "weights_sha256": "0" * 64, "weights_data": "pet-weights", "training_layers": ["loss1/"],
        "labels": ["cat", "dog"], "labels_data": "pet-names", "dataset": "pets", "engine": {"m": 4},
        "picture": {"channel_order": "BGR", "mean": [104, 117.5, 123], "scale": 1, "resize": [256, 300],
                    "crop": [224, 227]}}))
    assert found == Metadata(
        title="T", source="S", licence="L", weights_sha256="0" * 64, weights_data="pet-weights",
        training_layers=("loss1/",), labels=("cat", "dog"), labels_data="pet-names", dataset="pets", engine={"m": 4},
        picture=PictureInput(channel_order=ChannelOrder.BGR, mean=(104, 117.5, 123), scale=1, resize=(256, 300),
                             crop=(224, 227)))


def test_a_mean_file_lies_beside(write):
    path = write({**LEAST, "picture": {"channel_order": "RGB", "mean_file": "mean.npy", "scale": 1}})
    assert read_metadata(path).picture.mean_file == path.parent / "mean.npy"


@pytest.mark.parametrize(("picture", "words"), [
    (PictureInput(channel_order=ChannelOrder.BGR, mean=(104, 117, 123), scale=1, resize=(256, 256), crop=(227, 227)),
     "resized to 256x256 (bilinear), centre crop 227x227, BGR, minus 104, 117, 123"),
    (PictureInput(channel_order=ChannelOrder.GRAY, mean=(0,), scale=1 / 255),
     "resized to the network's input (bilinear), GRAY, times 0.00392157"),
    (PictureInput(channel_order=ChannelOrder.RGB, mean_file=Path("m.npy"), scale=1, crop=(8, 9)),
     "centre crop 8x9, RGB, minus the mean picture m.npy"),
])
def test_the_words_for_a_picture(picture, words):
    assert str(picture) == words


@pytest.mark.parametrize(("entries", "message"), [
    ("{\n  title", ":2:3: not JSON: Expecting property name enclosed in double quotes"),
    ("[" * 100_000, ": entries nest too deep"),
    ("9" * 5000, (": not JSON: Exceeds the limit (4300 digits) for integer string conversion: value has 5000 digits; "
                  "use sys.set_int_max_str_digits() to increase the limit")),
    ("[]", ": must be a JSON object, not list"),
    ({"title": "T", "source": "S"}, ": entry 'licence' must be given"),
    ({**LEAST, "license": "L"}, (": unknown entry 'license' (known: title, source, licence, weights_sha256, "
                                 "weights_data, training_layers, labels, labels_data, picture, dataset, engine)")),
    ({**LEAST, "title": 3}, ": entry 'title' must be a string, not 3"),
    ({**LEAST, "labels": ["a", 3]}, ": entry 'labels' must be a list of strings, not ['a', 3]"),
    ({**LEAST, "engine": []}, ": entry 'engine' must be an object, not []"),
    ({**LEAST, "picture": {"mean": [0], "scale": 1}}, ": entry 'picture.channel_order' must be given"),
    ({**LEAST, "picture": {"channel_order": "HSV", "mean": [0], "scale": 1}},
     ": entry 'picture.channel_order' must be one of GRAY, RGB, BGR, not 'HSV'"),
    ({**LEAST, "picture": {"channel_order": "RGB", "mean": 0, "scale": 1}},
     ": entry 'picture.mean' must be a list of numbers, not 0"),
    ({**LEAST, "picture": {"channel_order": "RGB", "mean": [0], "scale": True}},
     ": entry 'picture.scale' must be a number, not True"),
    ({**LEAST, "picture": {"channel_order": "RGB", "mean": [float("nan")], "scale": 1}},
     ": entry 'picture.mean' must be a list of numbers, not [nan]"),
    ({**LEAST, "picture": {"channel_order": "RGB", "mean": [0], "scale": float("inf")}},
     ": entry 'picture.scale' must be a number, not inf"),
    ({**LEAST, "picture": {"channel_order": "RGB", "mean": [0], "scale": 1, "size": 3}},
     ": unknown entry 'picture.size' (known: channel_order, scale, mean, mean_file, resize, crop)"),
    ({**LEAST, "picture": {"channel_order": "RGB", "scale": 1}},
     ": entry 'picture.mean' or mean_file must be given, not neither"),
    ({**LEAST, "picture": {"channel_order": "RGB", "mean": [0], "mean_file": "m.npy", "scale": 1}},
     ": entry 'picture.mean' or mean_file must be given, not both"),
    ({**LEAST, "picture": {"channel_order": "RGB", "mean": [1, 2], "scale": 1}},
     ": entry 'picture.mean' must be one number or one for each channel of RGB, not 2 numbers"),
    ({**LEAST, "picture": {"channel_order": "RGB", "mean": [0], "scale": 1, "resize": 256}},
     ": entry 'picture.resize' must be a list of whole numbers, not 256"),
    ({**LEAST, "picture": {"channel_order": "RGB", "mean": [0], "scale": 1, "resize": [256]}},
     ": entry 'picture.resize' must be a height and a width from 1 to 16384, not [256]"),
    ({**LEAST, "picture": {"channel_order": "RGB", "mean": [0], "scale": 1, "crop": [0, 10**9]}},
     ": entry 'picture.crop' must be a height and a width from 1 to 16384, not [0, 1000000000]"),
    ({**LEAST, "picture": {"channel_order": "RGB", "mean": [0], "scale": 1, "resize": [256, 256], "crop": [257, 9]}},
     ": entry 'picture.crop' must lie within resize (256x256), not be 257x9"),
    ({**LEAST, "training_layers": "loss1/"},
     ": entry 'training_layers' must be a list of strings, not 'loss1/'"),
])
def test_errors(write, entries, message):
    path = write(entries)
    with pytest.raises(ModelFileError) as caught:
        read_metadata(path)
    assert str(caught.value) == f"{path}{message}"
