// Random stalls: what a busy interconnect does to a stream, repeatable from a seed.
#pragma once

#include <cstdint>

namespace cortado {

class Stalls {
public:
    /// A stall comes with probability `threshold` / 2**32; 0 means never.
    Stalls(uint64_t seed, uint32_t threshold) : state_{seed * 2 + 1}, threshold_{threshold} {}

    /// Whether the stream that asks is stalled in this cycle.
    bool operator()() {
        if (threshold_ == 0) return false;
        // xorshift64* (Vigna 2016, "An experimental exploration of Marsaglia's xorshift generators, scrambled").
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return static_cast<uint32_t>((state_ * 0x2545F4914F6CDD1DULL) >> 32) < threshold_;
    }

private:
    uint64_t state_;
    uint32_t threshold_;
};

}  // namespace cortado
