from __future__ import annotations

import onnx
import pytest
import torch
from onnx import helper

from cortado.layers.element_type import ElementType


@pytest.mark.parametrize("element", ElementType)
def test_is_onnx_and_torch_and_numpy(element):
    assert onnx.TensorProto.DataType.Name(element.value) == element.name
    assert helper.tensor_dtype_to_np_dtype(element.value) == element.numpy
    assert torch.zeros(1, dtype=element.torch).numpy().dtype == element.numpy


def test_real_ones():
    assert [element.name for element in ElementType if element.is_real] == ["FLOAT", "FLOAT16", "DOUBLE"]
