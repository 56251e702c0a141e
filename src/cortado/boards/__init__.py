"""One file a board: its part, clock and memory, and the files that take an engine there."""

import sys

from cortado.registry import import_room

import_room(sys.modules[__name__])
