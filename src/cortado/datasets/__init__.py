"""Labelled pictures, one file a dataset. Importing the room registers them all."""

import sys

from cortado.registry import import_room

import_room(sys.modules[__name__])
