// The C interface of a simulated engine, as cortado.simulation.library calls it.
//
// Functions that can fail return false and leave the words for `cortado_error`; no exception leaves this file.

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "printed.h"
#include "shell.h"

/// Verilator's way to say that the model cannot go on, such as a failed assertion; the default ends the process.
void vl_fatal(const char*, int, const char*, const char* message) { throw std::runtime_error{message}; }

namespace {

thread_local std::string last_error;
thread_local std::string printed;

/// Runs `action`; turns an exception into false.
template <typename Action>
bool attempt(Action action) {
    try {
        action();
        return true;
    } catch (const std::exception& error) {
        last_error = error.what();
    } catch (...) {
        last_error = "unknown C++ exception";
    }
    return false;
}

}  // namespace

int cortado_print(const char* format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    const int size = std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    printed += text;
    return size;
}

/// An engine in its shell, and the memory, which outlives a reset of both.
struct Simulation {
    explicit Simulation(const cortado::Options& chosen) : options{chosen}, memory{chosen.memory_bytes} { reset(); }

    void reset() { shell = std::make_unique<cortado::Shell>(options, memory); }

    void require_inside(uint64_t address, uint64_t count) const {
        if (!memory.holds(address, count)) throw std::out_of_range{"outside the memory"};
    }

    cortado::Options options;
    cortado::Memory memory;
    std::unique_ptr<cortado::Shell> shell;
};

#define CORTADO_API extern "C" __attribute__((visibility("default")))

/// Beat width of the engine in the library.
CORTADO_API uint32_t cortado_beat_bits() { return CORTADO_BEAT_BITS; }

/// Whether the library can write waves.
CORTADO_API bool cortado_traced() { return CORTADO_TRACE; }

/// Words of the last failure in this thread.
CORTADO_API const char* cortado_error() { return last_error.c_str(); }

/// What the design has printed in this thread since the last call.
CORTADO_API const char* cortado_printed() {
    static thread_local std::string handed_over;
    handed_over = std::exchange(printed, {});
    return handed_over.c_str();
}

/// A simulated engine after reset, its memory all zeros; or null.
CORTADO_API Simulation* cortado_create(const cortado::Options* options) {
    std::unique_ptr<Simulation> simulation;
    attempt([&] { simulation = std::make_unique<Simulation>(*options); });
    return simulation.release();
}

CORTADO_API void cortado_destroy(Simulation* simulation) { delete simulation; }

/// Back to the state after reset; only the memory stays as it is. A wave file is closed.
CORTADO_API bool cortado_reset(Simulation* simulation) {
    return attempt([&] { simulation->reset(); });
}

CORTADO_API bool cortado_register_read(Simulation* simulation, uint32_t offset, uint32_t* value) {
    return attempt([&] { *value = simulation->shell->read_register(offset); });
}

CORTADO_API bool cortado_register_write(Simulation* simulation, uint32_t offset, uint32_t value) {
    return attempt([&] { simulation->shell->write_register(offset, value); });
}

CORTADO_API bool cortado_memory_write(Simulation* simulation, uint64_t address, const uint8_t* data, uint64_t count) {
    return attempt([&] {
        simulation->require_inside(address, count);
        std::memcpy(simulation->memory.at(address), data, count);
    });
}

CORTADO_API bool cortado_memory_read(Simulation* simulation, uint64_t address, uint8_t* data, uint64_t count) {
    return attempt([&] {
        simulation->require_inside(address, count);
        std::memcpy(data, simulation->memory.at(address), count);
    });
}

/// Runs at most `max_cycles` cycles, until an interrupt; false only if the model itself failed.
CORTADO_API bool cortado_step(Simulation* simulation, uint64_t max_cycles, cortado::Outcome* outcome) {
    return attempt([&] {
        *outcome = simulation->shell->step(max_cycles);
        if (*outcome == cortado::Outcome::FAULT) last_error = simulation->shell->fault();
    });
}

/// Lets a burst of a master be answered with SLVERR: the next one (0), the one after it (1) and so on.
CORTADO_API void cortado_fail_burst(Simulation* simulation, uint32_t master, uint64_t burst) {
    simulation->shell->judge().pick(master, burst);
}

/// Lets a channel of the memory port move no more, from a transfer on: the next one (0), the one after it (1) and so on.
CORTADO_API void cortado_stick(Simulation* simulation, uint32_t channel, uint64_t transfers) {
    simulation->shell->stick(channel, transfers);
}

/// Words on the first burst that the memory refused for where it is since the last call, or none.
CORTADO_API const char* cortado_refused(Simulation* simulation) {
    static thread_local std::string handed_over;
    handed_over = simulation->shell->judge().words();
    simulation->shell->judge().forget();
    return handed_over.c_str();
}

/// Cycles since the last reset began.
CORTADO_API uint64_t cortado_cycle(const Simulation* simulation) { return simulation->shell->cycle(); }

/// Fills one ChannelState for each channel of the memory port, in the order of the rendered list.
CORTADO_API void cortado_channels(const Simulation* simulation, cortado::ChannelState* states) {
    const auto all = simulation->shell->channels();
    std::memcpy(states, all.data(), sizeof all);
}

/// Starts a wave file; false if the library is not traced or the file cannot be opened.
CORTADO_API bool cortado_wave_open(Simulation* simulation, const char* path) {
    return simulation->shell->wave().open(path);
}

CORTADO_API void cortado_wave_close(Simulation* simulation) { simulation->shell->wave().close(); }
