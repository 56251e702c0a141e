"""pycaffe's Classifier: a Net that takes pictures.

Source: `python/caffe/classifier.py` of BVLC/caffe.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cortado.layers.caffe_shim import TEST
from cortado.pycaffe.io import Transformer, oversample, resize_image
from cortado.pycaffe.net import Net


class Classifier(Net):
    """`image_dims` is the (height, width) pictures get before they are cropped to the input, that of the input unless
    it is given; the others are those of `io.Transformer`.
    """

    def __init__(self, model_file: str | Path, pretrained_file: str | Path, image_dims: Sequence[int] | None = None,
                 mean: np.ndarray | None = None, input_scale: float | None = None, raw_scale: float | None = None,
                 channel_swap: Sequence[int] | None = None) -> None:
        super().__init__(model_file, pretrained_file, TEST)
        name = self.inputs[0]
        self.transformer = Transformer({name: self.blobs[name].data.shape})
        self.transformer.set_transpose(name, (2, 0, 1))
        for set_part, value in ((self.transformer.set_mean, mean), (self.transformer.set_input_scale, input_scale),
                                (self.transformer.set_raw_scale, raw_scale),
                                (self.transformer.set_channel_swap, channel_swap)):
            if value is not None:
                set_part(name, value)
        self.crop_dims = self.blobs[name].data.shape[2:]
        self.image_dims = tuple(image_dims or self.crop_dims)

    def predict(self, inputs: Sequence[np.ndarray], oversample: bool = True) -> np.ndarray:
        """(N, classes) of N pictures (H, W, K): the mean over ten crops of each, or of its centre alone."""
        resized = [resize_image(picture, self.image_dims) for picture in inputs]
        crops = self._ten_crops(resized) if oversample else self._centres(resized)
        name = self.inputs[0]
        values = np.stack([self.transformer.preprocess(name, crop) for crop in crops])
        predictions = self.forward_all(**{name: values})[self.outputs[0]]
        return predictions.reshape(len(inputs), 10, -1).mean(1) if oversample else predictions

    def _ten_crops(self, pictures: list[np.ndarray]) -> np.ndarray:
        return oversample(pictures, self.crop_dims)

    def _centres(self, pictures: list[np.ndarray]) -> np.ndarray:
        (rows, columns), (height, width) = ((have - want) // 2 for have, want in zip(
            self.image_dims, self.crop_dims, strict=True)), self.crop_dims
        return np.stack([picture[rows:rows + height, columns:columns + width] for picture in pictures])
