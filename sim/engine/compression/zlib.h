// What Verilator's wave writer calls of zlib, so that --wave needs no library on the machine.
//
// The data are stored, not compressed (RFC 1950, RFC 1951 3.2.4): only a small table of a wave file passes through here.
#pragma once

#include <cstdint>
#include <cstring>

using Byte = unsigned char;
using Bytef = Byte;
using uLong = unsigned long;
using uLongf = uLong;

constexpr int Z_OK = 0;
constexpr int Z_BUF_ERROR = -5;

namespace cortado::zlib {

constexpr uLong BLOCK_BYTES = 65535;
constexpr uLong BLOCK_HEADER_BYTES = 5;
constexpr uLong FRAME_BYTES = 2 + 4;   // header and checksum

/// RFC 1950, 8.2.
inline uint32_t adler32(const Bytef* data, uLong count) {
    uint32_t low = 1, high = 0;
    for (uLong index = 0; index < count; ++index) {
        low = (low + data[index]) % 65521;
        high = (high + low) % 65521;
    }
    return high << 16 | low;
}

}  // namespace cortado::zlib

/// Most bytes `size` bytes can become.
inline uLong compressBound(uLong size) {
    using namespace cortado::zlib;
    return size + (size / BLOCK_BYTES + 1) * BLOCK_HEADER_BYTES + FRAME_BYTES;
}

/// Stores `size` bytes as a zlib stream; `target_size` is the room and becomes the bytes used.
inline int compress2(Bytef* target, uLongf* target_size, const Bytef* source, uLong size, int) {
    using namespace cortado::zlib;
    if (*target_size < compressBound(size)) return Z_BUF_ERROR;
    Bytef* to = target;
    *to++ = 0x78;
    *to++ = 0x01;
    const uint32_t checksum = adler32(source, size);
    do {
        const uLong count = size < BLOCK_BYTES ? size : BLOCK_BYTES;
        *to++ = count == size;   // the last block
        *to++ = static_cast<Bytef>(count);
        *to++ = static_cast<Bytef>(count >> 8);
        *to++ = static_cast<Bytef>(~count);
        *to++ = static_cast<Bytef>(~count >> 8);
        std::memcpy(to, source, count);
        to += count;
        source += count;
        size -= count;
    } while (size > 0);
    for (int shift = 24; shift >= 0; shift -= 8) *to++ = static_cast<Bytef>(checksum >> shift);
    *target_size = static_cast<uLongf>(to - target);
    return Z_OK;
}
