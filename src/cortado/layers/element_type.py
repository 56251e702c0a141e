"""What the values of a blob are. No layer type lives here.

Caffe's blobs are float32; the layer types that ONNX needs beside Caffe's take and make others too.
"""

from __future__ import annotations

from enum import Enum

import numpy as np
import torch


class ElementType(Enum):
    """The element types a blob may have, by ONNX's names and numbers (TensorProto.DataType)."""

    FLOAT = 1
    UINT8 = 2
    INT8 = 3
    UINT16 = 4
    INT16 = 5
    INT32 = 6
    INT64 = 7
    BOOL = 9
    FLOAT16 = 10
    DOUBLE = 11
    UINT32 = 12
    UINT64 = 13

    @property
    def torch(self) -> torch.dtype:
        """Torch's word for it."""
        return getattr(torch, _NAMES[self])

    @property
    def numpy(self) -> np.dtype:
        """NumPy's word for it."""
        return np.dtype(_NAMES[self])

    @property
    def is_real(self) -> bool:
        """Whether it has fractions."""
        return self.numpy.kind == "f"


# Torch and NumPy call all of them alike.
_NAMES = {ElementType.FLOAT: "float32", ElementType.FLOAT16: "float16", ElementType.DOUBLE: "float64",
          **{element: element.name.lower() for element in ElementType
             if element not in (ElementType.FLOAT, ElementType.FLOAT16, ElementType.DOUBLE)}}
