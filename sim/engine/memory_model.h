// The memory as the engine meets it: one read port and one write port, each with latency and a limit on bursts.
//
// Read port. Each master has a register for one request and a register for one beat; a request and a beat move
// through them at one a cycle. In every cycle the port takes at most one waiting request, while fewer than
// `outstanding_bursts` are in flight, and reads at most one beat, each round robin among the masters that can go on.
// The first beat of a burst is valid `latency_cycles` cycles after its request was taken at the earliest, and a
// master's bursts come back in the order of its requests. A burst is in flight until its last beat has been read.
//
// Write port. It takes one request a cycle, then the beats of the bursts in order, one a cycle; no beat is taken
// before its request. The response is valid `latency_cycles` cycles after the last beat. A burst is in flight until
// its response has been taken.
//
// All masters share the bursts in flight, so one that asks for data it cannot take may keep the others from theirs for
// ever; an engine asks only when it has room for a whole burst.
//
// A beat is read when it enters the master's register and written when it is taken, so a read that must see a write
// waits for the write's response.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <string>

#include "engine_configuration.h"
#include "memory.h"
#include "stalls.h"

namespace cortado {

constexpr uint32_t BEAT_BYTES = CORTADO_BEAT_BITS / 8;

struct Burst {
    uint64_t address;     // of the next beat
    uint32_t beats;       // left
    uint64_t due_cycle;   // the first cycle in which its first beat, or its response, may be valid
};

/// What a request must hold: words for the error if it does not, else nothing.
inline std::string refusal(const char* master, const char* verb, const Burst& burst, const Memory& memory) {
    const uint64_t count = uint64_t{burst.beats} * BEAT_BYTES;
    if (burst.beats > 0 && burst.address % BEAT_BYTES == 0 && memory.holds(burst.address, count)) return {};
    char text[256];
    std::snprintf(text, sizeof text,
                  "%s: a burst must be 1 to 255 beats at a multiple of %u bytes inside the memory of %llu bytes, "
                  "not %s %u beats at 0x%08llx",
                  master, BEAT_BYTES, static_cast<unsigned long long>(memory.bytes()), verb, burst.beats,
                  static_cast<unsigned long long>(burst.address));
    return text;
}

/// One master of the read port.
struct ReadMaster {
    const char* name;
    void* beat;                   // the beat register: BEAT_BYTES bytes, an input port of the engine
    bool holds_beat = false;      // the beat register is full
    bool holds_request = false;   // the request register is full
    Burst request{};
    std::deque<Burst> in_flight{};

    bool drained() const { return !holds_beat && !holds_request && in_flight.empty(); }
};

class ReadPort {
public:
    enum Index : size_t { DESCRIPTORS, ACTIVATIONS, WEIGHTS, MASTERS };

    ReadPort(Memory& memory, uint32_t latency_cycles, uint32_t outstanding_bursts, void* descriptor_beat,
             void* activation_beat, void* weight_beat)
        : memory_{memory},
          latency_cycles_{latency_cycles},
          outstanding_bursts_{outstanding_bursts},
          masters_{ReadMaster{"descriptors", descriptor_beat}, ReadMaster{"activations", activation_beat},
                   ReadMaster{"weights", weight_beat}} {}

    ReadMaster& operator[](Index index) { return masters_[index]; }
    const ReadMaster& operator[](Index index) const { return masters_[index]; }

    /// Ends cycle `cycle`: takes a request and reads a beat.
    void update(uint64_t cycle, Stalls& stalls) {
        if (in_flight_ < outstanding_bursts_) take_request(cycle);
        if (in_flight_ > 0) read_beat(cycle, stalls);
    }

private:
    void take_request(uint64_t cycle) {
        for (size_t step = 1; step <= MASTERS; ++step) {
            const size_t index = (last_request_ + step) % MASTERS;
            ReadMaster& master = masters_[index];
            if (!master.holds_request) continue;
            master.holds_request = false;
            master.request.due_cycle = cycle + latency_cycles_;
            master.in_flight.push_back(master.request);
            ++in_flight_;
            last_request_ = index;
            return;
        }
    }

    void read_beat(uint64_t cycle, Stalls& stalls) {
        for (size_t step = 1; step <= MASTERS; ++step) {
            const size_t index = (last_beat_ + step) % MASTERS;
            ReadMaster& master = masters_[index];
            if (master.holds_beat || master.in_flight.empty()) continue;
            Burst& burst = master.in_flight.front();
            if (burst.due_cycle > cycle + 1 || stalls()) continue;
            std::memcpy(master.beat, memory_.at(burst.address), BEAT_BYTES);
            master.holds_beat = true;
            burst.address += BEAT_BYTES;
            if (--burst.beats == 0) {
                master.in_flight.pop_front();
                --in_flight_;
            }
            last_beat_ = index;
            return;
        }
    }

    Memory& memory_;
    uint32_t latency_cycles_;
    uint32_t outstanding_bursts_;
    std::array<ReadMaster, MASTERS> masters_;
    uint32_t in_flight_ = 0;
    size_t last_request_ = 0;
    size_t last_beat_ = 0;
};

/// The write port and its one master.
class WritePort {
public:
    WritePort(Memory& memory, uint32_t latency_cycles, uint32_t outstanding_bursts)
        : memory_{memory}, latency_cycles_{latency_cycles}, outstanding_bursts_{outstanding_bursts} {}

    bool holds_request() const { return holds_request_; }
    bool wants_beat() const { return !writing_.empty(); }
    bool responds() const { return responds_; }
    bool drained() const { return !holds_request_ && writing_.empty() && responses_.empty(); }

    void request(const Burst& burst) {
        request_ = burst;
        holds_request_ = true;
    }

    /// Takes the next beat, in cycle `cycle`.
    void write_beat(const void* beat, uint64_t cycle) {
        Burst& burst = writing_.front();
        std::memcpy(memory_.at(burst.address), beat, BEAT_BYTES);
        burst.address += BEAT_BYTES;
        if (--burst.beats == 0) {
            responses_.push_back(cycle + latency_cycles_);
            writing_.pop_front();
        }
    }

    /// The engine took the response.
    void respond() {
        responses_.pop_front();
        responds_ = false;
    }

    /// Ends cycle `cycle`: takes a request and offers a response.
    void update(uint64_t cycle, Stalls& stalls) {
        if (holds_request_ && writing_.size() + responses_.size() < outstanding_bursts_) {
            writing_.push_back(request_);
            holds_request_ = false;
        }
        if (!responds_ && !responses_.empty() && responses_.front() <= cycle + 1) responds_ = !stalls();
    }

private:
    Memory& memory_;
    uint32_t latency_cycles_;
    uint32_t outstanding_bursts_;
    bool holds_request_ = false;
    bool responds_ = false;
    Burst request_{};
    std::deque<Burst> writing_;
    std::deque<uint64_t> responses_;   // due cycle of each
};

}  // namespace cortado
