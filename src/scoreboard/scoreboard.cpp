// SPDX-License-Identifier: MIT
#include "scoreboard/scoreboard.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <new>
#include <utility>

namespace unicoro::scoreboard {
namespace {

constexpr std::size_t page_size = 4096;

constexpr std::size_t round_to_pages(std::size_t bytes) noexcept {
    return (bytes + page_size - 1) / page_size * page_size;
}

// The slot's counters and its request table are one block of whole pages, so that workers on
// different cores never share a page.
std::size_t stride(std::size_t requests_per_slot) noexcept {
    return round_to_pages(sizeof(worker_slot) + requests_per_slot * sizeof(in_flight));
}

template <std::size_t Size>
void copy_clipped(std::array<char, Size>& to, std::string_view from) noexcept {
    const std::size_t length = std::min(from.size(), Size);
    std::memcpy(to.data(), from.data(), length);
    if (length < Size) to[length] = '\0';
}

}  // namespace

monotonic_ns monotonic_now() noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

result<table> table::create(std::size_t slots, std::size_t requests_per_slot) {
    const std::size_t bytes = slots * stride(requests_per_slot);
    void* memory = mmap(
        nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0
    );
    if (memory == MAP_FAILED) return error_code(errno, boost::system::system_category());
    return table(static_cast<std::byte*>(memory), slots, requests_per_slot);
}

table::table(std::byte* memory, std::size_t slots, std::size_t requests_per_slot) noexcept
    : memory_(memory), slots_(slots), requests_per_slot_(requests_per_slot) {}

table::table(table&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)),
      slots_(other.slots_),
      requests_per_slot_(other.requests_per_slot_) {}

table::~table() {
    if (memory_ != nullptr) munmap(memory_, slots_ * stride(requests_per_slot_));
}

worker_slot& table::slot(std::size_t index) const noexcept {
    return *reinterpret_cast<worker_slot*>(memory_ + index * stride(requests_per_slot_));
}

std::span<in_flight> table::requests(std::size_t index) const noexcept {
    std::byte* first = memory_ + index * stride(requests_per_slot_) + sizeof(worker_slot);
    return {reinterpret_cast<in_flight*>(first), requests_per_slot_};
}

void table::reset(std::size_t index, worker_state to) const noexcept {
    worker_slot& target = slot(index);
    const std::uint32_t used = target.entries.load();
    for (in_flight& entry : requests(index).first(used)) entry.started.store(0);
    target.pid.store(0);
    target.heartbeat.store(0);
    target.requests.store(0);
    target.connections.store(0);
    target.running.store(0);
    target.entries.store(0);
    target.state.store(to);
}

request_ledger::request_ledger(const table& board, std::size_t index)
    : slot_(board.slot(index)), entries_(board.requests(index)) {}

std::uint32_t request_ledger::open(
    std::string_view method, std::string_view target, monotonic_ns now
) noexcept {
    slot_.running.store(slot_.running.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    std::uint32_t index = no_entry;
    if (recent_count_ > 0) {
        index = recent_[--recent_count_];
    } else {
        // Entries freed while the small stack was full are found again by walking the table.
        for (std::size_t step = 0; step < entries_.size(); ++step) {
            cursor_ = cursor_ + 1 < entries_.size() ? cursor_ + 1 : 0;
            if (entries_[cursor_].started.load(std::memory_order_relaxed) == 0) {
                index = cursor_;
                break;
            }
        }
        if (index == no_entry) return no_entry;
    }
    if (slot_.entries.load(std::memory_order_relaxed) <= index) {
        slot_.entries.store(index + 1, std::memory_order_release);
    }
    in_flight& entry = entries_[index];
    copy_clipped(entry.method, method);
    copy_clipped(entry.target, target);
    entry.started.store(now, std::memory_order_release);
    return index;
}

void request_ledger::close(std::uint32_t entry) noexcept {
    slot_.running.store(slot_.running.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
    if (entry == no_entry) return;
    entries_[entry].started.store(0, std::memory_order_release);
    if (recent_count_ < recent_.size()) recent_[recent_count_++] = entry;
}

}  // namespace unicoro::scoreboard
