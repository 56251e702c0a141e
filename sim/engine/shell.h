// The shell around one engine: clock and reset, registers, the descriptor reader and the memory's ports.
//
// A cycle: the inputs set at the end of the cycle before settle with the clock low; the streams are sampled; the clock
// rises; the next inputs are set. Nothing the shell drives depends on what the engine drives in the same cycle, so
// two evaluations of the engine are enough.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "Vengine.h"
#include "descriptor_reader.h"
#include "engine_configuration.h"
#include "interface.h"
#include "memory.h"
#include "memory_model.h"
#include "stalls.h"
#include "wave.h"

// Verilator spells the second underscore of Amaranth's `stream__member` as a hexadecimal code.
#define CORTADO_PORT(group, member) group##___05F##member

namespace cortado {

namespace stream {
#define CORTADO_STREAM(name) name,
enum Index : size_t { CORTADO_STREAMS(CORTADO_STREAM) COUNT };
#undef CORTADO_STREAM
}  // namespace stream

class Shell {
public:
    /// Resets the engine.
    Shell(const Options& options, Memory& memory)
        : options_{options},
          memory_{memory},
          context_{Wave::context()},
          engine_{std::make_unique<Vengine>(context_.get(), "engine")},
          wave_{*context_, *engine_},
          stalls_{options.stall_seed, options.stall_threshold},
          reads_{memory_, options.latency_cycles, options.outstanding_bursts, descriptor_beat_,
                 &engine_->CORTADO_PORT(activations, payload), &engine_->CORTADO_PORT(weights, payload)},
          writes_{memory_, options.latency_cycles, options.outstanding_bursts} {
        static_assert(sizeof engine_->CORTADO_PORT(activations, payload) == BEAT_BYTES);
        static_assert(sizeof engine_->CORTADO_PORT(weights, payload) == BEAT_BYTES);
        static_assert(sizeof engine_->CORTADO_PORT(results, payload) == BEAT_BYTES);
        engine_->rst = 1;
        for (int cycle = 0; cycle < RESET_CYCLES; ++cycle) {
            fall();
            rise();
        }
        engine_->rst = 0;
        drive();
    }

    ~Shell() { engine_->final(); }

    Wave& wave() { return wave_; }
    uint64_t cycle() const { return cycle_; }

    /// The register at `offset`; throws std::out_of_range for an offset outside the map.
    uint32_t read_register(uint32_t offset) const {
        switch (static_cast<Register>(offset)) {
            case Register::IDENTITY: return engine_->identity;
            case Register::HASH_LOW: return static_cast<uint32_t>(engine_->configuration_hash);
            case Register::HASH_HIGH: return static_cast<uint32_t>(engine_->configuration_hash >> 32);
            case Register::CONTROL: return 0;
            case Register::STATUS:
                return (busy_ ? STATUS_BUSY : 0) | (done_ ? STATUS_DONE : 0) |
                       (engine_->CORTADO_PORT(status, error) ? STATUS_ERROR : 0);
            case Register::ERROR: return engine_->CORTADO_PORT(status, error);
            case Register::DESCRIPTOR_ADDRESS: return descriptor_address_;
            case Register::DESCRIPTOR_COUNT: return descriptor_count_;
            default: return read_counter(offset);
        }
    }

    /// Throws std::out_of_range for an offset that cannot be written, std::logic_error for a start while busy.
    void write_register(uint32_t offset, uint32_t value) {
        switch (static_cast<Register>(offset)) {
            case Register::CONTROL:
                if (value & CONTROL_START) start();
                return;
            case Register::DESCRIPTOR_ADDRESS: descriptor_address_ = value; return;
            case Register::DESCRIPTOR_COUNT: descriptor_count_ = value; return;
            default: throw std::out_of_range{"no register that can be written"};
        }
    }

