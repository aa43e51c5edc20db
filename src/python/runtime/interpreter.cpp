// SPDX-License-Identifier: MIT
#include "python/runtime/interpreter.hpp"

#include "aio/stray_child.hpp"
#include "log/log.hpp"
#include "os/forks.hpp"
#include "python/runtime/arena_cache.hpp"
#include "python/runtime/forked_child.hpp"
#include "python/runtime/package.hpp"
#include "python/runtime/traceback.hpp"

#include <unistd.h>

#include <csignal>
#include <utility>

namespace unicoro::python {
namespace {

/// Python is one per process, and so is this.
struct state {
    bool running = false;
};

state& here() noexcept {
    static state instance;
    return instance;
}

std::optional<std::string> failure_of(const PyStatus& status, const std::string& executable) {
    if (!PyStatus_Exception(status)) return std::nullopt;
    const char* const why = status.err_msg != nullptr ? status.err_msg : "it exited while starting";
    return "the Python interpreter " + executable + " does not start: " + why;
}

PyStatus initialise(PyConfig& config, const interpreter::options& chosen) {
    config.parse_argv = 0;
    config.install_signal_handlers = 0;
    const std::pair<wchar_t**, const char*> texts[] = {
        {&config.executable, chosen.executable.c_str()},
        {&config.program_name, chosen.executable.c_str()},
    };
    for (const auto& [where, text] : texts) {
        const PyStatus set = PyConfig_SetBytesString(&config, where, text);
        if (PyStatus_Exception(set)) return set;
    }
    std::vector<std::string> words = chosen.arguments;
    if (words.empty()) words.emplace_back("unicoro");
    std::vector<char*> arguments;
    arguments.reserve(words.size());
    for (std::string& each : words) arguments.push_back(each.data());
    const PyStatus set =
        PyConfig_SetBytesArgv(&config, static_cast<Py_ssize_t>(arguments.size()), arguments.data());
    if (PyStatus_Exception(set)) return set;
    return Py_InitializeFromConfig(&config);
}

/// Sets up what an application may expect. False with a Python exception set.
bool prepare(const interpreter::options& chosen) {
    const py_ref path = py_ref::steal(PyList_New(0));
    for (const std::string& each : chosen.pythonpath) {
        const py_ref entry = py_ref::steal(PyUnicode_DecodeFSDefault(each.c_str()));
        if (!path || !entry || PyList_Append(path.get(), entry.get()) != 0) return false;
    }
    const py_ref crash_fd = py_ref::steal(PyLong_FromLong(chosen.crash_fd));
    return path && crash_fd && package::call("_unicoro.startup", "prepare", {path.get(), crash_fd.get()});
}

std::optional<std::string> begin(const interpreter::options& chosen) {
    if (!package::fits()) {
        return "this release of Python reads other bytecode than the one the plugin was built with: build it "
               "anew";
    }
    if (package::install() && prepare(chosen) && watch_python_forks()) return std::nullopt;
    return describe_exception(take_exception().get());
}

}  // namespace

std::optional<std::string> interpreter::start(const options& chosen) {
    install_arena_cache();
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    const PyStatus status = initialise(config, chosen);
    PyConfig_Clear(&config);
    if (auto failure = failure_of(status, chosen.executable)) return failure;
    // Left to Python with its other handlers, which the server does not want.
    std::signal(SIGPIPE, SIG_IGN);
    here().running = true;
    std::optional<std::string> failure = begin(chosen);
    gil_parking::leave();
    if (failure) return "the Python interpreter could not be prepared:\n" + *failure;
    return std::nullopt;
}

void interpreter::stop() noexcept {
    if (!here().running) return;
    gil_parking::enter();
    package::forget();
    here().running = false;
    if (Py_FinalizeEx() != 0) log::warning("Python could not flush its output at the end");
}

void interpreter::stop_beside_threads() noexcept {
    if (!here().running) return;
    gil_parking::enter();
    [[maybe_unused]] const py_ref ended = package::call("_unicoro.call_ends", "end_beside_threads");
    PyErr_Clear();
    here().running = false;
}

bool interpreter::running() noexcept {
    return here().running;
}

bool interpreter::forked_away() noexcept {
    return os::forked_off();
}

void interpreter::leave_forked() noexcept {
    const py_ref exception = take_exception();
    const py_ref code = package::call("_unicoro.forks", "end_child", {exception ? exception.get() : Py_None});
    if (!code || code.get() == Py_None) aio::end_stray_child();
    ::_exit(static_cast<int>(PyLong_AsLong(code.get())));
}

}  // namespace unicoro::python
