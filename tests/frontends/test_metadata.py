from __future__ import annotations

import json

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
        **LEAST, "weights_sha256": "0" * 64, "labels": ["cat", "dog"], "dataset": "pets", "engine": {"m": 4},
        "picture": {"channel_order": "BGR", "mean": [104, 117.5, 123], "scale": 1}}))
    assert found == Metadata(
        title="T", source="S", licence="L", weights_sha256="0" * 64, labels=("cat", "dog"), dataset="pets",
        engine={"m": 4},
        picture=PictureInput(channel_order=ChannelOrder.BGR, mean=(104, 117.5, 123), scale=1))


@pytest.mark.parametrize(("entries", "message"), [
    ("{\n  title", ":2:3: not JSON: Expecting property name enclosed in double quotes"),
    ("[" * 100_000, ": entries nest too deep"),
    ("9" * 5000, (": not JSON: Exceeds the limit (4300 digits) for integer string conversion: value has 5000 digits; "
                  "use sys.set_int_max_str_digits() to increase the limit")),
    ("[]", ": must be a JSON object, not list"),
    ({"title": "T", "source": "S"}, ": entry 'licence' must be given"),
    ({**LEAST, "license": "L"}, (": unknown entry 'license' (known: title, source, licence, weights_sha256, labels, "
                                 "picture, dataset, engine)")),
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
     ": unknown entry 'picture.size' (known: channel_order, mean, scale)"),
])
def test_errors(write, entries, message):
    path = write(entries)
    with pytest.raises(ModelFileError) as caught:
        read_metadata(path)
    assert str(caught.value) == f"{path}{message}"