    /// Runs at most `max_cycles` cycles of the job. After any outcome but RUNNING the job is over.
    Outcome step(uint64_t max_cycles) {
        const uint64_t last_cycle = cycle_ + max_cycles;
        while (cycle_ != last_cycle) {
            if (!busy_) return Outcome::DONE;
            run_cycle();
            if (!fault_.empty()) return end(Outcome::FAULT);
            if (engine_->CORTADO_PORT(status, error) != 0) return end(Outcome::ENGINE_ERROR);
            if (cycle_ - last_transfer_cycle_ > options_.deadlock_cycles) return end(Outcome::DEADLOCK);
        }
        return busy_ ? Outcome::RUNNING : Outcome::DONE;
    }

    /// The words of the FAULT that ended the job.
    const std::string& fault() const { return fault_; }

    std::array<StreamState, stream::COUNT> streams() const {
        std::array<StreamState, stream::COUNT> states;
#define CORTADO_STREAM(name)                                                                             \
    states[stream::name] = {transfers_[stream::name], uint32_t{engine_->CORTADO_PORT(name, valid)}, \
                            uint32_t{engine_->CORTADO_PORT(name, ready)}};
        CORTADO_STREAMS(CORTADO_STREAM)
#undef CORTADO_STREAM
        return states;
    }

private:
    static constexpr int RESET_CYCLES = 2;

    uint32_t read_counter(uint32_t offset) const {
        constexpr uint32_t first = static_cast<uint32_t>(Register::COUNTERS);
#define CORTADO_COUNTER(name) engine_->CORTADO_PORT(counters, name),
        const uint64_t counters[] = {CORTADO_COUNTERS(CORTADO_COUNTER)};
#undef CORTADO_COUNTER
        if (offset < first || offset >= first + sizeof counters || offset % 4) {
            throw std::out_of_range{"no register that can be read"};
        }
        const uint64_t counter = counters[(offset - first) / 8];
        return static_cast<uint32_t>(offset % 8 ? counter >> 32 : counter);
    }

    void start() {
        if (busy_) throw std::logic_error{"start while busy"};
        busy_ = true;
        done_ = false;
        fault_.clear();
        descriptors_.start(descriptor_address_, descriptor_count_);
        last_transfer_cycle_ = cycle_;
    }

    Outcome end(Outcome outcome) {
        busy_ = false;
        return outcome;
    }

    void evaluate() {
        engine_->eval();
        wave_.dump(2 * cycle_ + engine_->clk);
    }

    void fall() {
        engine_->clk = 0;
        evaluate();
    }

    void rise() {
        engine_->clk = 1;
        evaluate();
        ++cycle_;
    }

    void run_cycle() {
        fall();
        const bool all_sent = descriptors_.all_sent();
        const bool engine_busy = engine_->CORTADO_PORT(status, busy);
        sample();
        rise();
        update();
        if (all_sent && !engine_busy) finish();
    }

    /// Notes which streams move at the coming edge and takes what the engine sends.
    void sample() {
        uint32_t any = 0;
#define CORTADO_STREAM(name)                                                                              \
    moves_[stream::name] = engine_->CORTADO_PORT(name, valid) & engine_->CORTADO_PORT(name, ready); \
    transfers_[stream::name] += moves_[stream::name];                                                     \
    any |= moves_[stream::name];
        CORTADO_STREAMS(CORTADO_STREAM)
#undef CORTADO_STREAM
        if (any) last_transfer_cycle_ = cycle_;

        if (moves_[stream::activations_request]) {
            ask(reads_[ReadPort::ACTIVATIONS], unpack(engine_->CORTADO_PORT(activations_request, payload)));
        }
        if (moves_[stream::weights_request]) {
            ask(reads_[ReadPort::WEIGHTS], unpack(engine_->CORTADO_PORT(weights_request, payload)));
        }
        if (moves_[stream::results]) writes_.write_beat(&engine_->CORTADO_PORT(results, payload), cycle_);
        if (moves_[stream::results_request]) {
            const Burst burst = unpack(engine_->CORTADO_PORT(results_request, payload));
            check("results", "write", burst);
            writes_.request(burst);
        }
    }

