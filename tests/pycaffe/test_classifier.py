"""Classifier: the same as its Net on crops made here."""

from __future__ import annotations

import numpy as np
import pytest

import cortado.pycaffe as caffe

NETWORK = """
input: "data" input_shape { dim: 4 dim: 3 dim: 6 dim: 5 }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
        convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip"
        inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }
"""


@pytest.fixture
def files(tmp_path):
    caffe.set_random_seed(1)
    network, weights = str(tmp_path / "net.prototxt"), str(tmp_path / "net.caffemodel")
    (tmp_path / "net.prototxt").write_text(NETWORK)
    caffe.Net(network, caffe.TEST).save(weights)
    return network, weights


def scores(files, item):
    """Of one input (3, 6, 5)."""
    net = caffe.Net(*files, caffe.TEST)
    return net.forward(data=np.stack([item] * 4))["prob"][0]


def as_input(crop):
    """A crop (6, 5, 3) as the classifier below prepares it."""
    return np.moveaxis(crop, 2, 0)[::-1] * 255 - np.array([3, 4, 5])[:, None, None]


@pytest.fixture
def classifier(files):
    return caffe.Classifier(*files, image_dims=(8, 9), mean=np.array([3.0, 4.0, 5.0]), raw_scale=255,
                            channel_swap=(2, 1, 0))


def test_the_centre_alone(files, classifier, rng):
    pictures = [rng.random((8, 9, 3)).astype(np.float32) for _ in range(3)]
    found = classifier.predict(pictures, oversample=False)
    assert found.shape == (3, 5)
    for picture, row in zip(pictures, found, strict=True):
        np.testing.assert_allclose(row, scores(files, as_input(picture[1:7, 2:7])), atol=1e-6)


def test_the_mean_of_ten_crops(files, classifier, rng):
    picture = rng.random((8, 9, 3)).astype(np.float32)
    crops = [picture[row:row + 6, column:column + 5] for row, column in ((0, 0), (0, 4), (2, 0), (2, 4), (1, 2))]
    expected = np.mean([scores(files, as_input(view)) for crop in crops for view in (crop, crop[:, ::-1])], axis=0)
    np.testing.assert_allclose(classifier.predict([picture]), expected[None], atol=1e-6)


def test_without_options_a_picture_gets_the_size_of_the_input(files, rng):
    picture = rng.random((12, 20, 3)).astype(np.float32)
    small = caffe.io.resize_image(picture, (6, 5))
    found = caffe.Classifier(*files).predict([picture], oversample=False)
    np.testing.assert_allclose(found[0], scores(files, np.moveaxis(small, 2, 0)), atol=1e-6)
