// SPDX-License-Identifier: MIT
#pragma once

#include "scoreboard/counters.hpp"
#include "scoreboard/load_board.hpp"
#include "scoreboard/stack_answer.hpp"

#include <unicoro/result.hpp>

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::scoreboard {

/// CLOCK_MONOTONIC in nanoseconds: the one clock master and workers share.
using monotonic_ns = std::int64_t;

monotonic_ns monotonic_now() noexcept;

/// What a worker says of itself. Written by the worker, `vacant` and `booting` by the master. The
/// numbers are such as a worker that writes where it should not hardly ever hits.
enum class worker_state : std::uint32_t {
    vacant = 0,              ///< no process
    booting = 0xb007'1d65,   ///< forked, the application is loading
    ready = 0x5e7f'a9c3,     ///< serving
    retiring = 0x8e71'4e3b,  ///< serving, asks for a replacement (max_requests)
    draining = 0xd4a1'2c97,  ///< accepts nothing new, finishes what runs
};

/// False for what no worker writes on purpose.
[[nodiscard]] bool is_known(worker_state state) noexcept;

/// How far a request has come.
enum class request_stage : std::uint32_t {
    application,  ///< and what is before it, when nothing waits
    queued,       ///< waits for its place (max_concurrent_requests)
    sending,      ///< the application is done with it
    websocket,    ///< became one
};

/// One request while it runs. The text is clipped, never terminated by NUL when full.
struct in_flight {
    std::atomic<monotonic_ns> started;  ///< 0 = free
    std::atomic<request_stage> stage;
    std::array<char, 12> method;
    std::array<char, 104> target;
};

/// A worker's counters and state. Of workers only this one can write, and it may write anything: who reads
/// for another process believes no value that it has not checked.
struct alignas(64) worker_slot {
    std::atomic<pid_t> pid;
    std::atomic<worker_state> state;
    std::atomic<monotonic_ns> heartbeat;  ///< 0 = none yet
    std::atomic<std::uint64_t> requests;
    std::atomic<std::uint32_t> connections;
    std::atomic<std::uint32_t> running;  ///< requests in flight, also those without an entry
    std::atomic<std::uint32_t> entries;  ///< entries ever used: readers look no further
    std::atomic<std::uint32_t> queued;   ///< of those in flight, who wait for their place
    std::atomic<std::uint32_t> websockets;
    std::atomic<std::uint32_t> places;  ///< requests that it can have in work at once; 0 = not known yet
    std::atomic<bool> server_stops;     ///< written by the master: the server was told to end
    words counts;
};

/// A slot for every worker the master may ever run at once. Each is a shared mapping of its own, made
/// anew for each worker, so that a worker reaches its own slot alone, and what a dead worker's children
/// still hold is nobody's slot any more. Beside them the board of loads, which all of them reach, and the
/// question for stacks, which they can read. Made by the master before the first fork; address space is
/// reserved for all slots, pages are touched only when used.
class table {
  public:
    /// Fails with the errno of mmap(2).
    [[nodiscard]] static result<table> create(std::size_t slots, std::size_t requests_per_slot);

    table(table&& other) noexcept;
    table& operator=(table&&) = delete;
    ~table();

    [[nodiscard]] std::size_t size() const noexcept { return slots_; }

    /// Of a slot that was opened: the memory of others must not be touched.
    [[nodiscard]] worker_slot& slot(std::size_t index) const noexcept;
    [[nodiscard]] std::span<in_flight> requests(std::size_t index) const noexcept;

    [[nodiscard]] stack_answer& answer(std::size_t index) const noexcept;

    [[nodiscard]] load_board loads() const noexcept;
    [[nodiscard]] stack_question& question() const noexcept;

    /// Master only, before the fork of a new worker into the slot: fresh memory, all zero but the
    /// state, and no load. Fails with the errno of mmap(2).
    [[nodiscard]] error_code open(std::size_t index, worker_state to) const noexcept;

    /// Master only: its worker has gone.
    void vacate(std::size_t index) const noexcept;

    /// Worker only, after the fork: from now on this process can reach no slot but this one.
    [[nodiscard]] error_code keep_only(std::size_t index) const noexcept;

  private:
    table(std::byte* memory, std::size_t slots, std::size_t requests_per_slot) noexcept;

    [[nodiscard]] std::byte* first_slot() const noexcept;
    [[nodiscard]] std::size_t bytes() const noexcept;

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
    void is_now(std::uint32_t entry, request_stage stage) noexcept {
        if (entry != no_entry) entries_[entry].stage.store(stage, std::memory_order_relaxed);
    }

  private:
    worker_slot& slot_;
    std::span<in_flight> entries_;
    std::array<std::uint32_t, 64> recent_{};  // small stack of free entries
    std::uint32_t recent_count_ = 0;
    std::uint32_t cursor_ = 0;
};

/// A request that a worker says it runs: a copy, which the worker cannot change any more. The text may
/// hold any byte.
struct running_request {
    monotonic_ns started;  ///< in the past
    std::string method;
    std::string target;
    request_stage stage = request_stage::application;
    std::uint32_t entry = 0;  ///< its place in the table; with `started` it is no other request's
};

/// What a slot says of the requests in its worker, as far as that can be.
struct running_requests {
    std::vector<running_request> listed;  ///< longest first
    std::size_t unlisted = 0;             ///< those beyond the size of the table
};

/// Master or tools: reads a slot at the moment `now`. Entries that cannot be are left out.
[[nodiscard]] running_requests read_requests(const table& board, std::size_t index, monotonic_ns now);

}  // namespace unicoro::scoreboard
