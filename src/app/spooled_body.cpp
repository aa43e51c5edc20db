// SPDX-License-Identifier: MIT
#include "app/spooled_body.hpp"

#include "os/failure.hpp"
#include "os/temporary_file.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

namespace unicoro::app {
namespace {

constexpr std::size_t first_piece = 16 * 1024;
constexpr std::size_t file_piece = 64 * 1024;

}  // namespace

spooled_body::spooled_body(spooled_body&& other) noexcept
    : bound_(other.bound_),
      memory_(std::move(other.memory_)),
      capacity_(std::exchange(other.capacity_, 0)),
      used_(std::exchange(other.used_, 0)),
      size_(std::exchange(other.size_, 0)),
      file_(std::move(other.file_)),
      mapping_(std::exchange(other.mapping_, nullptr)) {}

spooled_body& spooled_body::operator=(spooled_body&& other) noexcept {
    spooled_body taken(std::move(other));
    std::swap(bound_, taken.bound_);
    std::swap(memory_, taken.memory_);
    std::swap(capacity_, taken.capacity_);
    std::swap(used_, taken.used_);
    std::swap(size_, taken.size_);
    std::swap(file_, taken.file_);
    std::swap(mapping_, taken.mapping_);
    return *this;
}

spooled_body::~spooled_body() {
    if (mapping_ != nullptr) ::munmap(mapping_, size_);
}

awaitable<error_code> spooled_body::fill(exchange& request) {
    const std::uint64_t announced = request.head().content_length;
    for (;;) {
        if (file_ ? used_ == capacity_ : used_ > bound_) {
            const error_code failed = file_ ? flush() : spill();
            if (failed) co_return failed;
        }
        if (used_ == capacity_) make_room(used_ + 1, announced);
        const std::span<char> into(memory_.get() + used_, capacity_ - used_);
        const result<std::size_t> got = co_await request.read_body(into);
        if (!got) co_return got.error();
        if (*got == 0) break;
        used_ += *got;
        size_ += *got;
    }
    if (!file_) co_return error_code{};
    const error_code failed = flush();
    memory_.reset();
    capacity_ = 0;
    co_return failed;
}

// Grows by doubling from a small piece, whatever length was announced: a client must send bytes to
// make the server allocate some. One byte more than announced, so that the end needs no new room.
void spooled_body::make_room(std::size_t wanted, std::uint64_t announced) {
    std::size_t capacity = std::max(first_piece, capacity_ * 2);
    if (announced > 0 && announced < capacity) {
        capacity = std::max(wanted, static_cast<std::size_t>(announced) + 1);
    }
    // One byte beyond the bound shows that there is more than it allows.
    capacity = std::min(capacity, bound_ + 1);
    std::unique_ptr<char[]> grown = std::make_unique_for_overwrite<char[]>(capacity);
    if (used_ > 0) std::memcpy(grown.get(), memory_.get(), used_);
    memory_ = std::move(grown);
    capacity_ = capacity;
}

error_code spooled_body::spill() {
    result<os::unique_fd> opened = os::open_temporary_file();
    if (!opened) return opened.error();
    file_ = std::move(*opened);
    const error_code failed = flush();
    if (failed) return failed;
    if (capacity_ < file_piece) {
        memory_ = std::make_unique_for_overwrite<char[]>(file_piece);
        capacity_ = file_piece;
    }
    return {};
}

error_code spooled_body::flush() {
    std::size_t done = 0;
    while (done < used_) {
        const ssize_t n = ::write(file_.get(), memory_.get() + done, used_ - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os::last_error();
        done += static_cast<std::size_t>(n);
    }
    used_ = 0;
    return {};
}

result<std::string_view> spooled_body::view() {
    if (!file_) return std::string_view(memory_.get(), used_);
    if (mapping_ == nullptr && size_ > 0) {
        void* const mapped = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file_.get(), 0);
        if (mapped == MAP_FAILED) return os::last_error();
        ::madvise(mapped, size_, MADV_SEQUENTIAL);
        mapping_ = mapped;
    }
    return std::string_view(static_cast<const char*>(mapping_), size_);
}

}  // namespace unicoro::app
