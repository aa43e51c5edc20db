// SPDX-License-Identifier: MIT
#include "scoreboard/scoreboard.hpp"

#include "os/forks.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

namespace unicoro::scoreboard {
namespace {

constexpr std::size_t page_size = 4096;

constexpr std::size_t round_to_pages(std::size_t bytes) noexcept {
    return (bytes + page_size - 1) / page_size * page_size;
}

// The slot's counters, its request table and its answer are one block of whole pages, so that workers on
// different cores never share a page.
std::size_t stride(std::size_t requests_per_slot) noexcept {
    return round_to_pages(sizeof(worker_slot) + requests_per_slot * sizeof(in_flight) + sizeof(stack_answer));
}

std::size_t board_bytes(std::size_t slots) noexcept {
    return round_to_pages(load_page::bytes(slots));
}

// Behind the board of loads.
constexpr std::size_t question_bytes = round_to_pages(sizeof(stack_question));

// A request holds a connection, and a connection a descriptor, of which the kernel gives a process no
// more than this (fs.nr_open): a greater number is not a count.
constexpr std::uint32_t most_running = 1U << 20;

template <std::size_t Size>
std::string text_of(const std::array<char, Size>& field) {
    // Copied before it is looked at: the writer may go on writing.
    std::string text(field.data(), Size);
    text.resize(strnlen(text.data(), Size));
    return text;
}

request_stage known(request_stage said) noexcept {
    return said <= request_stage::websocket ? said : request_stage::application;
}

error_code map_over(std::byte* where, std::size_t bytes, int protection, int flags) noexcept {
    if (bytes == 0) return {};
    const int how = MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED | flags;
    if (mmap(where, bytes, protection, how, -1, 0) != MAP_FAILED) return {};
    return {errno, boost::system::system_category()};
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

bool is_known(worker_state state) noexcept {
    switch (state) {
        case worker_state::vacant:
        case worker_state::booting:
        case worker_state::ready:
        case worker_state::retiring:
        case worker_state::draining: return true;
    }
    return false;
}

result<table> table::create(std::size_t slots, std::size_t requests_per_slot) {
    const std::size_t common = board_bytes(slots) + question_bytes;
    const std::size_t bytes = common + slots * stride(requests_per_slot);
    void* memory = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return error_code(errno, boost::system::system_category());
    os::withhold_memory(memory, bytes);
    table made(static_cast<std::byte*>(memory), slots, requests_per_slot);
    const auto shared = PROT_READ | PROT_WRITE;
    if (const error_code failed = map_over(made.memory_, common, shared, MAP_SHARED)) {
        return failed;
    }
    return made;
}

table::table(std::byte* memory, std::size_t slots, std::size_t requests_per_slot) noexcept
    : memory_(memory), slots_(slots), requests_per_slot_(requests_per_slot) {}

table::table(table&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)),
      slots_(other.slots_),
      requests_per_slot_(other.requests_per_slot_) {}

table::~table() {
    if (memory_ == nullptr) return;
    os::forget_memory(memory_);
    munmap(memory_, bytes());
}

std::byte* table::first_slot() const noexcept {
    return memory_ + board_bytes(slots_) + question_bytes;
}

std::size_t table::bytes() const noexcept {
    return board_bytes(slots_) + question_bytes + slots_ * stride(requests_per_slot_);
}

load_board table::loads() const noexcept {
    return {*reinterpret_cast<load_page*>(memory_), slots_};
}

worker_slot& table::slot(std::size_t index) const noexcept {
    return *reinterpret_cast<worker_slot*>(first_slot() + index * stride(requests_per_slot_));
}

std::span<in_flight> table::requests(std::size_t index) const noexcept {
    std::byte* first = first_slot() + index * stride(requests_per_slot_) + sizeof(worker_slot);
    return {reinterpret_cast<in_flight*>(first), requests_per_slot_};
}

stack_answer& table::answer(std::size_t index) const noexcept {
    const std::span<in_flight> before = requests(index);
    return *reinterpret_cast<stack_answer*>(before.data() + before.size());
}

stack_question& table::question() const noexcept {
    return *reinterpret_cast<stack_question*>(memory_ + board_bytes(slots_));
}

error_code table::open(std::size_t index, worker_state to) const noexcept {
    const std::size_t bytes = stride(requests_per_slot_);
    std::byte* const where = first_slot() + index * bytes;
    if (const auto failed = map_over(where, bytes, PROT_READ | PROT_WRITE, MAP_SHARED)) return failed;
    slot(index).state.store(to);
    loads().clear(index);
    return {};
}

void table::vacate(std::size_t index) const noexcept {
    slot(index).state.store(worker_state::vacant);
    loads().clear(index);
}

error_code table::keep_only(std::size_t index) const noexcept {
    const std::size_t bytes = stride(requests_per_slot_);
    if (const error_code failed = map_over(first_slot(), index * bytes, PROT_NONE, MAP_PRIVATE)) {
        return failed;
    }
    if (mprotect(memory_ + board_bytes(slots_), question_bytes, PROT_READ) != 0) {
        return {errno, boost::system::system_category()};
    }
    const std::size_t next = index + 1;
    return map_over(first_slot() + next * bytes, (slots_ - next) * bytes, PROT_NONE, MAP_PRIVATE);
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
    entry.stage.store(request_stage::application, std::memory_order_relaxed);
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

running_requests read_requests(const table& board, std::size_t index, monotonic_ns now) {
    const worker_slot& slot = board.slot(index);
    const std::span<in_flight> entries = board.requests(index);
    // Not the whole table: reading an untouched page of a shared mapping makes it resident.
    const std::size_t used = slot.entries.load(std::memory_order_acquire);
    running_requests found;
    std::uint32_t place = 0;
    for (const in_flight& entry : entries.first(std::min(used, entries.size()))) {
        const std::uint32_t here = place++;
        const monotonic_ns started = entry.started.load(std::memory_order_acquire);
        if (started <= 0 || started > now) continue;
        found.listed.push_back(
            {started, text_of(entry.method), text_of(entry.target), known(entry.stage.load()), here}
        );
    }
    std::ranges::sort(found.listed, {}, &running_request::started);
    const std::size_t running = std::min(slot.running.load(), most_running);
    if (found.listed.size() == entries.size() && running > entries.size()) {
        found.unlisted = running - entries.size();
    }
    return found;
}

}  // namespace unicoro::scoreboard
