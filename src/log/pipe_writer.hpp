// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.hpp"
#include "log/process_lock.hpp"

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace unicoro::log {

/// How many lines were lost, and the errno of the last of them.
struct loss_count {
    std::atomic<std::uint64_t> lines{0};
    std::atomic<int> error{0};

    void add(std::uint64_t lost, int why) noexcept {
        error = why;
        lines += lost;
    }
};

/// Writes lines to a pipe or a stream socket and never waits for who reads it: what finds no room is kept, up
/// to a bound, and goes out first the next time; beyond the bound lines are lost, and counted. Does not touch
/// O_NONBLOCK of the descriptor it was given, which other processes share: a pipe it opens for itself once
/// more. Both are the process's own: in a child nothing is kept, for the parent writes it, and until it
/// follows anew it writes to what was given, whatever has become of the number of the other. Any thread; a
/// fork at any moment leaves nothing locked.
class pipe_writer {
  public:
    explicit pipe_writer(loss_count& lost) noexcept : lost_(lost) {}
    pipe_writer(const pipe_writer&) = delete;
    pipe_writer& operator=(const pipe_writer&) = delete;

    /// Turns to this descriptor, which stays open, or is replaced under its number and followed again.
    void follow(int fd) noexcept;
    /// It is a pipe or a stream socket: lines go through here.
    [[nodiscard]] bool takes() const noexcept { return kind_.load() != kind::other; }

    /// False when the line is lost.
    bool write(std::string_view line) noexcept;
    /// Writes what is kept, as far as there is room. True when that was the last of it.
    bool flush() noexcept;
    [[nodiscard]] bool keeps() const noexcept { return kept_.load() > 0; }

    /// What it has opened for itself; -1 = nothing.
    [[nodiscard]] int own() const noexcept { return own_.get(); }

  private:
    enum class kind : char { other, own_pipe, shared_pipe, socket };
    class lock;

    [[nodiscard]] ssize_t put(std::string_view bytes) noexcept;
    void write_kept() noexcept;
    bool keep(std::string_view bytes) noexcept;
    [[nodiscard]] std::string_view whole_lines() const noexcept;

    loss_count& lost_;
    std::atomic<kind> kind_{kind::other};
    int given_ = -1;
    base::unique_fd own_;  // the same pipe, opened once more
    process_lock::holder holder_{0};
    std::atomic<std::size_t> kept_{0};
    pid_t keeper_ = 0;  // the process that followed, and whose lines are kept
    std::unique_ptr<char[]> buffer_;
    bool torn_ = false;  // the rest of the last line is lost
};

}  // namespace unicoro::log
