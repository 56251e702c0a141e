"""CoDEx: link prediction and triple classification over Wikidata. Importing it registers its layer types and files."""

import sys

from cortado.registry import import_room

import_room(sys.modules[__name__])
