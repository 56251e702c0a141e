// The wave file: written when the library was built with tracing and a file is open, nothing otherwise.
#pragma once

#include <cstdint>
#include <memory>

#include "Vengine.h"
#include "engine_configuration.h"
#include "verilated.h"
#if CORTADO_TRACE
#include "verilated_fst_c.h"
#endif

namespace cortado {

#if CORTADO_TRACE

class Wave {
public:
    static std::unique_ptr<VerilatedContext> context() {
        auto context = std::make_unique<VerilatedContext>();
        context->traceEverOn(true);
        return context;
    }

    Wave(VerilatedContext&, Vengine& engine) { engine.trace(&file_, 99); }
    ~Wave() { close(); }

    /// Whether the file could be opened.
    bool open(const char* path) {
        close();
        file_.open(path);
        return file_.isOpen();
    }

    void close() {
        if (file_.isOpen()) file_.close();
    }

    /// Notes the state after the half cycle `half_cycle`; a cycle is drawn as 10 ns.
    void dump(uint64_t half_cycle) {
        if (file_.isOpen()) file_.dump(5 * half_cycle);
    }

private:
    VerilatedFstC file_;
};

#else

class Wave {
public:
    static std::unique_ptr<VerilatedContext> context() { return std::make_unique<VerilatedContext>(); }

    Wave(VerilatedContext&, Vengine&) {}
    bool open(const char*) { return false; }
    void close() {}
    void dump(uint64_t) {}
};

#endif

}  // namespace cortado
