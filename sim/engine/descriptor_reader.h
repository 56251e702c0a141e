// The shell's own master of the read port: fetches a job's descriptors and sends them as 32-bit words.
#pragma once

#include <cstdint>
#include <cstring>

#include "engine_configuration.h"
#include "memory_model.h"
#include "stalls.h"

namespace cortado {

class DescriptorReader {
public:
    explicit DescriptorReader(ReadMaster& master) : master_{master} {}

    void start(uint32_t address, uint32_t count) {
        next_address_ = address;
        bursts_to_ask_ = count;
        words_to_send_ = uint64_t{count} * (CORTADO_DESCRIPTOR_BYTES / WORD_BYTES);
    }

    bool all_sent() const { return words_to_send_ == 0; }
    bool wants_burst() const {
        return bursts_to_ask_ > 0 && !master_.holds_request && master_.in_flight.size() < DESCRIPTORS_AHEAD;
    }

    /// The burst to ask for next: one descriptor.
    Burst next_burst() {
        const Burst burst{next_address_, DESCRIPTOR_BEATS, 0};
        next_address_ += CORTADO_DESCRIPTOR_BYTES;
        --bursts_to_ask_;
        return burst;
    }

    /// Offers a word if there is one; an offer stands until the word is taken.
    bool offer(Stalls& stalls) {
        if (!offers_ && master_.holds_beat) offers_ = !stalls();
        return offers_;
    }

    /// The word on offer.
    uint32_t word() const {
        uint32_t word;
        std::memcpy(&word, static_cast<const uint8_t*>(master_.beat) + WORD_BYTES * index_, WORD_BYTES);
        return word;
    }

    /// The engine took the word.
    void take_word() {
        offers_ = false;
        --words_to_send_;
        if (++index_ == BEAT_BYTES / WORD_BYTES) {
            index_ = 0;
            master_.holds_beat = false;
        }
    }

private:
    static constexpr uint32_t WORD_BYTES = 4;
    static constexpr uint32_t DESCRIPTOR_BEATS = CORTADO_DESCRIPTOR_BYTES / BEAT_BYTES;
    static_assert(CORTADO_DESCRIPTOR_BYTES % BEAT_BYTES == 0, "a descriptor must be whole beats");
    // One descriptor is fetched while the one before it is sent.
    static constexpr size_t DESCRIPTORS_AHEAD = 2;

    ReadMaster& master_;
    uint64_t next_address_ = 0;
    uint64_t bursts_to_ask_ = 0;
    uint64_t words_to_send_ = 0;
    uint32_t index_ = 0;   // of the word in the beat
    bool offers_ = false;
};

}  // namespace cortado
