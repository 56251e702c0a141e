// The values that cross the C interface; cortado.simulation.library has the same in ctypes.
#pragma once

#include <cstdint>

namespace cortado {

/// What the caller chooses.
struct Options {
    uint64_t memory_bytes;
    uint64_t deadlock_cycles;
    uint64_t stall_seed;
    uint32_t stall_threshold;
    uint32_t latency_cycles;
    uint32_t outstanding_bursts;
};

/// Of one channel.
struct ChannelState {
    uint64_t transfers;
    uint32_t valid;
    uint32_t ready;
};

/// How a call of `step` ended.
enum class Outcome : uint32_t { RUNNING, INTERRUPT, DEADLOCK, FAULT };

}  // namespace cortado
