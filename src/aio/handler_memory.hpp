// SPDX-License-Identifier: MIT
#pragma once

#include "base/poison.hpp"

#include <array>
#include <cstddef>
#include <new>

namespace unicoro::aio {

/// Memory for one posted handler at a time, kept by whoever posts it: Asio recycles its own only
/// inside of a handler, and asks the heap for it elsewhere. Outlives what is queued in it; free again
/// when the handler begins to run.
class handler_memory {
  public:
    handler_memory() noexcept { base::poison(bytes_.data(), size); }
    handler_memory(const handler_memory&) = delete;
    handler_memory& operator=(const handler_memory&) = delete;
    ~handler_memory() { base::unpoison(bytes_.data(), size); }

    template <class T>
    class allocator;

  private:
    static constexpr std::size_t size = 128;

    alignas(std::max_align_t) std::array<std::byte, size> bytes_;
};

/// As a handler's associated allocator.
template <class T>
class handler_memory::allocator {
  public:
    using value_type = T;

    explicit allocator(handler_memory& memory) noexcept : memory_(&memory) {}
    template <class Other>
    explicit allocator(const allocator<Other>& other) noexcept : memory_(other.memory_) {}

    T* allocate(std::size_t count) {
        static_assert(alignof(T) <= alignof(std::max_align_t));
        if (count * sizeof(T) > size) throw std::bad_alloc();
        base::unpoison(memory_->bytes_.data(), size);
        return reinterpret_cast<T*>(memory_->bytes_.data());
    }
    void deallocate(T*, std::size_t) noexcept { base::poison(memory_->bytes_.data(), size); }

    template <class Other>
    bool operator==(const allocator<Other>& other) const noexcept {
        return memory_ == other.memory_;
    }

  private:
    template <class Other>
    friend class allocator;

    handler_memory* memory_;
};

}  // namespace unicoro::aio
