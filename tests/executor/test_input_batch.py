"""What a run takes when it is told, and when it is not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cortado.datasets.digits import held_out_digits, training_digits
from cortado.errors import ModelFileError, PictureError
from cortado.executor.input_batch import CALIBRATION_PICTURES, calibration_pictures, input_batch
from cortado.executor.mixed_pipeline import MixedPipeline
from cortado.frontends.model import load_model

INFORMATION = {"title": "small", "source": "none", "licence": "none"}


def test_pictures_of_a_file(pipeline, pictures, tmp_path):
    np.save(tmp_path / "some.npy", pictures)
    batch = input_batch(pipeline, tmp_path / "some.npy", 2)
    np.testing.assert_array_equal(batch.pictures, pictures[:2])
    assert batch.names == ("some.npy[0]", "some.npy[1]")
    assert (batch.origin, batch.labels) == (str(tmp_path / "some.npy"), None)
    # Without a dataset ranges are found on what is run.
    samples, origin = calibration_pictures(pipeline, batch)
    np.testing.assert_array_equal(samples, batch.pictures)
    assert origin == "the run's own pictures"


def test_a_picture_file_needs_a_model_that_says_how(pipeline, tmp_path):
    with pytest.raises(PictureError) as caught:
        input_batch(pipeline, tmp_path / "some.png", None)
    assert str(caught.value) == (f"'{tmp_path / 'some.png'}': the model must say how pixels become its input (picture "
                                 "in model.json) to take picture files; give an .npy file instead")


def test_random_pictures_come_from_the_seed(make_pipeline):
    first, again, other = (input_batch(make_pipeline(seed=seed), None, 2) for seed in (1, 1, 2))
    assert first.pictures.shape == (2, 2, 9, 7)
    assert first.pictures.dtype == np.float32
    np.testing.assert_array_equal(first.pictures, again.pictures)
    assert not np.array_equal(first.pictures, other.pictures)
    assert first.names == ("random 0", "random 1")
    assert first.origin == "random pictures (seed 1): no input was given"
    assert len(input_batch(make_pipeline(), None, None).pictures) == 1


def test_the_held_out_pictures_of_the_dataset():
    pipeline = MixedPipeline(load_model("digits"))
    pictures, labels = held_out_digits()
    batch = input_batch(pipeline, None, 5)
    np.testing.assert_array_equal(batch.pictures, pictures[:5])
    np.testing.assert_array_equal(batch.labels, labels[:5])
    assert batch.origin == "held-out pictures of scikit-learn's handwritten digits"
    assert len(input_batch(pipeline, None, None).pictures) == len(input_batch(pipeline, None, 10**6).pictures) == 360
    samples, origin = calibration_pictures(pipeline, batch)
    np.testing.assert_array_equal(samples, training_digits()[0][:CALIBRATION_PICTURES])
    assert origin == "training pictures of scikit-learn's handwritten digits"


def test_an_unknown_dataset(make_pipeline, tmp_path):
    (tmp_path / "model.json").write_text(json.dumps({**INFORMATION, "dataset": "digit"}))
    pipeline = make_pipeline()
    with pytest.raises(ModelFileError) as caught:
        input_batch(pipeline, None, None)
    assert str(caught.value) == (
        f"{tmp_path / 'model.json'}: unknown dataset 'digit'; did you mean 'digits'? (known: digits)")
