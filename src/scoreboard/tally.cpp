// SPDX-License-Identifier: MIT
#include "scoreboard/tally.hpp"

#include "os/forks.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace unicoro::scoreboard {
namespace {

using word = std::atomic<std::uint64_t>;

constexpr std::size_t name_words = 8;
constexpr auto relaxed = std::memory_order_relaxed;

// What a worker cannot have counted in a second of its life: more is damage. Of sums, nanoseconds of as many
// requests as can run at once, and bytes of a network that is yet to come.
constexpr std::uint64_t most_in_a_second = 5'000'000;
constexpr std::uint64_t most_of_sum_in_a_second = 100'000'000'000'000;

// Wherever damage leads, nothing wraps.
constexpr std::uint64_t greatest = std::uint64_t{1} << 62;

// Readers of what is changed at the moment; a change takes microseconds.
constexpr int attempts = 1000;

std::uint64_t value_of(const word& from) noexcept {
    return from.load(relaxed);
}

void store(word& to, std::uint64_t value) noexcept {
    to.store(value, relaxed);
}

void add(word& to, std::uint64_t value) noexcept {
    store(to, std::min(value_of(to) + value, greatest));
}

}  // namespace

struct tally::page {
    word sequence;  // odd while the rest is changed
    word beat;
    word started;
    word generation;
    word wanted;
    word stopping;
    word used;  // slots ever used
    word cpu_of_ended;
    std::array<word, happenings> happened;
    std::array<std::array<word, name_words>, named_rows> names;
    std::array<word, counter_words> totals;
};

struct tally::slot_page {
    word age;
    word pid;  // 0 = nobody
    word generation;
    word born;
    word state;
    std::array<word, counter_words> taken;
};

/// The reader's side of it: H. Boehm, "Can seqlocks get along with programming language memory models?"
class tally::change {
  public:
    explicit change(page& of) noexcept : sequence_(of.sequence) {
        sequence_.store(value_of(sequence_) + 1, relaxed);
        std::atomic_thread_fence(std::memory_order_release);
    }
    change(const change&) = delete;
    change& operator=(const change&) = delete;
    ~change() { sequence_.store(value_of(sequence_) + 1, std::memory_order_release); }

  private:
    word& sequence_;
};

std::size_t tally::bytes(std::size_t slots) noexcept {
    return sizeof(page) + slots * sizeof(slot_page);
}

tally::slot_page& tally::at(std::size_t slot) const noexcept {
    return *(reinterpret_cast<slot_page*>(page_ + 1) + slot);
}

result<tally> tally::create(std::size_t slots) {
    const int how = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE;
    void* const memory = mmap(nullptr, bytes(slots), PROT_READ | PROT_WRITE, how, -1, 0);
    if (memory == MAP_FAILED) return error_code(errno, boost::system::system_category());
    os::withhold_memory(memory, bytes(slots));
    tally made(static_cast<page*>(memory), slots);
    const auto now = static_cast<std::uint64_t>(monotonic_now());
    store(made.page_->started, now);
    store(made.page_->beat, now);
    return made;
}

tally::tally(tally&& other) noexcept
    : page_(std::exchange(other.page_, nullptr)),
      slots_(other.slots_),
      happened_before_(other.happened_before_) {}

tally::~tally() {
    if (page_ == nullptr) return;
    os::forget_memory(page_);
    munmap(page_, bytes(slots_));
}

void tally::begin(std::size_t slot, const slot_facts& facts) noexcept {
    const change now(*page_);
    slot_page& of = at(slot);
    store(of.age, facts.age);
    store(of.pid, static_cast<std::uint64_t>(facts.pid));
    store(of.generation, facts.generation);
    store(of.born, static_cast<std::uint64_t>(facts.born));
    store(of.state, static_cast<std::uint64_t>(worker_state::booting));
    for (word& each : of.taken) store(each, 0);
    store(page_->used, std::max(value_of(page_->used), std::uint64_t{slot} + 1));
}

void tally::look(std::size_t slot, const worker_slot& said, monotonic_ns when) noexcept {
    slot_page& of = at(slot);
    if (value_of(of.pid) == 0) return;
    const change now(*page_);
    if (const worker_state state = said.state.load(relaxed); is_known(state)) {
        store(of.state, static_cast<std::uint64_t>(state));
    }
    const auto lived = static_cast<std::uint64_t>(std::max<monotonic_ns>(when, 0)) - value_of(of.born);
    const std::uint64_t seconds = lived / 1'000'000'000 + 1;
    for (std::size_t place = 0; place < counter_words; ++place) {
        const std::uint64_t after = value_of(said.counts[place]);
        const std::uint64_t rate = is_sum(place) ? most_of_sum_in_a_second : most_in_a_second;
        const bool can_be = after <= greatest && after / rate <= seconds;
        if (can_be && after > value_of(of.taken[place])) store(of.taken[place], after);
    }
}

