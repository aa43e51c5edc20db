// SPDX-License-Identifier: MIT
#include "os/forks.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <ranges>
#include <utility>
#include <vector>

namespace unicoro::os {
namespace {

struct handler_undo {
    int signal;
    struct sigaction ours;
    struct sigaction before;
};

struct shared_memory {
    void* begin;
    std::size_t size;
};

enum class mark : std::uint8_t { none, closed, useless };

/// Never destroyed: threads may fork while the process ends.
struct withheld {
    std::mutex mutex;
    std::vector<mark> descriptors;  // by their number
    std::vector<handler_undo> handlers;
    std::vector<shared_memory> memory;
    int nowhere = -1;        // what a useless number refers to
    sigset_t mask{};         // what the server blocks
    sigset_t mask_before{};  // of the thread that forks
};

withheld& all() noexcept {
    static withheld& instance = *new withheld;
    return instance;
}

std::atomic<bool> off{false};
thread_local bool by_server = false;
thread_local bool holds_signals = false;

bool is_same(const struct sigaction& one, const struct sigaction& other) noexcept {
    return (one.sa_flags & SA_SIGINFO) == (other.sa_flags & SA_SIGINFO) && one.sa_handler == other.sa_handler;
}

void part_from_server(withheld& from) noexcept {
    // The last first: one may stand upon another.
    for (const handler_undo& each : from.handlers | std::views::reverse) {
        struct sigaction now{};
        if (sigaction(each.signal, nullptr, &now) != 0 || !is_same(now, each.ours)) continue;
        sigaction(each.signal, &each.before, nullptr);
    }
    for (std::size_t number = 0; number < from.descriptors.size(); ++number) {
        const int fd = static_cast<int>(number);
        mark& what = from.descriptors[number];
        if (what == mark::none) continue;
        if (what == mark::useless && dup3(from.nowhere, fd, O_CLOEXEC) >= 0) continue;
        what = mark::none;
        close(fd);
    }
    close(std::exchange(from.nowhere, -1));
    for (int signal = 1; signal < NSIG; ++signal) {
        if (sigismember(&from.mask, signal) == 1) sigdelset(&from.mask_before, signal);
    }
    for (const shared_memory& each : from.memory) {
        (void)mmap(
            each.begin,
            each.size,
            PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
            -1,
            0
        );
    }
}

// A signal that reached the child before its handlers are undone would be taken for the server's.
void before_fork() {
    if (by_server) return;
    sigset_t every;
    sigset_t before;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    all().mutex.lock();
    all().mask_before = before;
}

void in_parent() {
    if (by_server) return;
    const sigset_t before = all().mask_before;
    all().mutex.unlock();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void in_child() {
    if (by_server) return;
    // A child of a child has nothing of the server any more.
    if (!off.exchange(true, std::memory_order_relaxed)) part_from_server(all());
    all().mutex.unlock();
    if (!holds_signals) pthread_sigmask(SIG_SETMASK, &all().mask_before, nullptr);
}

}  // namespace

bool forked_off() noexcept {
    return off.load(std::memory_order_relaxed);
}

void watch_forks() noexcept {
    [[maybe_unused]] static const int once = pthread_atfork(&before_fork, &in_parent, &in_child);
}

void hold_signals() noexcept {
    holds_signals = true;
}

void let_signals() noexcept {
    holds_signals = false;
}

void resume_signals() noexcept {
    if (!std::exchange(holds_signals, false) || !forked_off()) return;
    pthread_sigmask(SIG_SETMASK, &all().mask_before, nullptr);
}

fork_pause::fork_pause() noexcept {
    all().mutex.lock();
}

fork_pause::~fork_pause() {
    all().mutex.unlock();
}

void fork_pause::withhold(int fd, withheld_as what) {
    if (fd < 0) return;
    watch_forks();
    withheld& known = all();
    const auto number = static_cast<std::size_t>(fd);
    if (number >= known.descriptors.size()) {
        known.descriptors.resize(std::max(number + 1, known.descriptors.size() * 2));
    }
    if (what == withheld_as::useless && known.nowhere < 0) {
        known.nowhere = open("/dev/null", O_PATH | O_CLOEXEC);
    }
    known.descriptors[number] = what == withheld_as::closed ? mark::closed : mark::useless;
}

bool fork_pause::forget(int fd) noexcept {
    withheld& known = all();
    const auto number = static_cast<std::size_t>(fd);
    if (fd < 0 || number >= known.descriptors.size()) return false;
    return std::exchange(known.descriptors[number], mark::none) != mark::none;
}

bool is_useless(int fd) noexcept {
    if (!forked_off()) return false;
    const withheld& known = all();
    const auto number = static_cast<std::size_t>(fd);
    return fd >= 0 && number < known.descriptors.size() && known.descriptors[number] == mark::useless;
}

void withhold_handler(int signal, const struct sigaction& before) {
    struct sigaction now{};
    if (sigaction(signal, nullptr, &now) != 0) return;
    watch_forks();
    const fork_pause pause;
    all().handlers.push_back({signal, now, before});
}

void forget_handler(int signal) noexcept {
    const fork_pause pause;
    std::vector<handler_undo>& known = all().handlers;
    const auto last = std::ranges::find(known | std::views::reverse, signal, &handler_undo::signal);
    if (last != known.rend()) known.erase(std::next(last).base());
}

void withhold_mask(const sigset_t& blocked) noexcept {
    watch_forks();
    const fork_pause pause;
    all().mask = blocked;
}

void forget_mask() noexcept {
    const fork_pause pause;
    sigemptyset(&all().mask);
}

void withhold_memory(void* begin, std::size_t size) {
    watch_forks();
    const fork_pause pause;
    all().memory.push_back({begin, size});
}

void forget_memory(void* begin) noexcept {
    const fork_pause pause;
    std::erase_if(all().memory, [begin](const shared_memory& each) { return each.begin == begin; });
}

withheld_fd::withheld_fd(unique_fd fd) {
    fork_pause pause;
    pause.withhold(fd.get());
    fd_ = fd.release();
}

void withheld_fd::reset() noexcept {
    if (fd_ < 0) return;
    fork_pause pause;
    if (pause.forget(fd_)) close(fd_);
    fd_ = -1;
}

fork_of_server::fork_of_server() noexcept {
    by_server = true;
}

fork_of_server::~fork_of_server() {
    by_server = false;
}

}  // namespace unicoro::os
