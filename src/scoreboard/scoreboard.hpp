// SPDX-License-Identifier: MIT
#pragma once

#include <unicoro/result.hpp>

#include <sys/types.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace unicoro::scoreboard {

/// CLOCK_MONOTONIC in nanoseconds: the one clock master and workers share.
using monotonic_ns = std::int64_t;

monotonic_ns monotonic_now() noexcept;

/// What a worker says of itself. Written by the worker, `vacant` and `booting` by the master.
enum class worker_state : std::uint32_t {
    vacant,    ///< no process
    booting,   ///< forked, the application is loading
    ready,     ///< serving
    retiring,  ///< serving, asks for a replacement (max_requests)
    draining,  ///< accepts nothing new, finishes what runs
};

/// One request while it runs. The text is clipped, never terminated by NUL when full.
struct in_flight {
    std::atomic<monotonic_ns> started;  ///< 0 = free
    std::array<char, 12> method;
    std::array<char, 104> target;
};

/// A worker's counters and state. Only that worker writes; everyone reads without a lock.
struct alignas(64) worker_slot {
    std::atomic<pid_t> pid;
    std::atomic<worker_state> state;
    std::atomic<monotonic_ns> heartbeat;  ///< 0 = none yet
    std::atomic<std::uint64_t> requests;
    std::atomic<std::uint32_t> connections;
    std::atomic<std::uint32_t> running;   ///< requests in flight, also those without an entry
    std::atomic<std::uint32_t> entries;   ///< entries ever used: readers look no further
};

/// One anonymous shared mapping with a slot for every worker the master may ever run at once. Made by
/// the master before the first fork and inherited; pages are touched only when used.
class table {
  public:
    /// Fails with the errno of mmap(2).
    [[nodiscard]] static result<table> create(std::size_t slots, std::size_t requests_per_slot);

    table(table&& other) noexcept;
    table& operator=(table&&) = delete;
    ~table();

    [[nodiscard]] std::size_t size() const noexcept { return slots_; }
    [[nodiscard]] worker_slot& slot(std::size_t index) const noexcept;
    [[nodiscard]] std::span<in_flight> requests(std::size_t index) const noexcept;

    /// Master only: clears a slot before the fork of a new worker into it.
    void reset(std::size_t index, worker_state to) const noexcept;

  private:
    table(std::byte* memory, std::size_t slots, std::size_t requests_per_slot) noexcept;

    std::byte* memory_;
    std::size_t slots_;
    std::size_t requests_per_slot_;
};

/// Worker only: hands out entries of its slot's request table, last freed first so that few pages are
/// touched. When the table is full requests run without an entry.
class request_ledger {
  public:
    request_ledger(const table& board, std::size_t index);

    static constexpr std::uint32_t no_entry = UINT32_MAX;

    [[nodiscard]] std::uint32_t open(
        std::string_view method, std::string_view target, monotonic_ns now
    ) noexcept;
    void close(std::uint32_t entry) noexcept;

  private:
    worker_slot& slot_;
    std::span<in_flight> entries_;
    std::array<std::uint32_t, 64> recent_{};  // small stack of free entries
    std::uint32_t recent_count_ = 0;
    std::uint32_t cursor_ = 0;
};

/// Master or tools: calls `visit(entry)` for each request in flight of that slot.
template <class Visit>
void for_each_in_flight(const table& board, std::size_t index, Visit visit) {
    // Not the whole table: reading an untouched page of a shared mapping makes it resident.
    const std::uint32_t used = board.slot(index).entries.load(std::memory_order_acquire);
    for (const in_flight& entry : board.requests(index).first(used)) {
        if (entry.started.load(std::memory_order_acquire) != 0) visit(entry);
    }
}

}  // namespace unicoro::scoreboard