void tally::end(std::size_t slot, std::uint64_t cpu_ns) noexcept {
    slot_page& of = at(slot);
    if (value_of(of.pid) == 0) return;
    const change now(*page_);
    for (std::size_t place = 0; place < counter_words; ++place) {
        add(page_->totals[place], value_of(of.taken[place]));
        store(of.taken[place], 0);
    }
    add(page_->cpu_of_ended, cpu_ns);
    store(of.pid, 0);
    store(of.age, 0);
}

void tally::tell(
    const happening_counts& happened, std::uint64_t generation, std::uint64_t wanted, monotonic_ns now
) noexcept {
    const change begun(*page_);
    for (std::size_t each = 0; each < happenings; ++each) {
        store(page_->happened[each], happened_before_[each] + happened[each]);
    }
    store(page_->generation, generation);
    store(page_->wanted, wanted);
    store(page_->beat, static_cast<std::uint64_t>(now));
}

void tally::tell_stopping() noexcept {
    const change now(*page_);
    store(page_->stopping, 1);
}

std::size_t tally::row_of(std::string_view name) noexcept {
    std::array<std::uint64_t, name_words> wanted{};
    std::memcpy(wanted.data(), name.data(), std::min(name.size(), sizeof wanted));
    for (std::size_t row = 0; row < named_rows; ++row) {
        auto& known = page_->names[row];
        const bool same = std::ranges::equal(known, wanted, {}, value_of);
        if (same) return row + 1;
        if (value_of(known[0]) != 0) continue;
        const change now(*page_);
        for (std::size_t part = 0; part < name_words; ++part) store(known[part], wanted[part]);
        return row + 1;
    }
    return row_of_others;
}

void tally::resume(const counted& before) noexcept {
    for (const std::string& name : before.rows) {
        if (!name.empty()) (void)row_of(name);
    }
    const change now(*page_);
    for (std::size_t place = 0; place < counter_words; ++place) {
        store(page_->totals[place], std::min(before.words[place], greatest));
    }
    store(page_->cpu_of_ended, std::min(before.cpu_of_ended, greatest));
    happened_before_ = before.happened;
}

error_code tally::make_read_only() const noexcept {
    if (mprotect(page_, bytes(slots_), PROT_READ) == 0) return {};
    return {errno, boost::system::system_category()};
}

sight tally::copy() const {
    sight seen;
    seen.master_beat = static_cast<monotonic_ns>(value_of(page_->beat));
    seen.started = static_cast<monotonic_ns>(value_of(page_->started));
    seen.generation = value_of(page_->generation);
    seen.wanted = value_of(page_->wanted);
    seen.stopping = value_of(page_->stopping) != 0;
    counted& all = seen.all;
    all.cpu_of_ended = value_of(page_->cpu_of_ended);
    for (std::size_t each = 0; each < happenings; ++each)
        all.happened[each] = value_of(page_->happened[each]);
    for (std::size_t place = 0; place < counter_words; ++place)
        all.words[place] = value_of(page_->totals[place]);
    for (std::size_t row = 0; row < named_rows; ++row) {
        std::array<std::uint64_t, name_words> name{};
        std::ranges::transform(page_->names[row], name.begin(), value_of);
        const auto* const text = reinterpret_cast<const char*>(name.data());
        all.rows[row].assign(text, strnlen(text, sizeof name));
    }
    const std::size_t used = std::min<std::size_t>(value_of(page_->used), slots_);
    for (std::size_t slot = 0; slot < used; ++slot) {
        const slot_page& of = at(slot);
        const auto pid = static_cast<pid_t>(value_of(of.pid));
        if (pid == 0) continue;
        counted_worker worker;
        worker.slot = slot;
        worker.facts = {
            value_of(of.age), pid, value_of(of.generation), static_cast<monotonic_ns>(value_of(of.born))
        };
        worker.state = static_cast<worker_state>(value_of(of.state));
        for (std::size_t place = 0; place < counter_words; ++place) {
            const std::uint64_t taken = value_of(of.taken[place]);
            all.words[place] = std::min(all.words[place] + taken, greatest);
            if (place < place_of_requests(request_rows, 0)) worker.requests += taken;
        }
        seen.workers.push_back(worker);
    }
    return seen;
}

std::optional<sight> tally::read() const {
    for (int attempt = 0; attempt < attempts; ++attempt) {
        const std::uint64_t before = page_->sequence.load(std::memory_order_acquire);
        if (before % 2 != 0) continue;
        sight seen = copy();
        std::atomic_thread_fence(std::memory_order_acquire);
        if (value_of(page_->sequence) == before) return seen;
    }
    return std::nullopt;
}

}  // namespace unicoro::scoreboard
