"""Caffe's binary messages, by our own description of their field numbers: wire format, blobs, data, solver states."""
