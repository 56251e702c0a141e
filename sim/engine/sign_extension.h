// How the engine's numbers get their signs; what Verilator writes is compiled as if it began with this file.
//
// A cycle of an engine extends some thousand signs. Verilator does so by three operations on a number whose upper bits
// are zero; two shifts do it whatever they are, so that the compiler also drops what made them zero. A fifth of a
// cycle's time.
#pragma once

#include <cstdint>

#include "verilated.h"

namespace cortado {

inline IData extended(int bits, IData value) {
    const int above = VL_IDATASIZE - bits;
    return static_cast<IData>(static_cast<int32_t>(value << above) >> above);
}

inline QData extended_wide(int bits, QData value) {
    const int above = VL_QUADSIZE - bits;
    return static_cast<QData>(static_cast<int64_t>(value << above) >> above);
}

}  // namespace cortado

// Of numbers in 32 bits or 64; the bits of the result do not matter, for its upper ones may be anything.
#define VL_EXTENDS_II(result_bits, bits, value) cortado::extended(bits, value)
#define VL_EXTENDS_QI(result_bits, bits, value) cortado::extended_wide(bits, value)
#define VL_EXTENDS_QQ(result_bits, bits, value) cortado::extended_wide(bits, value)
#define VL_MULS_III(bits, a, b) (cortado::extended(bits, a) * cortado::extended(bits, b))
#define VL_MULS_QQQ(bits, a, b) (cortado::extended_wide(bits, a) * cortado::extended_wide(bits, b))
