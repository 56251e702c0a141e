"""Published methods on the layer runtime, one folder each.

A folder holds the method's own layer types in `layers/`, its data files in `files.py`, what it reads from them, and its
recipe in `recipe.py`; the registries find these by name. The files beside the folders are what methods share.
"""
