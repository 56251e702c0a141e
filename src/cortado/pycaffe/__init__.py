"""cortado with the names of pycaffe: `import cortado.pycaffe as caffe`.

    net = caffe.Net("deploy.prototxt", "trained.caffemodel", caffe.TEST)
    net.blobs["data"].data[...] = pictures
    scores = net.forward()["prob"]

Source: the folder `python/caffe` of BVLC/caffe. Everything is on the CPU, whatever mode is set.
"""

import sys
from types import SimpleNamespace

from cortado.layers.caffe_shim import TEST, TRAIN, Layer, provide
from cortado.pycaffe import caffe_pb2, io
from cortado.pycaffe.classifier import Classifier
from cortado.pycaffe.net import Net
from cortado.pycaffe.net_spec import NetSpec, layers, params, to_proto
from cortado.pycaffe.settings import set_device, set_mode_cpu, set_mode_gpu, set_random_seed
from cortado.pycaffe.solver import (
    AdaDeltaSolver,
    AdaGradSolver,
    AdamSolver,
    NesterovSolver,
    RMSPropSolver,
    SGDSolver,
    get_solver,
)

__all__ = ["TEST", "TRAIN", "AdaDeltaSolver", "AdaGradSolver", "AdamSolver", "Classifier", "Layer", "NesterovSolver",
           "Net", "NetSpec", "RMSPropSolver", "SGDSolver", "get_solver", "io", "layers", "params", "proto",
           "set_device", "set_mode_cpu", "set_mode_gpu", "set_random_seed", "to_proto"]

# `caffe.proto.caffe_pb2`, a generated module in Caffe.
proto = SimpleNamespace(caffe_pb2=caffe_pb2)

# Layers in Python that import caffe get the whole of it.
provide(sys.modules[__name__])
