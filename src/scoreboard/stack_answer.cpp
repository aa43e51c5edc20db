// SPDX-License-Identifier: MIT
#include "scoreboard/stack_answer.hpp"

#include "os/futex.hpp"

#include <algorithm>
#include <cstring>

namespace unicoro::scoreboard {

std::uint32_t stack_question::ask() noexcept {
    std::uint32_t number = number_.fetch_add(1, std::memory_order_acq_rel) + 1;
    if (number == 0) number = number_.fetch_add(1, std::memory_order_acq_rel) + 1;
    os::wake_waiting(number_);
    return number;
}

void stack_question::wait_for_other(std::uint32_t seen) const noexcept {
    os::wait_for_change(number_, seen);
}

void stack_question::wake() const noexcept {
    os::wake_waiting(number_);
}

void stack_answer::give(std::uint32_t question, std::string_view text) noexcept {
    question_.store(0, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    const std::size_t length = std::min(text.size(), most_bytes);
    std::memcpy(text_.data(), text.data(), length);
    length_.store(static_cast<std::uint32_t>(length), std::memory_order_relaxed);
    question_.store(question, std::memory_order_release);
}

std::optional<std::string> stack_answer::read(std::uint32_t question, std::uint32_t last) const {
    const std::uint32_t said = question_.load(std::memory_order_acquire);
    // Numbers go round.
    if (said == 0 || said - question > last - question) return std::nullopt;
    const std::size_t length = std::min<std::size_t>(length_.load(std::memory_order_relaxed), most_bytes);
    std::string text(text_.data(), length);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (question_.load(std::memory_order_relaxed) != said) return std::nullopt;
    return text;
}

}  // namespace unicoro::scoreboard
