"""What the values of a blob are. No layer type lives here.

Caffe's blobs are float32; the layer types that ONNX needs beside Caffe's take and make others too.
"""

from __future__ import annotations

from enum import Enum

import ml_dtypes
import numpy as np
import torch
from torch import Tensor


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
    BFLOAT16 = 16
    FLOAT8E4M3FN = 17
    FLOAT8E4M3FNUZ = 18
    FLOAT8E5M2 = 19
    FLOAT8E5M2FNUZ = 20
    UINT4 = 21
    INT4 = 22
    FLOAT4E2M1 = 23
    UINT2 = 25
    INT2 = 26

    @property
    def torch(self) -> torch.dtype:
        """What torch holds it in: its own type, or for a small one a larger one that has all its values."""
        return getattr(torch, _HELD_IN.get(self, _NAMES[self]))

    @property
    def numpy(self) -> np.dtype:
        """NumPy's word for it, or that of ml_dtypes."""
        name = _NAMES[self]
        return np.dtype(getattr(ml_dtypes, name) if hasattr(ml_dtypes, name) else name)

    @property
    def is_small(self) -> bool:
        """Whether values are of 8 bits with fractions, or of fewer bits: they are moved and cast, not computed with."""
        return self in _HELD_IN

    @property
    def is_real(self) -> bool:
        """Whether it has fractions."""
        return "FLOAT" in self.name or self is ElementType.DOUBLE


# Torch, NumPy and ml_dtypes call them alike.
_NAMES = {**{element: element.name.lower() for element in ElementType},
          ElementType.FLOAT: "float32", ElementType.DOUBLE: "float64", ElementType.FLOAT4E2M1: "float4_e2m1fn",
          **{element: element.name.lower().replace("float8", "float8_") for element in ElementType
             if element.name.startswith("FLOAT8")}}
_HELD_IN = {ElementType.UINT4: "uint8", ElementType.UINT2: "uint8", ElementType.INT4: "int8", ElementType.INT2: "int8",
            **{element: "float32" for element in ElementType if element.name.startswith(("FLOAT8", "FLOAT4"))}}


def converted(values: np.ndarray, element: ElementType, *, saturate: bool = True) -> np.ndarray:
    """The values as another type, as ONNX's Cast; with `saturate` what 8 bits cannot hold becomes their limit."""
    if saturate and element.name.startswith("FLOAT8"):
        limits = ml_dtypes.finfo(element.numpy)
        values = np.clip(values.astype(np.float64), float(limits.min), float(limits.max))
    return values.astype(element.numpy)


def cast(values: Tensor, element: ElementType, *, saturate: bool = True) -> Tensor:
    """The same of what torch holds."""
    if not element.is_small:
        return values.to(element.torch)
    return tensor_of(converted(array_of(values), element, saturate=saturate))


def tensor_of(values: np.ndarray) -> Tensor:
    """A tensor of its own of these values, of any of the element types."""
    element = _ELEMENTS.get(values.dtype)
    if element is ElementType.BFLOAT16:
        return torch.from_numpy(values.astype(np.float32)).to(torch.bfloat16)
    held = values.astype(_HELD_IN[element]) if element in _HELD_IN else np.array(values)
    return torch.from_numpy(held)


def array_of(values: Tensor) -> np.ndarray:
    """The values that a tensor holds, small ones in the type they are held in."""
    if values.dtype == torch.bfloat16:
        return values.float().numpy().astype(ml_dtypes.bfloat16)
    return values.numpy()


_ELEMENTS = {element.numpy: element for element in ElementType}
