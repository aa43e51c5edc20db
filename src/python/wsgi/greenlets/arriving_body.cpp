// SPDX-License-Identifier: MIT
#include "python/wsgi/greenlets/arriving_body.hpp"

#include "python/runtime/text.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace unicoro::python {
namespace {

// Less is not worth a system call.
constexpr std::size_t least_room = 64 * 1024;

// Memory that nothing was written to costs next to nothing, but it counts where the system does not
// overcommit.
constexpr std::size_t first_room = 1024 * 1024;

constexpr std::size_t growth = 4;

}  // namespace

bool arriving_body::make_room(std::size_t wanted) noexcept {
    if (size() >= wanted || complete_ || lent_) return true;
    if (size() == 0) taken_ = filled_ = 0;
    if (filled_ < capacity_) return true;
    std::size_t capacity = std::max(left_ ? first_room : least_room, size() * growth);
    capacity = std::min(capacity, std::max(wanted, size() + least_room));
    if (left_ && *left_ < capacity - size()) capacity = size() + static_cast<std::size_t>(*left_);
    return move_to(capacity);
}

bool arriving_body::move_to(std::size_t capacity) noexcept {
    if (memory_ && capacity <= capacity_) {
        char* const begin = PyBytes_AS_STRING(memory_.get());
        std::memmove(begin, begin + taken_, size());
        filled_ -= std::exchange(taken_, 0);
        return true;
    }
    if (memory_ && taken_ == 0) {
        PyObject* grown = memory_.release();
        capacity_ = 0;
        if (_PyBytes_Resize(&grown, static_cast<Py_ssize_t>(capacity)) != 0) {
            filled_ = 0;
            return false;
        }
        memory_ = py_ref::steal(grown);
    } else {
        py_ref fresh = py_ref::steal(PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(capacity)));
        if (!fresh) return false;
        if (size() > 0) {
            std::memcpy(PyBytes_AS_STRING(fresh.get()), PyBytes_AS_STRING(memory_.get()) + taken_, size());
        }
        filled_ -= std::exchange(taken_, 0);
        memory_ = std::move(fresh);
    }
    capacity_ = capacity;
    return true;
}

std::span<char> arriving_body::room(std::size_t most) const noexcept {
    if (!memory_) return {};
    return {PyBytes_AS_STRING(memory_.get()) + filled_, std::min(most, capacity_ - filled_)};
}

void arriving_body::came(std::size_t count) noexcept {
    filled_ += count;
    if (left_) *left_ -= count;
    if (count == 0 || left_ == std::uint64_t{0}) complete_ = true;
}

py_ref arriving_body::take(std::size_t most) noexcept {
    const std::size_t count = std::min(most, size());
    // What would waste half of its memory is copied, and the memory used again.
    const bool whole = taken_ == 0 && count == filled_ && count > 0 && count >= capacity_ / 2;
    if (whole && !lent_) return hand_over();
    py_ref copy = bytes_of({count > 0 ? PyBytes_AS_STRING(memory_.get()) + taken_ : "", count});
    if (copy) taken_ += count;
    return copy;
}

py_ref arriving_body::hand_over() noexcept {
    PyObject* whole = memory_.release();
    const std::size_t count = std::exchange(filled_, 0);
    if (std::exchange(capacity_, 0) != count) _PyBytes_Resize(&whole, static_cast<Py_ssize_t>(count));
    return py_ref::steal(whole);
}

void arriving_body::drop_memory() noexcept {
    memory_.reset();
    capacity_ = taken_ = filled_ = 0;
}

}  // namespace unicoro::python
