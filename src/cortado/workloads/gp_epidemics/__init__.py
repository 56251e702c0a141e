"""Gaussian process regression for epidemics: She, Xin, Paré, Hale 2024, arXiv 2312.09384 v3."""
