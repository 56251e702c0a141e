"""NetSpec and Weights -> an ONNX file; one file per family of layer types. Importing the folder registers them all."""

import sys

from cortado.registry import import_room

import_room(sys.modules[__name__])
