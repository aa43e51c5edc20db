// SPDX-License-Identifier: MIT
#include "python/gevent/signal_pipe.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>

namespace unicoro::python::gevent {
namespace {

struct caught {
    std::atomic<int> pipe{-1};
    std::atomic<bool> came{false};
    struct sigaction before{};
    bool installed = false;
};

std::array<caught, NSIG> table;

void handler(int signum) {
    const int saved = errno;
    caught& at = table[static_cast<std::size_t>(signum)];
    at.came.store(true);
    const auto byte = static_cast<unsigned char>(signum);
    // When the pipe is full the loop has enough to wake up for.
    [[maybe_unused]] const ssize_t written = ::write(at.pipe.load(), &byte, 1);
    errno = saved;
}

int& applications_wakeup() noexcept {
    static int fd = -1;
    return fd;
}

error_code last_error() noexcept {
    return {errno, boost::system::system_category()};
}

}  // namespace

signal_pipe::~signal_pipe() {
    for (int signum = 1; signum < NSIG; ++signum) {
        if (table[static_cast<std::size_t>(signum)].pipe.load() == ends_[1]) release_signal(signum);
    }
    for (const int end : ends_) {
        if (end >= 0) ::close(end);
    }
}

error_code signal_pipe::open() {
    std::array<int, 2> made{};
    if (::pipe2(made.data(), O_NONBLOCK | O_CLOEXEC) != 0) return last_error();
    for (caught& each : table) {
        if (each.installed && each.pipe.load() == ends_[1]) each.pipe.store(made[1]);
    }
    for (const int end : ends_) {
        if (end >= 0) ::close(end);
    }
    ends_ = made;
    return {};
}

error_code signal_pipe::catch_signal(int signum) noexcept {
    caught& at = table[static_cast<std::size_t>(signum)];
    at.pipe.store(ends_[1]);
    at.came.store(false);
    struct sigaction wanted{};
    wanted.sa_handler = &handler;
    wanted.sa_flags = SA_RESTART;
    ::sigfillset(&wanted.sa_mask);
    struct sigaction before{};
    if (::sigaction(signum, &wanted, &before) != 0) return last_error();
    if (before.sa_handler != &handler) at.before = before;
    at.installed = true;
    // Who blocked it before cannot mean to wait for it.
    sigset_t only;
    ::sigemptyset(&only);
    ::sigaddset(&only, signum);
    ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
    return {};
}

void signal_pipe::release_signal(int signum) noexcept {
    caught& at = table[static_cast<std::size_t>(signum)];
    if (!at.installed) return;
    at.installed = false;
    at.pipe.store(-1);
    struct sigaction now{};
    // Someone else's by now: it stays.
    if (::sigaction(signum, nullptr, &now) != 0 || now.sa_handler != &handler) return;
    ::sigaction(signum, &at.before, nullptr);
}

void signal_pipe::pass_on_to(int applications) noexcept {
    applications_wakeup() = applications;
}

void signal_pipe::drain() noexcept {
    const int pythons = applications_wakeup();
    std::array<unsigned char, 64> bytes;
    for (;;) {
        const ssize_t count = ::read(ends_[0], bytes.data(), bytes.size());
        if (count <= 0) return;
        for (std::size_t i = 0; pythons >= 0 && i < static_cast<std::size_t>(count); ++i) {
            if (bytes[i] < NSIG && table[bytes[i]].installed) continue;
            [[maybe_unused]] const ssize_t written = ::write(pythons, &bytes[i], 1);
        }
        if (static_cast<std::size_t>(count) < bytes.size()) return;
    }
}

bool signal_pipe::take(int signum) noexcept {
    return table[static_cast<std::size_t>(signum)].came.exchange(false);
}

}  // namespace unicoro::python::gevent
