// SPDX-License-Identifier: MIT
#pragma once

#include "monitor/picture.hpp"

#include <unicoro/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unicoro::monitor {

/// What a worker says of one request: nothing of it is believed but that it is text.
struct stack_view {
    struct call {
        std::string file;
        std::string line;
        std::string function;
        std::string code;
    };
    std::string kind;  ///< as app::code_seen
    bool running = false;
    std::vector<call> calls;  ///< the innermost last
};

/// Of one worker.
struct worker_stacks {
    enum class answer : std::uint8_t {
        whole,
        clipped,  ///< more than there is room for
        none,     ///< in time
        mute,     ///< it has nobody to answer: it runs no Python, or does not serve yet or any more
    };
    std::size_t slot = 0;
    pid_t pid = 0;
    std::uint64_t number = 0;
    answer how = answer::none;
    /// By the request's place in the table and when it began.
    std::map<std::pair<std::uint32_t, scoreboard::monotonic_ns>, stack_view> stacks;
};

/// What a worker answered. Lines that are none are passed over.
void read_stacks(std::string_view answer, worker_stacks& into);

/// Asks the workers for the stacks of what they run, and waits for a second at most. Several askers share a
/// question, and from one to the next passes a quarter of a second, so that who asks all the time costs the
/// workers no more than that. Of the monitor's one thread.
class stack_asker {
  public:
    /// It outlives this.
    explicit stack_asker(observer& eyes) : eyes_(eyes) {}

    static constexpr std::chrono::milliseconds patience{1000};

    /// All workers, or that one. Ends when it is cancelled.
    [[nodiscard]] awaitable<std::vector<worker_stacks>> ask(std::optional<pid_t> only);

    /// When the last question was asked.
    [[nodiscard]] scoreboard::monotonic_ns asked() const noexcept { return asked_; }

  private:
    [[nodiscard]] awaitable<void> put_question();

    observer& eyes_;
    std::uint32_t question_ = 0;
    scoreboard::monotonic_ns asked_ = 0;
};

}  // namespace unicoro::monitor
