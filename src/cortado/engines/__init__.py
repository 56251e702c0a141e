"""One file per engine: what it takes, what it costs, what it emits."""

import sys

from cortado.registry import import_room

import_room(sys.modules[__name__])
