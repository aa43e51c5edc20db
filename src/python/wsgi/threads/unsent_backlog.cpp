// SPDX-License-Identifier: MIT
#include "python/wsgi/threads/unsent_backlog.hpp"

#include "os/failure.hpp"
#include "os/temporary_file.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace unicoro::python {
namespace {

constexpr std::size_t taken_at_once = 256 * 1024;
constexpr std::size_t least_block = 16 * 1024;

}  // namespace

bool unsent_backlog::add(std::string_view piece) {
    if (written_ > taken_ || kept_ >= most_in_memory) return add_to_file(piece);
    add_to_memory(piece);
    return true;
}

void unsent_backlog::add_to_memory(std::string_view piece) {
    const bool fits =
        next_ < blocks_.size() && blocks_.back().capacity() - blocks_.back().size() >= piece.size();
    if (!fits) {
        const std::size_t size = std::clamp(kept_, least_block, taken_at_once);
        blocks_.emplace_back().reserve(std::max(size, piece.size()));
    }
    blocks_.back().append(piece);
    kept_ += piece.size();
}

bool unsent_backlog::add_to_file(std::string_view piece) {
    if (written_ - taken_ >= most_in_file) return false;
    if (file_.get() < 0) {
        result<os::unique_fd> opened = os::open_temporary_file();
        if (!opened) return false;
        file_ = std::move(*opened);
    }
    // Counted when it is whole: what fails in between is written once more, to the same place.
    std::size_t done = 0;
    while (done < piece.size()) {
        const ssize_t count = ::pwrite(
            file_.get(), piece.data() + done, piece.size() - done, static_cast<off_t>(written_ + done)
        );
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        done += static_cast<std::size_t>(count);
    }
    written_ += piece.size();
    return true;
}

error_code unsent_backlog::take(std::string& into) {
    into.clear();
    if (next_ < blocks_.size()) {
        into = std::move(blocks_[next_++]);
        kept_ -= into.size();
        if (next_ == blocks_.size()) {
            blocks_.clear();
            next_ = 0;
        }
        return {};
    }
    if (written_ == taken_) return {};
    into.resize(std::min<std::uint64_t>(written_ - taken_, taken_at_once));
    ssize_t count = -1;
    do {
        count = ::pread(file_.get(), into.data(), into.size(), static_cast<off_t>(taken_));
    } while (count < 0 && errno == EINTR);
    if (count <= 0) return count < 0 ? os::last_error() : os::system_error(EIO);
    into.resize(static_cast<std::size_t>(count));
    taken_ += static_cast<std::uint64_t>(count);
    if (taken_ == written_) {
        taken_ = written_ = 0;
        [[maybe_unused]] const int emptied = ::ftruncate(file_.get(), 0);
    }
    return {};
}

}  // namespace unicoro::python
