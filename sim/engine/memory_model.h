// The memory as the engine meets it: one AXI4 slave, whose channels have latency and a limit on bursts.
//
// Reading. In every cycle the port takes at most one burst, while fewer than `outstanding_bursts` are in flight, and
// gives at most one beat, round robin among the masters (IDs) that can go on; a master's bursts come back in order. The
// first beat of a burst is valid `latency_cycles` cycles after its address was taken at the earliest. A burst is in
// flight until its last beat has been put on the channel.
//
// Writing. The port takes one burst a cycle, then the beats of the bursts in order, one a cycle; no beat is taken
// before its address. The response is valid `latency_cycles` cycles after the last beat. A burst is in flight until
// its response has been taken.
//
// A burst that leaves the memory is answered with DECERR, one that a test has picked with SLVERR; neither touches the
// memory, and what it reads is all ones.
//
// A beat is read when it is put on the channel and written when it is taken, so a read that must see a write waits for
// the write's response.
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
constexpr uint32_t PAGE_BYTES = 4096;   // no burst may cross a multiple of it

enum Response : uint8_t { OKAY = 0, SLVERR = 2, DECERR = 3 };

/// Everyone who asks for bursts: the readers in the order of their IDs, then the writer.
namespace master {
#define CORTADO_MASTER(name) name,
enum Index : uint32_t { CORTADO_MASTERS(CORTADO_MASTER) COUNT };
#undef CORTADO_MASTER
constexpr uint32_t WRITER = COUNT - 1;
#define CORTADO_MASTER(name) #name,
constexpr const char* NAMES[] = {CORTADO_MASTERS(CORTADO_MASTER)};
#undef CORTADO_MASTER
}  // namespace master

struct Burst {
    uint64_t address;     // of the next beat
    uint32_t beats;       // left
    uint64_t due_cycle;   // the first cycle in which its first beat, or its response, may be valid
    Response response;
};

/// Decides how a burst is answered, and keeps words on the first that breaks a rule.
class Judge {
public:
    explicit Judge(const Memory& memory) : memory_{memory} {}

    Response operator()(uint32_t master, const Burst& burst) {
        const uint64_t count = uint64_t{burst.beats} * BEAT_BYTES;
        const bool fits = burst.address % BEAT_BYTES == 0 && burst.address % PAGE_BYTES + count <= PAGE_BYTES &&
                          memory_.holds(burst.address, count);
        if (!fits) refuse(master, burst);
        const bool is_picked = spared_[master] > 0 && --spared_[master] == 0;
        return !fits ? DECERR : is_picked ? SLVERR : OKAY;
    }

    /// A burst of that master is to fail: the next one (0), the one after it (1) and so on.
    void pick(uint32_t master, uint64_t burst) { spared_[master] = burst + 1; }

    /// Words on the first burst refused since `forget`, or none.
    const std::string& words() const { return words_; }
    void forget() { words_.clear(); }

private:
    void refuse(uint32_t master, const Burst& burst) {
        if (!words_.empty()) return;
        char text[256];
        std::snprintf(text, sizeof text,
                      "%s: a burst must be at a multiple of %u bytes, inside a page of %u bytes and inside the memory "
                      "of %llu bytes, not %s %u beats at 0x%08llx",
                      master::NAMES[master], BEAT_BYTES, PAGE_BYTES, static_cast<unsigned long long>(memory_.bytes()),
                      master == master::WRITER ? "write" : "read", burst.beats,
                      static_cast<unsigned long long>(burst.address));
        words_ = text;
    }

    const Memory& memory_;
    std::array<uint64_t, master::COUNT> spared_{};   // bursts until the one that fails, itself counted; 0 for none
    std::string words_;
};

class ReadPort {
public:
    static constexpr uint32_t MASTERS = master::COUNT - 1;

    /// `beat` is where the data of the channel lie: BEAT_BYTES bytes, an input port of the engine.
    ReadPort(Memory& memory, Judge& judge, uint32_t latency_cycles, uint32_t outstanding_bursts, void* beat)
        : memory_{memory},
          judge_{judge},
          latency_cycles_{latency_cycles},
          outstanding_bursts_{outstanding_bursts},
          beat_{beat} {}

    // The beat on the channel.
    bool valid() const { return valid_; }
    uint8_t id() const { return static_cast<uint8_t>(id_); }
    Response response() const { return response_; }
    bool last() const { return last_; }

