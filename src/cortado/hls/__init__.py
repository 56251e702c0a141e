"""HLS C++: the engine's kernels rendered from the templates of top-level `hls/`, compiled with g++, and estimated."""
