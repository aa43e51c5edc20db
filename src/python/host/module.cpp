// SPDX-License-Identifier: MIT
// The extension module `_unicoro`: the server, for the Python that imports it.
#include "app/native_host.hpp"
#include "app/python_process.hpp"
#include "cli/main.hpp"
#include "log/open.hpp"
#include "os/process.hpp"
#include "os/signals.hpp"
#include "python/host/master_python.hpp"
#include "python/runtime/gil.hpp"
#include "python/runtime/interpreter.hpp"
#include "python/runtime/package.hpp"
#include "python/runtime/py_ref.hpp"
#include "python/runtime/stage_functions.hpp"
#include "python/runtime/text.hpp"
#include "python/runtime/traceback.hpp"
#include "settings/key_problem.hpp"
#include "settings/load.hpp"
#include "settings/print.hpp"

#include <unicoro/abi.hpp>

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace unicoro::python {
namespace {

int worker_code = 0;  // NOLINT: of the one worker that this process is

extern "C" void end_worker() {
    // Exit handlers may have logged.
    log::settle();
    os::end_process(worker_code);
}

class this_python final : public app::python_process {
  public:
    this_python(std::string executable, std::string release)
        : executable_(std::move(executable)), release_(std::move(release)) {}

    [[nodiscard]] const std::string& executable() const noexcept override { return executable_; }
    [[nodiscard]] const std::string& release() const noexcept override { return release_; }

    [[nodiscard]] std::unique_ptr<app::master_guest> make_guest(const settings::server_settings& values
    ) override {
        return std::make_unique<master_python>(values, executable_);
    }

    [[nodiscard]] settings::python_answer ask(const std::string& question) override {
        const gil_lock gil;
        const py_ref text = py_ref::steal(PyUnicode_FromString(question.c_str()));
        py_ref told;
        {
            const os::signals_let_in program;
            if (text) told = package::call("_unicoro.program", "answer", {text.get()});
        }
        if (interpreter::forked_away()) interpreter::leave_forked();
        if (told) return {to_utf8(told.get()), {}};
        return {{}, describe_exception(take_exception().get())};
    }

    // Exit handlers of native code are the master's, so that Python's end is the end.
    [[nodiscard]] bool ends_worker(int code) noexcept override {
        worker_code = code;
        return interpreter::may_end() && Py_AtExit(&end_worker) == 0;
    }

  private:
    std::string executable_;
    std::string release_;
};

/// A word of sys.argv or the like, as the system has it.
std::optional<std::string> as_bytes(PyObject* text) {
    const py_ref bytes = py_ref::steal(text != nullptr ? PyUnicode_EncodeFSDefault(text) : nullptr);
    if (!bytes) return std::nullopt;
    return std::string(
        PyBytes_AS_STRING(bytes.get()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.get()))
    );
}

bool read_words(const char* of_sys, std::vector<std::string>& words) {
    const py_ref list = py_ref::steal(PySequence_List(PySys_GetObject(of_sys)));
    if (!list) return false;
    for (Py_ssize_t at = 0; at < PyList_GET_SIZE(list.get()); ++at) {
        std::optional<std::string> word = as_bytes(PyList_GET_ITEM(list.get(), at));
        if (!word) return false;
        words.push_back(std::move(*word));
    }
    return true;
}

PyObject* run_command(cli::invocation how) {
    if (!read_words("argv", how.arguments) || !read_words("orig_argv", how.program)) return nullptr;
    if (how.arguments.empty()) how.arguments.emplace_back("unicoro");
    const auto executable = as_bytes(PySys_GetObject("executable"));
    if (!executable) return nullptr;
    if (how.launched) {
        how.program = how.arguments;
    } else if (!how.program.empty()) {
        how.program.front() = *executable;
    }
    const std::string version = Py_GetVersion();
    this_python python(*executable, version.substr(0, version.find(' ')));
    how.python = &python;
    app::looked_through_first(&worker_code);
#if defined(__SANITIZE_ADDRESS__)
    unsetenv("LD_PRELOAD");  // see become_python.cpp
#endif
    if (interpreter::running() || interpreter::may_end()) {
        PyErr_SetString(PyExc_RuntimeError, "the server runs once in a process");
        return nullptr;
    }
    if (!interpreter::begin()) return nullptr;
    const int code = cli::run(how);
    interpreter::leave();
    return PyLong_FromLong(code);
}

PyObject* main(PyObject*, PyObject* arguments) {
    cli::invocation how;
    how.launched = PyTuple_GET_SIZE(arguments) > 0;
    if (PyArg_ParseTuple(arguments, "|i:main", &how.answers) == 0) return nullptr;
    return run_command(std::move(how));
}

PyObject* serve(PyObject*, PyObject*) {
    cli::invocation how;
    how.embedded = true;
    return run_command(std::move(how));
}

PyObject* default_settings(PyObject*, PyObject*) {
    return PyUnicode_FromString(settings::print_json(settings::server_settings{}).c_str());
}

PyObject* key_problem(PyObject*, PyObject* key) {
    const char* const text = PyUnicode_AsUTF8(key);
    if (text == nullptr) return nullptr;
    return PyUnicode_FromString(settings::key_problem(text).c_str());
}

/// Another libunicoro than that of the installation can come first (LD_LIBRARY_PATH).
bool fits_library() {
    const std::string wanted = std::string(UNICORO_VERSION "; ") + abi_tag();
    if (cli::build_tag() == wanted) return true;
    PyErr_Format(
        PyExc_ImportError,
        "the module is built for libunicoro [%s], and the one that is loaded is [%s]: install both together",
        wanted.c_str(),
        cli::build_tag().c_str()
    );
    return false;
}

int execute(PyObject* module) {
    if (!fits_library()) return -1;
    if (!package::fits()) {
        PyErr_SetString(
            PyExc_ImportError,
            "this release of Python reads other bytecode than the one the module was built with: build it "
            "anew"
        );
        return -1;
    }
    if (PyModule_AddStringConstant(module, "__version__", UNICORO_VERSION) != 0) return -1;
    return add_stage_functions(module) && package::install(module) ? 0 : -1;
}

PyMethodDef functions[] = {
    {"main",
     &main,
     METH_VARARGS,
     "main([answers])\n--\n\nThe command `unicoro` with the words of sys.argv. Returns its exit code, in "
     "each worker, "
     "too.\nThe argument is for the executable, which has told of the settings before."},
    {"serve",
     &serve,
     METH_NOARGS,
     "serve()\n--\n\nThe same for the program in _unicoro.program, which says what counts in place of words."
    },
    {"default_settings", &default_settings, METH_NOARGS, "default_settings()\n--\n\nBy name, as JSON."},
    {"key_problem",
     &key_problem,
     METH_O,
     "key_problem(name)\n--\n\nWhy this is no name of a setting, or an empty text."},
    {},
};

PyModuleDef_Slot slots[] = {
    {Py_mod_exec, reinterpret_cast<void*>(&execute)},
    {},
};

PyModuleDef definition{
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_unicoro",
    .m_doc = nullptr,
    .m_size = 0,
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = nullptr,
    .m_clear = nullptr,
    .m_free = nullptr,
};

}  // namespace
}  // namespace unicoro::python

// CPython looks for this name.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
PyMODINIT_FUNC PyInit__unicoro() {
    return PyModuleDef_Init(&unicoro::python::definition);
}
