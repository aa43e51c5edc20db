// SPDX-License-Identifier: MIT
#pragma once

#include "log/append_file.hpp"
#include "log/pipe_writer.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::log {

/// A target of lines: a file opened for append or a standard stream. `write_line` is one write(2),
/// so lines of many threads and processes do not mix. Owns its descriptor, unless it is a standard
/// stream.
class line_file {
  public:
    /// Without `open` it writes to a descriptor that someone else keeps open.
    explicit line_file(int borrowed_fd) noexcept : fd_(borrowed_fd), pipe_(lost_) { follow(); }
    line_file(const line_file&) = delete;
    line_file& operator=(const line_file&) = delete;

    /// Turns to the file at `path`, made absolute first. Returns why it could not be opened.
    [[nodiscard]] std::optional<std::string> open(const std::string& path, file_owner owner);

    /// Opens the same path again; the descriptor keeps its number. A standard stream stays as it
    /// is.
    [[nodiscard]] std::optional<std::string> reopen();

    /// Turns to a file that somebody else has opened at the same path. False with errno set.
    [[nodiscard]] bool replace(int fd) noexcept;

    [[nodiscard]] int descriptor() const noexcept { return fd_; }
    [[nodiscard]] bool is_file() const noexcept { return !path_.empty(); }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    /// The descriptor has become another file under the same number, or the process another.
    void follow() noexcept { pipe_.follow(fd_); }
    /// What it has opened for this process alone; -1 = nothing.
    [[nodiscard]] int own_descriptor() const noexcept { return pipe_.own(); }

    /// Writes a line, newline included. False when it is lost: full disk, closed pipe, a reader who has
    /// stopped to read. The target counts what it lost. Any thread.
    bool write_line(std::string_view line) noexcept;

    /// Writes what a slow reader has left waiting, as far as it goes; true when that was the last of it.
    bool flush() noexcept { return pipe_.flush(); }
    /// What was given to `write_line` is written, or lost.
    [[nodiscard]] bool settled() const noexcept { return !pipe_.keeps(); }

    /// How many lines were lost since the last call, and the errno of the last of them.
    struct loss {
        std::uint64_t lines = 0;
        int error = 0;
    };
    [[nodiscard]] loss take_loss() noexcept;
    [[nodiscard]] int last_error() const noexcept { return lost_.error; }

  private:
    bool write_out(std::string_view line) noexcept;

    int fd_;
    base::unique_fd owned_;
    std::string path_;
    file_owner owner_;
    std::atomic<bool> torn_{false};  ///< the last line is there without its end
    loss_count lost_;
    pipe_writer pipe_;
};

}  // namespace unicoro::log
