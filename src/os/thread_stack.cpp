// SPDX-License-Identifier: MIT
#include "os/thread_stack.hpp"

#include "os/elf_symbols.hpp"

#include <semaphore.h>
#include <unwind.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <span>
#include <vector>

namespace unicoro::os {
namespace {

constexpr std::size_t deepest = 64;
// The handler itself, and what the kernel returns to from it.
constexpr std::size_t own_frames = 2;

struct answer {
    std::array<std::uintptr_t, deepest> frames{};
    std::atomic<std::size_t> count{0};
    sem_t ready{};
};

answer& shared() {
    static answer only;
    return only;
}

struct walk {
    answer& into;
    std::size_t seen = 0;
};

// Not backtrace(3), which is glibc's alone and may load a library.
_Unwind_Reason_Code note_frame(_Unwind_Context* frame, void* state) {
    auto& so_far = *static_cast<walk*>(state);
    if (so_far.seen == deepest) return _URC_END_OF_STACK;
    so_far.into.frames[so_far.seen++] = _Unwind_GetIP(frame);
    return _URC_NO_REASON;
}

void tell(int) {
    const int before = errno;
    walk frames{shared()};
    _Unwind_Backtrace(note_frame, &frames);
    frames.into.count.store(frames.seen, std::memory_order_release);
    sem_post(&frames.into.ready);
    errno = before;
}

std::vector<code_place> places_of(std::span<const std::uintptr_t> frames) {
    std::vector<code_place> places;
    for (const std::uintptr_t address : frames) {
        // All but the innermost are where a call returns to, which may be the next function.
        places.push_back(find_code(places.empty() ? address : address - 1));
    }
    return places;
}

// The outermost calls are those of the program's loop and of what starts a program; those of an
// application's library come before.
void cut_loop(std::vector<code_place>& places) {
    const auto own = [](const code_place& each) {
        return each.of_program || each.file.empty() || each.file.find("/libc.so") != std::string::npos;
    };
    const auto last = std::find_if_not(places.rbegin(), places.rend(), own);
    if (last != places.rend()) places.erase(last.base(), places.end());
}

std::string text_of(const std::vector<code_place>& places) {
    std::string text;
    for (const code_place& each : places) {
        std::array<char, 2 + 2 * sizeof each.offset> number{};
        const auto end = std::to_chars(number.data(), number.data() + number.size(), each.offset, 16);
        text.append(text.empty() ? "  " : "\n  ").append(each.function.empty() ? "?" : each.function);
        if (each.file.empty()) continue;
        text.append(" at ").append(each.file).append("+0x").append(number.data(), end.ptr);
    }
    return text;
}

timespec after(std::chrono::milliseconds patience) {
    timespec until{};
    clock_gettime(CLOCK_REALTIME, &until);
    const std::int64_t nanoseconds = until.tv_nsec + std::chrono::nanoseconds(patience).count();
    until.tv_sec += nanoseconds / 1'000'000'000;
    until.tv_nsec = nanoseconds % 1'000'000'000;
    return until;
}

}  // namespace

thread_stack::thread_stack() noexcept : watched_(pthread_self()) {
    sem_init(&shared().ready, 0, 0);
    for (int each = SIGRTMAX; each > SIGRTMIN && signal_ == 0; --each) {
        struct sigaction now{};
        if (sigaction(each, nullptr, &now) != 0 || now.sa_handler != SIG_DFL) continue;
        struct sigaction ours{};
        ours.sa_handler = &tell;
        ours.sa_flags = SA_RESTART;
        sigfillset(&ours.sa_mask);
        if (sigaction(each, &ours, nullptr) == 0) signal_ = each;
    }
}

thread_stack::~thread_stack() {
    // A late signal must not end the process.
    if (signal_ != 0) std::signal(signal_, SIG_IGN);
}

std::string thread_stack::take(std::chrono::milliseconds patience) const {
    if (signal_ == 0) return {};
    answer& from = shared();
    while (sem_trywait(&from.ready) == 0) continue;
    if (pthread_kill(watched_, signal_) != 0) return {};
    const timespec until = after(patience);
    int waited = sem_timedwait(&from.ready, &until);
    while (waited != 0 && errno == EINTR) waited = sem_timedwait(&from.ready, &until);
    if (waited != 0) return {};
    const std::size_t count = from.count.load(std::memory_order_acquire);
    if (count <= own_frames) return {};
    std::vector<code_place> places =
        places_of(std::span<const std::uintptr_t>(from.frames).subspan(own_frames, count - own_frames));
    cut_loop(places);
    return text_of(places);
}

}  // namespace unicoro::os
