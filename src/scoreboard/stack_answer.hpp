// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::scoreboard {

/// Where the monitor asks all workers at once for the stacks of their requests. Of the table, which lives as
/// long as the master: workers that come later look at it, too, and none of them can write it.
class stack_question {
  public:
    /// Monitor only. The number of the question, never 0.
    std::uint32_t ask() noexcept;

    /// The last one; 0 = there was none.
    [[nodiscard]] std::uint32_t last() const noexcept { return number_.load(std::memory_order_acquire); }

    /// Holds the thread until there is another than `seen`, or for less: `wake` ends it, and so may nothing.
    void wait_for_other(std::uint32_t seen) const noexcept;
    void wake() const noexcept;

  private:
    std::atomic<std::uint32_t> number_;
};

/// Where a worker answers, part of its slot. As of all of that, who reads it believes nothing.
class stack_answer {
  public:
    static constexpr std::size_t most_bytes = std::size_t{128} * 1024 - 16;

    /// Worker only: whether somebody answers here.
    void is_there(bool answering) noexcept {
        answers_.store(answering ? somebody : 0, std::memory_order_release);
    }
    [[nodiscard]] bool answers() const noexcept {
        return answers_.load(std::memory_order_acquire) == somebody;
    }

    /// Worker only, from one thread: `text` is clipped.
    void give(std::uint32_t question, std::string_view text) noexcept;

    /// What was answered to `question` or a later one, `last` at most. Nothing while that is not there.
    [[nodiscard]] std::optional<std::string> read(std::uint32_t question, std::uint32_t last) const;

  private:
    static constexpr std::uint32_t somebody = 0xa15b'3e77;

    std::atomic<std::uint32_t> answers_;
    std::atomic<std::uint32_t> question_;  // 0 = the text is being written
    std::atomic<std::uint32_t> length_;
    std::array<char, most_bytes> text_;
};

}  // namespace unicoro::scoreboard
