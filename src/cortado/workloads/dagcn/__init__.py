"""Dual attention graph convolutional networks: Chen, Pan, Jiang, Huo, Long 2019, IJCNN, arXiv 1904.02278."""