    /// Ends the cycle: the memory moves on and the inputs of the next cycle are set.
    void update() {
        const uint64_t cycle = cycle_ - 1;
        if (moves_[stream::activations]) reads_[ReadPort::ACTIVATIONS].holds_beat = false;
        if (moves_[stream::weights]) reads_[ReadPort::WEIGHTS].holds_beat = false;
        if (moves_[stream::results_response]) writes_.respond();
        if (moves_[stream::descriptor]) descriptors_.take_word();
        if (descriptors_.wants_burst()) ask(reads_[ReadPort::DESCRIPTORS], descriptors_.next_burst());
        if (!fault_.empty()) return;   // the memory must not meet the burst that is at fault
        reads_.update(cycle, stalls_);
        writes_.update(cycle, stalls_);
        drive();
    }

    /// Sets every input of the engine but clock, reset and the beats, which the read port puts there itself.
    void drive() {
        Vengine& engine = *engine_;
        engine.CORTADO_PORT(descriptor, valid) = descriptors_.offer(stalls_);
        engine.CORTADO_PORT(descriptor, payload) = descriptors_.word();
        engine.CORTADO_PORT(activations, valid) = reads_[ReadPort::ACTIVATIONS].holds_beat;
        engine.CORTADO_PORT(weights, valid) = reads_[ReadPort::WEIGHTS].holds_beat;
        engine.CORTADO_PORT(activations_request, ready) = !reads_[ReadPort::ACTIVATIONS].holds_request && !stalls_();
        engine.CORTADO_PORT(weights_request, ready) = !reads_[ReadPort::WEIGHTS].holds_request && !stalls_();
        engine.CORTADO_PORT(results_request, ready) = !writes_.holds_request() && !stalls_();
        engine.CORTADO_PORT(results, ready) = writes_.wants_beat() && !stalls_();
        engine.CORTADO_PORT(results_response, valid) = writes_.responds();
        engine.CORTADO_PORT(results_response, payload) = 0;   // an address the memory lacks is a FAULT instead
    }

    static Burst unpack(uint64_t payload) {
        return {payload & 0xFFFFFFFF, static_cast<uint32_t>(payload >> 32) & 0xFF, 0};
    }

    void ask(ReadMaster& master, const Burst& burst) {
        check(master.name, "read", burst);
        master.request = burst;
        master.holds_request = true;
    }

    void check(const char* master, const char* verb, const Burst& burst) {
        if (fault_.empty()) fault_ = refusal(master, verb, burst, memory_);
    }

    /// The engine says it is idle: well done only if nothing is left anywhere.
    void finish() {
        busy_ = false;
        const std::string left = left_over();
        done_ = left.empty();
        if (!done_) {
            fault_ = "engine: must stop being busy only when every burst is finished and every beat taken, not with" +
                     left + " left";
        }
    }

    /// The masters that still have something under way, each behind a blank.
    std::string left_over() const {
        std::string names;
        if (!reads_[ReadPort::DESCRIPTORS].drained()) names += " descriptors";
        if (!reads_[ReadPort::ACTIVATIONS].drained() || engine_->CORTADO_PORT(activations_request, valid)) {
            names += " activations";
        }
        if (!reads_[ReadPort::WEIGHTS].drained() || engine_->CORTADO_PORT(weights_request, valid)) names += " weights";
        if (!writes_.drained() || engine_->CORTADO_PORT(results_request, valid) ||
            engine_->CORTADO_PORT(results, valid)) {
            names += " results";
        }
        return names;
    }

    Options options_;
    Memory& memory_;
    std::unique_ptr<VerilatedContext> context_;
    std::unique_ptr<Vengine> engine_;
    Wave wave_;
    Stalls stalls_;
    alignas(8) uint8_t descriptor_beat_[BEAT_BYTES] = {};
    ReadPort reads_;
    DescriptorReader descriptors_{reads_[ReadPort::DESCRIPTORS]};
    WritePort writes_;

    uint64_t cycle_ = 0;
    uint64_t last_transfer_cycle_ = 0;
    std::array<uint8_t, stream::COUNT> moves_{};
    std::array<uint64_t, stream::COUNT> transfers_{};

    uint32_t descriptor_address_ = 0;
    uint32_t descriptor_count_ = 0;

    bool busy_ = false;
    bool done_ = false;
    std::string fault_;
};

}  // namespace cortado
