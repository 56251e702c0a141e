// The shell around one engine: clock and reset, the driver's end of the control port and the memory at the other one.
//
// A cycle: the inputs set at the end of the cycle before settle with the clock low; the channels are sampled; the
// clock rises; the next inputs are set. Nothing the shell drives depends on what the engine drives in the same cycle,
// so two evaluations of the engine are enough.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

#include "Vengine.h"
#include "engine_configuration.h"
#include "interface.h"
#include "memory.h"
#include "memory_model.h"
#include "stalls.h"
#include "wave.h"

namespace cortado {

namespace channel {
#define CORTADO_CHANNEL(name) name,
enum Index : size_t { CORTADO_CHANNELS(CORTADO_CHANNEL) COUNT };
#undef CORTADO_CHANNEL
}  // namespace channel

class Shell {
public:
    /// Resets the engine.
    Shell(const Options& options, Memory& memory)
        : options_{options},
          judge_{memory},
          context_{Wave::context()},
          engine_{std::make_unique<Vengine>(context_.get(), "engine")},
          wave_{*context_, *engine_},
          stalls_{options.stall_seed, options.stall_threshold},
          reads_{memory, judge_, options.latency_cycles, options.outstanding_bursts, &engine_->m_axi_rdata},
          writes_{memory, judge_, options.latency_cycles, options.outstanding_bursts} {
        static_assert(sizeof engine_->m_axi_rdata == BEAT_BYTES);
        static_assert(sizeof engine_->m_axi_wdata == BEAT_BYTES);
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
    Judge& judge() { return judge_; }
    uint64_t cycle() const { return cycle_; }

    /// The register at `offset`, by a transaction of the control port; throws std::runtime_error if that is refused.
    uint32_t read_register(uint32_t offset) {
        Vengine& engine = *engine_;
        engine.s_axi_control_araddr = checked(offset);
        engine.s_axi_control_arvalid = 1;
        run_until([&] { return engine.s_axi_control_arready; });
        engine.s_axi_control_arvalid = 0;
        engine.s_axi_control_rready = 1;
        uint32_t value = 0;
        uint8_t response = 0;
        run_until([&] {
            value = engine.s_axi_control_rdata;
            response = engine.s_axi_control_rresp;
            return engine.s_axi_control_rvalid;
        });
        engine.s_axi_control_rready = 0;
        require_okay(response);
        return value;
    }

    /// Likewise.
    void write_register(uint32_t offset, uint32_t value) {
        Vengine& engine = *engine_;
        engine.s_axi_control_awaddr = checked(offset);
        engine.s_axi_control_awvalid = 1;
        engine.s_axi_control_wdata = value;
        engine.s_axi_control_wstrb = 0xF;
        engine.s_axi_control_wvalid = 1;
        // The register file takes address and data in the same cycle; another slave would need them apart.
        run_until([&] { return engine.s_axi_control_awready && engine.s_axi_control_wready; });
        engine.s_axi_control_awvalid = 0;
        engine.s_axi_control_wvalid = 0;
        engine.s_axi_control_bready = 1;
        uint8_t response = 0;
        run_until([&] {
            response = engine.s_axi_control_bresp;
            return engine.s_axi_control_bvalid;
        });
        engine.s_axi_control_bready = 0;
        require_okay(response);
        last_transfer_cycle_ = cycle_;
    }

    /// Runs at most `max_cycles` cycles, until the engine asks for an interrupt.
    Outcome step(uint64_t max_cycles) {
        const uint64_t last_cycle = cycle_ + max_cycles;
        while (cycle_ != last_cycle) {
            if (engine_->irq) return Outcome::INTERRUPT;
            run_cycle();
            if (fault_ != nullptr) return Outcome::FAULT;
            if (cycle_ - last_transfer_cycle_ > options_.deadlock_cycles) return Outcome::DEADLOCK;
        }
        return engine_->irq ? Outcome::INTERRUPT : Outcome::RUNNING;
    }

    /// From the given transfer on (0: the next one), counted from now, a channel moves no more until the next reset.
    void stick(size_t channel, uint64_t transfers) {
        stuck_channel_ = channel;
        stuck_from_ = transfers_[channel] + transfers;
    }

    /// The rule of the bus that a FAULT broke.
    const char* fault() const { return fault_; }

    std::array<ChannelState, channel::COUNT> channels() const {
        std::array<ChannelState, channel::COUNT> states;
#define CORTADO_CHANNEL(name) \
    states[channel::name] = {transfers_[channel::name], uint32_t{engine_->name##valid}, uint32_t{engine_->name##ready}};
        CORTADO_CHANNELS(CORTADO_CHANNEL)
#undef CORTADO_CHANNEL
        return states;
    }

private:
    static constexpr int RESET_CYCLES = 2;
    static constexpr int CONTROL_CYCLES = 1000;   // no register takes as long
    static constexpr uint32_t CONTROL_BYTES = 1 << CORTADO_CONTROL_ADDRESS_BITS;

    /// Runs cycles until one in which `happens` is true before the clock rises.
    template <typename Condition>
    void run_until(Condition happens) {
        for (int cycle = 0; cycle < CONTROL_CYCLES; ++cycle) {
            fall();
            const bool happened = happens();
            end_cycle();
            if (happened) return;
        }
        throw std::runtime_error{"no answer"};
    }

    static uint32_t checked(uint32_t offset) {
        if (offset >= CONTROL_BYTES) throw std::runtime_error{"DECERR"};
        return offset;
    }

    static void require_okay(uint8_t response) {
        if (response != OKAY) throw std::runtime_error{response == SLVERR ? "SLVERR" : "DECERR"};
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
        end_cycle();
    }

    void end_cycle() {
        sample();
        rise();
        reads_.update(cycle_ - 1, moves_[channel::m_axi_r], stalls_);
        writes_.update(cycle_ - 1, moves_[channel::m_axi_b], stalls_);
        drive();
    }

    /// Notes which channels move at the coming edge and takes what the engine sends.
    void sample() {
        Vengine& engine = *engine_;
        uint32_t any = 0;
#define CORTADO_CHANNEL(name)                                              \
    moves_[channel::name] = engine.name##valid & engine.name##ready; \
    transfers_[channel::name] += moves_[channel::name];                    \
    any |= moves_[channel::name];
        CORTADO_CHANNELS(CORTADO_CHANNEL)
#undef CORTADO_CHANNEL
        if (any) last_transfer_cycle_ = cycle_;

        watch();
        if (moves_[channel::m_axi_ar]) {
            if (engine.m_axi_arid >= ReadPort::MASTERS) {
                fault_ = "ARID must be that of a reader";
            } else {
                reads_.take_burst(engine.m_axi_arid, {engine.m_axi_araddr, engine.m_axi_arlen + 1u, 0, OKAY}, cycle_);
            }
        }
        if (moves_[channel::m_axi_w] &&
            !writes_.write_beat(&engine.m_axi_wdata, engine.m_axi_wstrb, engine.m_axi_wlast, cycle_)) {
            fault_ = "WLAST must mark the last beat of a burst and no other";
        }
        if (moves_[channel::m_axi_aw]) writes_.take_burst({engine.m_axi_awaddr, engine.m_axi_awlen + 1u, 0, OKAY});
    }

    /// What has been shown on a channel and not been taken must stay.
    void watch() {
        Vengine& engine = *engine_;
        const uint64_t read = uint64_t{engine.m_axi_araddr} << 16 | uint32_t{engine.m_axi_arlen} << 8 | engine.m_axi_arid;
        const uint64_t write = uint64_t{engine.m_axi_awaddr} << 16 | uint32_t{engine.m_axi_awlen} << 8;
        if ((waits_[channel::m_axi_ar] && (!engine.m_axi_arvalid || read != read_shown_)) ||
            (waits_[channel::m_axi_aw] && (!engine.m_axi_awvalid || write != write_shown_)) ||
            (waits_[channel::m_axi_w] &&
             (!engine.m_axi_wvalid || std::memcmp(&engine.m_axi_wdata, beat_shown_, BEAT_BYTES) != 0 ||
              engine.m_axi_wstrb != strobes_shown_))) {
            fault_ = "a payload must stay from valid to ready";
        }
        waits_[channel::m_axi_ar] = engine.m_axi_arvalid & !engine.m_axi_arready;
        waits_[channel::m_axi_aw] = engine.m_axi_awvalid & !engine.m_axi_awready;
        waits_[channel::m_axi_w] = engine.m_axi_wvalid & !engine.m_axi_wready;
        read_shown_ = read;
        write_shown_ = write;
        if (waits_[channel::m_axi_w]) {
            std::memcpy(beat_shown_, &engine.m_axi_wdata, BEAT_BYTES);
            strobes_shown_ = engine.m_axi_wstrb;
        }
    }

    bool is_stuck(size_t channel) const { return channel == stuck_channel_ && transfers_[channel] >= stuck_from_; }

    /// Sets the inputs of the memory port but the data, which the read port puts there itself.
    void drive() {
        Vengine& engine = *engine_;
        engine.m_axi_arready = reads_.has_room() && !stalls_() && !is_stuck(channel::m_axi_ar);
        engine.m_axi_rvalid = reads_.valid() && !is_stuck(channel::m_axi_r);
        engine.m_axi_rid = reads_.id();
        engine.m_axi_rresp = reads_.response();
        engine.m_axi_rlast = reads_.last();
        engine.m_axi_awready = writes_.has_room() && !stalls_() && !is_stuck(channel::m_axi_aw);
        engine.m_axi_wready = writes_.wants_beat() && !stalls_() && !is_stuck(channel::m_axi_w);
        engine.m_axi_bvalid = writes_.responds() && !is_stuck(channel::m_axi_b);
        engine.m_axi_bresp = writes_.response();
    }

    Options options_;
    Judge judge_;
    std::unique_ptr<VerilatedContext> context_;
    std::unique_ptr<Vengine> engine_;
    Wave wave_;
    Stalls stalls_;
    ReadPort reads_;
    WritePort writes_;

    uint64_t cycle_ = 0;
    uint64_t last_transfer_cycle_ = 0;
    std::array<uint8_t, channel::COUNT> moves_{};
    std::array<uint64_t, channel::COUNT> transfers_{};

    size_t stuck_channel_ = channel::COUNT;
    uint64_t stuck_from_ = 0;

    std::array<uint8_t, channel::COUNT> waits_{};
    uint64_t read_shown_ = 0;
    uint64_t write_shown_ = 0;
    uint64_t strobes_shown_ = 0;
    uint8_t beat_shown_[BEAT_BYTES] = {};

    const char* fault_ = nullptr;
};

}  // namespace cortado
