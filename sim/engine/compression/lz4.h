// The two functions of LZ4 that Verilator's wave writer calls, so that --wave needs no library on the machine.
//
// The output is the LZ4 block format (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md); matches are found
// by one hash table and taken greedily, which is fast and near LZ4's own default in size.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

/// Most bytes `size` bytes can become.
inline int LZ4_compressBound(int size) { return size + size / 255 + 16; }

namespace cortado::lz4 {

constexpr int MATCH_LEAST = 4;
constexpr int MATCH_START_BEFORE_END = 12;   // the format forbids a match that starts later
constexpr int LITERALS_AT_END = 5;
constexpr int FARTHEST = 65535;
constexpr int HASH_BITS = 13;

inline uint32_t four_bytes(const uint8_t* at) {
    uint32_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

/// The part of a length that does not fit its four bits of the token.
inline uint8_t* put_length(uint8_t* to, int length) {
    for (length -= 15; length >= 255; length -= 255) *to++ = 255;
    if (length >= 0) *to++ = static_cast<uint8_t>(length);
    return to;
}

/// Literals [from, from + count), and the match after them unless `match_length` is 0.
inline uint8_t* put_sequence(uint8_t* to, const uint8_t* from, int count, int offset, int match_length) {
    const int extra = match_length ? match_length - MATCH_LEAST : 0;
    *to++ = static_cast<uint8_t>((count < 15 ? count : 15) << 4 | (extra < 15 ? extra : 15));
    to = put_length(to, count);
    std::memcpy(to, from, count);
    to += count;
    if (match_length == 0) return to;
    *to++ = static_cast<uint8_t>(offset);
    *to++ = static_cast<uint8_t>(offset >> 8);
    return put_length(to, extra);
}

}  // namespace cortado::lz4

/// Compresses `size` bytes to at most `capacity` bytes; how many, or 0 if they might not fit.
inline int LZ4_compress_default(const char* source, char* target, int size, int capacity) {
    using namespace cortado::lz4;
    if (capacity < LZ4_compressBound(size)) return 0;
    const auto* const bytes = reinterpret_cast<const uint8_t*>(source);
    auto* to = reinterpret_cast<uint8_t*>(target);
    std::vector<int> last_seen(size_t{1} << HASH_BITS, -FARTHEST - 1);
    int anchor = 0;   // first byte not yet written
    for (int here = 0; here < size - MATCH_START_BEFORE_END;) {
        int& seen = last_seen[four_bytes(bytes + here) * 2654435761U >> (32 - HASH_BITS)];
        const int candidate = seen;
        seen = here;
        if (here - candidate > FARTHEST || four_bytes(bytes + candidate) != four_bytes(bytes + here)) {
            ++here;
            continue;
        }
        int length = MATCH_LEAST;
        while (here + length < size - LITERALS_AT_END && bytes[candidate + length] == bytes[here + length]) ++length;
        to = put_sequence(to, bytes + anchor, here - anchor, here - candidate, length);
        anchor = here += length;
    }
    to = put_sequence(to, bytes + anchor, size - anchor, 0, 0);
    return static_cast<int>(to - reinterpret_cast<uint8_t*>(target));
}
