"""One file per layer type: its parameters, its shape rule, its float forward. Importing the room registers them all."""

import sys

from cortado.registry import import_room

import_room(sys.modules[__name__])
