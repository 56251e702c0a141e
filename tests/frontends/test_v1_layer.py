from __future__ import annotations

import pytest

from cortado.frontends.v1_layer import V1LayerFields, V1LayerType
from cortado.graph.spec import BlobSettings
from cortado.layers.layer import layer_types


@pytest.mark.parametrize(("number", "name"), [
    # Numbers and names as in Caffe's upgrade_proto.cpp and caffe.proto.
    (35, "AbsVal"), (1, "Accuracy"), (30, "ArgMax"), (2, "BNLL"), (3, "Concat"), (37, "ContrastiveLoss"),
    (4, "Convolution"), (39, "Deconvolution"), (5, "Data"), (6, "Dropout"), (32, "DummyData"), (7, "EuclideanLoss"),
    (25, "Eltwise"), (38, "Exp"), (8, "Flatten"), (9, "HDF5Data"), (10, "HDF5Output"), (28, "HingeLoss"),
    (11, "Im2col"), (12, "ImageData"), (13, "InfogainLoss"), (14, "InnerProduct"), (15, "LRN"), (29, "MemoryData"),
    (16, "MultinomialLogisticLoss"), (34, "MVN"), (17, "Pooling"), (26, "Power"), (18, "ReLU"), (19, "Sigmoid"),
    (27, "SigmoidCrossEntropyLoss"), (36, "Silence"), (20, "Softmax"), (21, "SoftmaxWithLoss"), (33, "Slice"),
    (22, "Split"), (23, "TanH"), (24, "WindowData"), (31, "Threshold"),
])
def test_todays_names(number, name):
    assert V1LayerType(number).modern_name == name


def test_three_lists_become_settings_of_blobs():
    fields = V1LayerFields(type=V1LayerType.CONVOLUTION, param=("w",), blobs_lr=(1.0, 2.0), weight_decay=(1.0, 0.0))
    assert fields.blob_settings == (BlobSettings(name="w"), BlobSettings(lr_mult=2.0, decay_mult=0.0))


def test_every_type_of_v1_that_is_there_has_its_name():
    """What V1 knew: the types registered here under the names they have today, and those that are not there yet."""
    assert {entry.name for entry in V1LayerType if entry.modern_name not in layer_types} == {"NONE", "WINDOW_DATA"}
