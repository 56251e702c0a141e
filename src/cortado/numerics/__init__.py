"""Whole-number arithmetic: formats, ranges, requantisation and the exact int8 convolution."""
