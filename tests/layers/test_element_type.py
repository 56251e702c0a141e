from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import helper
from onnx.reference.ops.op_cast import cast_to

from cortado.layers.element_type import ElementType, array_of, cast, converted, tensor_of


@pytest.mark.parametrize("element", ElementType)
def test_is_onnx_and_torch_and_numpy(element):
    assert onnx.TensorProto.DataType.Name(element.value) == element.name
    assert helper.tensor_dtype_to_np_dtype(element.value) == element.numpy
    if not element.is_small:
        assert array_of(torch.zeros(1, dtype=element.torch)).dtype == element.numpy


def test_real_ones_and_small_ones():
    assert [element.name for element in ElementType if element.is_real and not element.is_small] == [
        "FLOAT", "FLOAT16", "DOUBLE", "BFLOAT16"]
    assert [element.name for element in ElementType if element.is_real and element.is_small] == [
        "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "FLOAT4E2M1"]
    assert [element.name for element in ElementType if not element.is_real and element.is_small] == [
        "UINT4", "INT4", "UINT2", "INT2"]


REAL = np.array([0.0, -0.0, 0.3, 1.0625, -3.75, 17.5, 250.0, 460.0, 1e5, -1e6, np.inf, -np.inf, np.nan, 1e-5],
                np.float32)


@pytest.mark.parametrize("saturate", [True, False])
@pytest.mark.parametrize("element", [element for element in ElementType if element.is_real])
def test_real_numbers_are_cast_as_onnx_casts_them(element, saturate):
    with np.errstate(over="ignore"):
        expected = cast_to(REAL, element.value, saturate)
        np.testing.assert_array_equal(converted(REAL, element, saturate=saturate).astype(np.float32),
                                      expected.astype(np.float32))
    found = cast(torch.from_numpy(REAL), element, saturate=saturate)
    assert found.dtype == element.torch
    np.testing.assert_array_equal(found.double(), expected.astype(np.float64))


@pytest.mark.parametrize(("element", "values"), [(ElementType.INT4, range(-8, 8)), (ElementType.UINT4, range(16)),
                                                 (ElementType.INT2, range(-2, 2)), (ElementType.UINT2, range(4))])
def test_every_small_whole_number_is_held(element, values):
    array = np.array(values, np.int8).astype(element.numpy)
    assert tensor_of(array).tolist() == list(values)
    assert cast(torch.tensor(values).float(), element).tolist() == list(values)
    assert array_of(tensor_of(array)).astype(element.numpy).tolist() == array.tolist()


def test_a_tensor_is_of_its_own():
    array = np.ones(2, np.float32)
    tensor_of(array)[0] = 5
    assert array.tolist() == [1, 1]
