"""Published methods on the layer runtime, one folder each. Importing the room registers them all."""

import sys

from cortado.registry import import_room

import_room(sys.modules[__name__])
