"""Measuring: layers of published networks on a device, beside what the hardware could do at most."""

import sys

from cortado.registry import import_room

import_room(sys.modules[__name__])
