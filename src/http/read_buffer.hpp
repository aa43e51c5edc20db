// SPDX-License-Identifier: MIT
#pragma once

#include "base/poison.hpp"

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace unicoro::http {

/// Bytes received and not yet used. The head of the running request is pinned at the front while its
/// views are in use; what follows it is body, then perhaps the next request (pipelining).
class read_buffer {
  public:
    static constexpr std::size_t usual_size = 16 * 1024;

    read_buffer() : bytes_(std::make_unique_for_overwrite<char[]>(usual_size)), capacity_(usual_size) {}

    [[nodiscard]] std::string_view unread() const noexcept { return {bytes_.get() + begin_, end_ - begin_}; }
    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
    [[nodiscard]] std::span<char> space() noexcept {
        base::unpoison(bytes_.get() + end_, capacity_ - end_);
        return {bytes_.get() + end_, capacity_ - end_};
    }

    void received(std::size_t count) noexcept { end_ += count; }
    void use(std::size_t count) noexcept { begin_ += count; }

    /// Keeps what was used so far in place until `unpin`.
    void pin() noexcept { pinned_ = begin_; }

    /// The request is over: what is unread moves to the front.
    void unpin() noexcept {
        pinned_ = 0;
        [[maybe_unused]] const bool room = compact();
    }

    /// Makes room behind the pinned part; false when there is none to make.
    [[nodiscard]] bool compact() noexcept {
        if (begin_ != pinned_) {
            std::memmove(bytes_.get() + pinned_, bytes_.get() + begin_, end_ - begin_);
            end_ -= begin_ - pinned_;
            begin_ = pinned_;
        }
        return end_ < capacity_;
    }

    /// Doubles the capacity; only while nothing is pinned, because it moves the bytes.
    void grow() {
        auto larger = std::make_unique_for_overwrite<char[]>(capacity_ * 2);
        std::memcpy(larger.get(), bytes_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
        bytes_ = std::move(larger);
        capacity_ *= 2;
    }

    /// Forgets everything and gives back what an unusually large head took.
    void clear() {
        begin_ = end_ = pinned_ = 0;
        if (capacity_ > usual_size) {
            bytes_ = std::make_unique_for_overwrite<char[]>(usual_size);
            capacity_ = usual_size;
        }
        base::poison(bytes_.get(), capacity_);
    }

  private:
    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t pinned_ = 0;
};

}  // namespace unicoro::http
