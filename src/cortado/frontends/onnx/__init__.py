"""An ONNX file -> NetSpec and Weights; one file per family of operators. Importing the folder registers them all.

`onnx` is imported nowhere else, and the rest of the house imports this folder only once there is an ONNX file to read.
"""

import sys

from cortado.registry import import_room

import_room(sys.modules[__name__])
