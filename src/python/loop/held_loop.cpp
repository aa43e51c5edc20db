// SPDX-License-Identifier: MIT
#include "python/loop/held_loop.hpp"

#include "log/log.hpp"
#include "os/descriptors.hpp"
#include "os/forks.hpp"
#include "python/runtime/gil.hpp"
#include "python/runtime/interpreter.hpp"
#include "python/runtime/package.hpp"
#include "python/runtime/py_ref.hpp"
#include "python/runtime/traceback.hpp"

#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <utility>

namespace unicoro::python {
namespace {

constexpr std::array watched{SIGABRT, SIGINT, SIGQUIT, SIGTERM};

/// What the handler needs. It is made whole before the handler is.
struct state {
    os::withheld_fd aborted;
    pid_t owner = 0;
    pthread_t thread{};
    std::array<struct sigaction, watched.size()> before{};
    timer_t limit{};  // sends QUIT when the time after TERM has passed
    itimerspec grace{};
    std::atomic<bool> inside = false;
    std::atomic<int> pending = 0;  // the signal that Python has not looked at
    std::atomic<held_loop::ending> ends = held_loop::ending::none;
    std::atomic<bool> draining = false;
    std::atomic<bool> settled = false;
};

state& here() noexcept {
    static state instance;
    return instance;
}

void die_of(int number) noexcept {
    ::signal(number, SIG_DFL);
    ::raise(number);
}

void pass_on(int number, siginfo_t* about, void* context) noexcept {
    const struct sigaction* next = nullptr;
    for (std::size_t place = 0; place < watched.size(); ++place) {
        if (watched[place] == number) next = &here().before[place];
    }
    if ((next->sa_flags & SA_SIGINFO) != 0) {
        next->sa_sigaction(number, about, context);
    } else if (next->sa_handler == SIG_DFL) {
        die_of(number);
    } else if (next->sa_handler != SIG_IGN) {
        next->sa_handler(number);
    }
}

void stop(int number) noexcept {
    state& own = here();
    auto none = held_loop::ending::none;
    own.ends.compare_exchange_strong(none, held_loop::ending::stopped);
    own.pending = number;
    if (own.inside) PyErr_SetInterruptEx(SIGABRT);
}

void drain() noexcept {
    state& own = here();
    if (own.draining.exchange(true)) return;
    const bool at_once = own.grace.it_value.tv_sec == 0 && own.grace.it_value.tv_nsec == 0;
    if (at_once) {
        stop(SIGTERM);
    } else {
        ::timer_settime(own.limit, 0, &own.grace, nullptr);
    }
}

void on_signal(int number, siginfo_t* about, void* context) noexcept {
    state& own = here();
    const int saved = errno;
    if (::getpid() != own.owner) {
        // In a child of the application's the worker is none of its business.
        die_of(number);
    } else if (number == SIGABRT && !interpreter::running()) {
        die_of(number);
    } else if (number == SIGABRT) {
        own.ends = held_loop::ending::aborted;
        own.pending = number;
        PyErr_SetInterruptEx(SIGABRT);
        os::raise_event(own.aborted.get());
    } else {
        number == SIGTERM ? drain() : stop(number);
        // The loop has a limit of its own.
        if (about->si_code != SI_TIMER) pass_on(number, about, context);
    }
    errno = saved;
}

/// (signal, what to do), for the handler in Python.
PyObject* verdict(PyObject*, PyObject*) {
    state& own = here();
    const int number = own.pending.exchange(0);
    const char* what = "nothing";
    if (number != 0 && own.inside) {
        what = "raise";
    } else if (number == SIGABRT && !own.settled) {
        what = "die";
    }
    return Py_BuildValue("is", number, what);
}

PyMethodDef verdict_method{"verdict", &verdict, METH_NOARGS, "What a signal means now."};

}  // namespace

held_loop::call::call() noexcept {
    here().inside = true;
}
held_loop::call::~call() {
    here().inside = false;
}

std::optional<int> held_loop::watch(std::chrono::milliseconds graceful_timeout) {
    state& own = here();
    result<os::unique_fd> event = os::make_event();
    sigevent quit{};
    quit.sigev_notify = SIGEV_SIGNAL;
    quit.sigev_signo = SIGQUIT;
    if (!event || ::timer_create(CLOCK_MONOTONIC, &quit, &own.limit) != 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return std::nullopt;
    }
    own.aborted = std::move(*event);
    own.owner = ::getpid();
    own.thread = ::pthread_self();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(graceful_timeout);
    own.grace.it_value.tv_sec = seconds.count();
    own.grace.it_value.tv_nsec = std::chrono::nanoseconds(graceful_timeout - seconds).count();
    const py_ref asked = py_ref::steal(PyCFunction_New(&verdict_method, nullptr));
    if (!asked || !package::call("_unicoro.call_ends", "obey_end", {asked.get()})) return std::nullopt;
    struct sigaction action{};
    action.sa_sigaction = &on_signal;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    for (std::size_t place = 0; place < watched.size(); ++place) {
        ::sigaction(watched[place], &action, &own.before[place]);
        os::withhold_handler(watched[place], own.before[place]);
    }
    // What prints the stack goes first and passes the signal on.
    if (!package::call("_unicoro.stacks", "tell_stacks_again")) return std::nullopt;
    return own.aborted.get();
}

void held_loop::settle() {
    here().settled = true;
    if (package::call("_unicoro.call_ends", "tell_abort")) return;
    log::error("a server hook failed (worker_abort)\n{}", describe_exception(take_exception().get()));
}

held_loop::ending held_loop::ends() noexcept {
    return here().ends;
}

bool held_loop::drains() noexcept {
    return here().draining;
}

bool held_loop::interrupted() {
    const gil_lock gil;
    if (PyErr_CheckSignals() != 0) return true;
    const bool beside = ::pthread_equal(::pthread_self(), here().thread) == 0;
    return beside && ends() != ending::none;
}

}  // namespace unicoro::python