    bool has_room() const { return in_flight_ < outstanding_bursts_; }

    /// Takes a burst in cycle `cycle`.
    void take_burst(uint32_t id, Burst burst, uint64_t cycle) {
        burst.due_cycle = cycle + latency_cycles_;
        burst.response = judge_(id, burst);
        bursts_[id].push_back(burst);
        ++in_flight_;
    }

    /// Ends cycle `cycle`, in which the beat was `taken` or not.
    void update(uint64_t cycle, bool taken, Stalls& stalls) {
        if (taken) valid_ = false;
        if (!valid_ && in_flight_ > 0) read_beat(cycle, stalls);
    }

private:
    void read_beat(uint64_t cycle, Stalls& stalls) {
        for (uint32_t step = 1; step <= MASTERS; ++step) {
            const uint32_t id = (id_ + step) % MASTERS;
            if (bursts_[id].empty()) continue;
            Burst& burst = bursts_[id].front();
            if (burst.due_cycle > cycle + 1 || stalls()) continue;
            if (burst.response == OKAY) {
                std::memcpy(beat_, memory_.at(burst.address), BEAT_BYTES);
            } else {
                std::memset(beat_, 0xFF, BEAT_BYTES);
            }
            valid_ = true;
            id_ = id;
            response_ = burst.response;
            last_ = --burst.beats == 0;
            burst.address += BEAT_BYTES;
            if (last_) {
                bursts_[id].pop_front();
                --in_flight_;
            }
            return;
        }
    }

    Memory& memory_;
    Judge& judge_;
    uint32_t latency_cycles_;
    uint32_t outstanding_bursts_;
    void* beat_;
    bool valid_ = false;
    bool last_ = false;
    Response response_ = OKAY;
    uint32_t id_ = 0;
    std::array<std::deque<Burst>, MASTERS> bursts_;
    uint32_t in_flight_ = 0;
};

class WritePort {
public:
    WritePort(Memory& memory, Judge& judge, uint32_t latency_cycles, uint32_t outstanding_bursts)
        : memory_{memory},
          judge_{judge},
          latency_cycles_{latency_cycles},
          outstanding_bursts_{outstanding_bursts} {}

    bool has_room() const { return writing_.size() + answered_.size() < outstanding_bursts_; }
    bool wants_beat() const { return !writing_.empty(); }
    bool responds() const { return responds_; }
    Response response() const { return responds_ ? answered_.front().response : OKAY; }

    void take_burst(Burst burst) {
        burst.response = judge_(master::WRITER, burst);
        writing_.push_back(burst);
    }

    /// Takes the next beat in cycle `cycle`, its bytes `strobes` of it; whether `last` is right.
    bool write_beat(const void* beat, uint64_t strobes, bool last, uint64_t cycle) {
        Burst& burst = writing_.front();
        if (burst.response == OKAY) write(burst.address, static_cast<const uint8_t*>(beat), strobes);
        burst.address += BEAT_BYTES;
        const bool is_last = --burst.beats == 0;
        if (is_last) {
            burst.due_cycle = cycle + latency_cycles_;
            answered_.push_back(burst);
            writing_.pop_front();
        }
        return last == is_last;
    }

    /// Ends cycle `cycle`, in which the response was `taken` or not.
    void update(uint64_t cycle, bool taken, Stalls& stalls) {
        if (taken) {
            answered_.pop_front();
            responds_ = false;
        }
        if (!responds_ && !answered_.empty() && answered_.front().due_cycle <= cycle + 1) responds_ = !stalls();
    }

private:
    static constexpr uint64_t ALL = ~uint64_t{0} >> (64 - BEAT_BYTES);

    void write(uint64_t address, const uint8_t* beat, uint64_t strobes) {
        if (strobes == ALL) {
            std::memcpy(memory_.at(address), beat, BEAT_BYTES);
        } else {
            for (uint32_t byte = 0; byte < BEAT_BYTES; ++byte) {
                if (strobes >> byte & 1) *memory_.at(address + byte) = beat[byte];
            }
        }
    }

    Memory& memory_;
    Judge& judge_;
    uint32_t latency_cycles_;
    uint32_t outstanding_bursts_;
    bool responds_ = false;
    std::deque<Burst> writing_;
    std::deque<Burst> answered_;
};

}  // namespace cortado
