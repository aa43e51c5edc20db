// SPDX-License-Identifier: MIT
#pragma once

#include "scoreboard/counters.hpp"
#include "scoreboard/scoreboard.hpp"

#include <unicoro/result.hpp>

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::scoreboard {

/// What the master itself counts.
enum class happening : std::size_t {
    worker_started,
    worker_ended,       ///< it was told to, and did
    worker_exited,      ///< of itself, with code 0
    worker_failed,      ///< of itself, with another code
    worker_not_booted,  ///< with code 3 or 4, or it took longer than boot_timeout
    worker_timed_out,   ///< ended for its silence
    worker_too_big,     ///< ended by worker_memory_limit
    worker_starved,     ///< killed by the kernel for want of memory
    worker_signalled,   ///< by any other signal
    reload_completed,
    reload_refused,  ///< its settings are not usable
    reload_failed,   ///< its workers do not boot
    upgrade_completed,
    upgrade_refused,
    monitor_ended,  ///< without being told to
};
inline constexpr std::size_t happenings = static_cast<std::size_t>(happening::monitor_ended) + 1;
using happening_counts = std::array<std::uint64_t, happenings>;

/// A worker, as its master knows it.
struct slot_facts {
    std::uint64_t age = 0;  ///< counts the workers of a master, from 1; 0 = of the program before
    pid_t pid = 0;
    std::uint64_t generation = 0;
    monotonic_ns born = 0;
};

/// A worker with what is believed of what it says.
struct counted_worker {
    std::size_t slot = 0;
    slot_facts facts;
    worker_state state = worker_state::booting;
    std::uint64_t requests = 0;
};

/// Everything counted so far, of workers that have gone as well: none of it ever becomes less.
struct counted {
    std::array<std::uint64_t, counter_words> words{};
    happening_counts happened{};
    std::uint64_t cpu_of_ended = 0;            ///< nanoseconds, of workers that have gone
    std::array<std::string, named_rows> rows;  ///< names; empty = not in use
};

/// What is seen in one look at the tally.
struct sight {
    counted all;
    std::vector<counted_worker> workers;
    monotonic_ns master_beat = 0;  ///< when the master last came round
    monotonic_ns started = 0;
    std::uint64_t generation = 0;
    std::uint64_t wanted = 0;  ///< workers
    bool stopping = false;
};

/// What the master believes of its workers, in memory that it alone can write and its monitor reads. Workers
/// can damage what is in their slots of the scoreboard, so nobody else adds that up: at every look the master
/// takes what a slot says where that can be, a word that has become less or cannot be so great yet is left as
/// it was, and when the worker has gone, what was taken stays in the totals. One writer; readers never wait
/// for it.
class tally {
  public:
    /// Fails with the errno of mmap(2).
    [[nodiscard]] static result<tally> create(std::size_t slots);

    tally(tally&& other) noexcept;
    tally& operator=(tally&&) = delete;
    ~tally();

    // --- master

    /// A worker has come into the slot.
    void begin(std::size_t slot, const slot_facts& facts) noexcept;
    void look(std::size_t slot, const worker_slot& said, monotonic_ns when) noexcept;
    /// It has gone, and has used so much of the CPU.
    void end(std::size_t slot, std::uint64_t cpu_ns) noexcept;
    /// Words that outlive the workers: `happened` counts from the start of this program on.
    void tell(
        const happening_counts& happened, std::uint64_t generation, std::uint64_t wanted, monotonic_ns now
    ) noexcept;
    void tell_stopping() noexcept;

    /// Where the requests of the application mounted there are counted; the first `named_rows` names get rows
    /// of their own, for good.
    [[nodiscard]] std::size_t row_of(std::string_view name) noexcept;

    /// What the program before has counted. Before anything else.
    void resume(const counted& before) noexcept;

    /// The process that was forked cannot change any of it.
    [[nodiscard]] error_code make_read_only() const noexcept;

    // --- anybody who has the memory

    /// Nothing while it is being changed all the time, which takes a master that has died at it.
    [[nodiscard]] std::optional<sight> read() const;

  private:
    struct page;
    struct slot_page;
    class change;

    tally(page* memory, std::size_t slots) noexcept : page_(memory), slots_(slots) {}
    [[nodiscard]] slot_page& at(std::size_t slot) const noexcept;
    [[nodiscard]] static std::size_t bytes(std::size_t slots) noexcept;
    [[nodiscard]] sight copy() const;

    page* page_;
    std::size_t slots_;
    happening_counts happened_before_{};  // in the programs before
};

}  // namespace unicoro::scoreboard
