"""Layer types of CoDEx. Importing the package registers them all."""

import sys

from cortado.registry import import_room

import_room(sys.modules[__name__])
