"""The pictures of a run and those of its calibration."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cortado.datasets.dataset import Dataset, datasets
from cortado.errors import ModelFileError
from cortado.executor.mixed_pipeline import MixedPipeline
from cortado.frontends.metadata import FILE_NAME
from cortado.frontends.picture import load_pictures

# Pictures a calibration looks at where there is a dataset: ranges change little beyond.
CALIBRATION_PICTURES = 256


@dataclass(frozen=True, kw_only=True)
class InputBatch:
    """Pictures float32 (N, C, H, W), their names, their labels where known, and where they come from in words."""

    pictures: np.ndarray = field(repr=False)
    names: tuple[str, ...]
    origin: str
    labels: np.ndarray | None = field(default=None, repr=False)

    def first(self, count: int | None) -> InputBatch:
        """The first `count` pictures, all for None."""
        if count is None or count >= len(self.pictures):
            return self
        return InputBatch(pictures=self.pictures[:count], names=self.names[:count], origin=self.origin,
                          labels=None if self.labels is None else self.labels[:count])

    def exactly(self, count: int) -> np.ndarray:
        """`count` pictures, from the first one again where there are fewer."""
        return np.resize(self.pictures, (count, *self.pictures.shape[1:]))


def dataset_of(pipeline: MixedPipeline) -> Dataset | None:
    """The dataset the model names, if it names one; `ModelFileError` for one that is not known."""
    metadata = pipeline.model.metadata
    if metadata is None or metadata.dataset is None:
        return None
    try:
        return datasets[metadata.dataset]
    except LookupError as error:
        raise ModelFileError(str(error), file=pipeline.model.folder / FILE_NAME) from None


def input_batch(pipeline: MixedPipeline, path: Path | None, count: int | None) -> InputBatch:
    """What to run on: the pictures at `path`; without one the held-out pictures of the model's dataset; without one
    random pictures, drawn from the pipeline's seed. `count` limits them. Raises `PictureError`, `ModelFileError`.
    """
    shape = pipeline.shapes[pipeline.input_blob]
    dataset = dataset_of(pipeline)
    if path is not None:
        metadata = pipeline.model.metadata
        pictures, names = load_pictures(path, shape, metadata.picture if metadata else None)
        return InputBatch(pictures=pictures, names=names, origin=str(path)).first(count)
    if dataset is not None:
        pictures, labels = dataset.held_out()
        return InputBatch(pictures=pictures, names=tuple(f"{index}" for index in range(len(pictures))), labels=labels,
                          origin=f"held-out pictures of {dataset.title}").first(count)
    batch = count or 1
    pictures = np.random.default_rng(pipeline.seed).standard_normal((batch, *shape.dims[1:]), np.float32)
    return InputBatch(pictures=pictures, names=tuple(f"random {index}" for index in range(batch)),
                      origin=f"random pictures (seed {pipeline.seed}): no input was given")


def calibration_pictures(pipeline: MixedPipeline, batch: InputBatch) -> tuple[np.ndarray, str]:
    """Pictures to find ranges on, and where they come from: training pictures of the dataset, else the run's own."""
    dataset = dataset_of(pipeline)
    if dataset is None:
        # Every n-th where they are too many to be in memory together.
        step = -(-len(batch.pictures) // pipeline.pictures_at_once)
        return batch.pictures[::step], "the run's own pictures" if step == 1 else f"every {step}th of the run's own"
    return dataset.training()[0][:CALIBRATION_PICTURES], f"training pictures of {dataset.title}"
