// SPDX-License-Identifier: MIT
#include "python/runtime/interpreter.hpp"

#include "aio/stray_child.hpp"
#include "log/log.hpp"
#include "os/forks.hpp"
#include "python/runtime/arena_cache.hpp"
#include "python/runtime/bootstrap_code.hpp"
#include "python/runtime/forked_child.hpp"
#include "python/runtime/traceback.hpp"

#include <marshal.h>
#include <unistd.h>

#include <csignal>
#include <utility>

namespace unicoro::python {
namespace {

/// Python is one per process, and so is this.
struct state {
    PyObject* bootstrap_module = nullptr;
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

std::optional<std::string> run_bootstrap(const interpreter::options& chosen) {
    if (PyImport_GetMagicNumber() != bootstrap_magic) {
        return "this release of Python reads other bytecode than the one the plugin was built with: build it "
               "anew";
    }
    const py_ref code = py_ref::steal(PyMarshal_ReadObjectFromString(
        reinterpret_cast<const char*>(bootstrap_code), static_cast<Py_ssize_t>(bootstrap_size)
    ));
    if (!code) return describe_exception(take_exception().get());
    py_ref module = py_ref::steal(PyImport_ExecCodeModule("_unicoro", code.get()));
    if (!module) return describe_exception(take_exception().get());
    here().bootstrap_module = module.release();

    const py_ref path = py_ref::steal(PyList_New(0));
    for (const std::string& each : chosen.pythonpath) {
        const py_ref entry = py_ref::steal(PyUnicode_DecodeFSDefault(each.c_str()));
        if (!path || !entry || PyList_Append(path.get(), entry.get()) != 0) {
            return describe_exception(take_exception().get());
        }
    }
    const py_ref prepare = interpreter::bootstrap("prepare");
    py_ref done;
    if (prepare) {
        done = py_ref::steal(PyObject_CallFunction(prepare.get(), "Oi", path.get(), chosen.crash_fd));
    }
    if (!done || !watch_python_forks()) return describe_exception(take_exception().get());
    return std::nullopt;
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
    std::optional<std::string> failure = run_bootstrap(chosen);
    gil_parking::leave();
    if (failure) return "the Python interpreter could not be prepared:\n" + *failure;
    return std::nullopt;
}

void interpreter::stop() noexcept {
    if (!here().running) return;
    gil_parking::enter();
    Py_CLEAR(here().bootstrap_module);
    here().running = false;
    if (Py_FinalizeEx() != 0) log::warning("Python could not flush its output at the end");
}

void interpreter::stop_beside_threads() noexcept {
    if (!here().running) return;
    gil_parking::enter();
    const py_ref end = bootstrap("end_beside_threads");
    if (end) [[maybe_unused]]
        const py_ref ended = py_ref::steal(PyObject_CallNoArgs(end.get()));
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
    const py_ref end = bootstrap("end_child");
    py_ref code;
    if (end) {
        code = py_ref::steal(PyObject_CallOneArg(end.get(), exception ? exception.get() : Py_None));
    }
    if (!code || code.get() == Py_None) aio::end_stray_child();
    ::_exit(static_cast<int>(PyLong_AsLong(code.get())));
}

py_ref interpreter::bootstrap(const char* name) noexcept {
    if (here().bootstrap_module == nullptr) return {};
    return py_ref::steal(PyObject_GetAttrString(here().bootstrap_module, name));
}

}  // namespace unicoro::python
