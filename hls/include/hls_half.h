// Stands in for the header of Vitis HLS: IEEE 754 binary16 as g++ and clang++ have it on the processors that do.
#ifndef CORTADO_HLS_HALF_H
#define CORTADO_HLS_HALF_H

typedef _Float16 half;

#endif
