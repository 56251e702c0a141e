"""Training: Caffe's solver, one file for each update rule. Importing the room registers the rules."""

import sys

from cortado.registry import import_room

import_room(sys.modules[__name__])
