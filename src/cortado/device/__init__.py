"""One interface over everything that can run a job, one file per device."""

import sys

from cortado.registry import import_room

import_room(sys.modules[__name__])
