// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.hpp"

#include <termios.h>

#include <csignal>
#include <cstddef>
#include <optional>
#include <string_view>

namespace unicoro::cli {

/// The signals that end a program or change its window, as something to be read; blocked from here on.
class signal_reader {
  public:
    signal_reader() noexcept;
    signal_reader(const signal_reader&) = delete;
    signal_reader& operator=(const signal_reader&) = delete;
    /// What has come is delivered then.
    ~signal_reader();

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    /// The next that has come; 0 = none.
    [[nodiscard]] int take() noexcept;
    /// Has `number` do what it does by itself: end or stop this process. Comes back from a stop.
    void deliver(int number) noexcept;

  private:
    sigset_t before_{};
    base::unique_fd fd_;
};

/// The terminal of standard input and output as a full-screen view wants it: keys come at once and are not
/// echoed, a screen of its own, no cursor. As it was at the end.
class full_screen {
  public:
    full_screen() noexcept;
    full_screen(const full_screen&) = delete;
    full_screen& operator=(const full_screen&) = delete;
    ~full_screen();

    void enter() noexcept;
    void leave() noexcept;
    /// Whether keys can be read from standard input.
    [[nodiscard]] bool has_keys() const noexcept { return saved_.has_value(); }

  private:
    std::optional<termios> saved_;
    bool entered_ = false;
};

struct window_size {
    std::size_t rows = 24;
    std::size_t columns = 80;
};
[[nodiscard]] window_size size_of_terminal() noexcept;

/// All of it to standard output; false when nobody reads there any more.
[[nodiscard]] bool write_out(std::string_view text) noexcept;

}  // namespace unicoro::cli
