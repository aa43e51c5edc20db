// SPDX-License-Identifier: MIT
#include "os/signals.hpp"

#include "os/failure.hpp"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

namespace unicoro::os {
namespace {

constexpr std::array write_signals{SIGPIPE, SIGXFSZ};

using named_signal = std::pair<int, std::string_view>;

// Those that glibc 2.32 can name, and musl cannot.
constexpr std::array names{
    named_signal{SIGHUP, "SIGHUP"},   named_signal{SIGINT, "SIGINT"},
    named_signal{SIGQUIT, "SIGQUIT"}, named_signal{SIGILL, "SIGILL"},
    named_signal{SIGTRAP, "SIGTRAP"}, named_signal{SIGABRT, "SIGABRT"},
    named_signal{SIGBUS, "SIGBUS"},   named_signal{SIGFPE, "SIGFPE"},
    named_signal{SIGKILL, "SIGKILL"}, named_signal{SIGUSR1, "SIGUSR1"},
    named_signal{SIGSEGV, "SIGSEGV"}, named_signal{SIGUSR2, "SIGUSR2"},
    named_signal{SIGPIPE, "SIGPIPE"}, named_signal{SIGALRM, "SIGALRM"},
    named_signal{SIGTERM, "SIGTERM"}, named_signal{SIGSTKFLT, "SIGSTKFLT"},
    named_signal{SIGCHLD, "SIGCHLD"}, named_signal{SIGCONT, "SIGCONT"},
    named_signal{SIGSTOP, "SIGSTOP"}, named_signal{SIGTSTP, "SIGTSTP"},
    named_signal{SIGTTIN, "SIGTTIN"}, named_signal{SIGTTOU, "SIGTTOU"},
    named_signal{SIGURG, "SIGURG"},   named_signal{SIGXCPU, "SIGXCPU"},
    named_signal{SIGXFSZ, "SIGXFSZ"}, named_signal{SIGVTALRM, "SIGVTALRM"},
    named_signal{SIGPROF, "SIGPROF"}, named_signal{SIGWINCH, "SIGWINCH"},
    named_signal{SIGPOLL, "SIGPOLL"}, named_signal{SIGPWR, "SIGPWR"},
    named_signal{SIGSYS, "SIGSYS"},
};

/// Of the signal_source; empty without one.
sigset_t& of_source() noexcept {
    static sigset_t signals = [] {
        sigset_t none;
        sigemptyset(&none);
        return none;
    }();
    return signals;
}

std::array<std::atomic<bool>, NSIG> came_in{};

void keep_signal(int signal) {
    came_in[static_cast<std::size_t>(signal)].store(true);
}

std::atomic<pthread_t> taker{};

/// In a thread that the source's signals are not blocked in: a library may have started it before.
void hand_on(int signal) {
    pthread_kill(taker.load(), signal);
}

template <class Visit>
void for_each_of(const sigset_t& set, Visit visit) noexcept {
    for (int signal = 1; signal < NSIG; ++signal) {
        if (sigismember(&set, signal) == 1) visit(signal);
    }
}

using actions = std::array<struct sigaction, NSIG>;

/// Children that the application forks meanwhile have what was there before.
void take_over(const sigset_t& signals, void (*handler)(int), actions& before) {
    struct sigaction ours{};
    ours.sa_handler = handler;
    ours.sa_flags = SA_RESTART;
    for_each_of(signals, [&](int signal) {
        struct sigaction& old = before[static_cast<std::size_t>(signal)];
        sigaction(signal, &ours, &old);
        withhold_handler(signal, old);
    });
}

/// What the application has put there meanwhile stays.
void give_back(int signal, void (*handler)(int), const actions& before) {
    forget_handler(signal);
    struct sigaction now{};
    sigaction(signal, nullptr, &now);
    if (now.sa_handler == handler) sigaction(signal, &before[static_cast<std::size_t>(signal)], nullptr);
}

}  // namespace

result<signal_source> signal_source::open(std::span<const int> signals) noexcept {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : signals) sigaddset(&set, signal);
    if (const int failed = pthread_sigmask(SIG_BLOCK, &set, nullptr); failed != 0) {
        return system_error(failed);
    }
    unique_fd fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd) return last_error();
    return signal_source(std::move(fd), set);
}

signal_source::signal_source(unique_fd fd, const sigset_t& signals) : fd_(std::move(fd)) {
    withhold_mask(signals);
    of_source() = signals;
    taker = pthread_self();
    take_over(signals, &hand_on, before_);
}

signal_source::~signal_source() {
    if (!fd_) return;
    for_each_of(of_source(), [this](int signal) { give_back(signal, &hand_on, before_); });
    forget_mask();
    sigemptyset(&of_source());
}

std::optional<int> signal_source::next() noexcept {
    signalfd_siginfo info{};
    ssize_t got = 0;
    do {
        got = read(fd_.get(), &info, sizeof info);
    } while (got < 0 && errno == EINTR);
    if (got != static_cast<ssize_t>(sizeof info)) return std::nullopt;
    return static_cast<int>(info.ssi_signo);
}

signals_let_in::signals_let_in() noexcept : let_in_(of_source()) {
    take_over(let_in_, &keep_signal, before_);
    pthread_sigmask(SIG_UNBLOCK, &let_in_, nullptr);
}

signals_let_in::~signals_let_in() {
    pthread_sigmask(SIG_BLOCK, &let_in_, nullptr);
    for_each_of(let_in_, [this](int signal) {
        give_back(signal, &keep_signal, before_);
        if (came_in[static_cast<std::size_t>(signal)].exchange(false)) kill(getpid(), signal);
    });
}

signals_held_back::signals_held_back() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
}

signals_held_back::~signals_held_back() {
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void reset_signals() noexcept {
    struct sigaction standard{};
    standard.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; ++signal) sigaction(signal, &standard, nullptr);
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

void ignore_write_signals() noexcept {
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;
    for (const int signal : write_signals) sigaction(signal, &ignore, nullptr);
}

void withhold_write_signals() {
    struct sigaction standard{};
    standard.sa_handler = SIG_DFL;
    for (const int signal : write_signals) withhold_handler(signal, standard);
}

void keep_write_signals() noexcept {
    for (const int signal : write_signals) forget_handler(signal);
}

std::string signal_name(int signal) {
    const auto* const found =
        std::find_if(names.begin(), names.end(), [signal](const auto& each) { return each.first == signal; });
    if (found == names.end()) return "signal " + std::to_string(signal);
    return std::string(found->second);
}

}  // namespace unicoro::os
