// The memory all masters share: a flat array of bytes that starts as zeros.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace cortado {

class Memory {
public:
    /// Pages are only taken from the machine when they are first written. Throws std::bad_alloc.
    explicit Memory(uint64_t bytes)
        : bytes_{bytes}, data_{static_cast<uint8_t*>(std::calloc(bytes, 1))} {
        if (!data_) throw std::bad_alloc{};
    }

    uint64_t bytes() const { return bytes_; }
    uint8_t* at(uint64_t address) { return data_.get() + address; }

    /// Whether all of [address, address + count) lies inside.
    bool holds(uint64_t address, uint64_t count) const { return count <= bytes_ && address <= bytes_ - count; }

private:
    struct Free {
        void operator()(uint8_t* data) const { std::free(data); }
    };

    uint64_t bytes_;
    std::unique_ptr<uint8_t, Free> data_;
};

}  // namespace cortado
