"""F(m x m, r x r) over whole numbers: matrices, widths, exact division, tiles and the golden stages."""
