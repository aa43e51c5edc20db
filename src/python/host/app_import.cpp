// SPDX-License-Identifier: MIT
#include "python/host/app_import.hpp"

#include "python/runtime/interpreter.hpp"
#include "python/runtime/traceback.hpp"

#include <utility>

namespace unicoro::python {
namespace {

const char* name_of(settings::app_interface said) noexcept {
    switch (said) {
        case settings::app_interface::asgi: return "asgi";
        case settings::app_interface::wsgi: return "wsgi";
        case settings::app_interface::native:
        case settings::app_interface::auto_detect: break;
    }
    return "auto";
}

/// What to know of the interpreter, when an import has failed; else "".
std::string which_python(PyObject* exception, const char* before) {
    const py_ref tell = interpreter::bootstrap("which_python");
    py_ref text;
    if (tell && exception != nullptr) text = py_ref::steal(PyObject_CallOneArg(tell.get(), exception));
    PyErr_Clear();
    const std::string told = to_utf8(text.get());
    return told.empty() ? told : before + told;
}

app::load_error explain(PyObject* exception) {
    const py_ref not_found = interpreter::bootstrap("AppNotFound");
    if (exception != nullptr && not_found && PyErr_GivenExceptionMatches(exception, not_found.get()) != 0) {
        const py_ref message = py_ref::steal(PyObject_Str(exception));
        return {
            app::boot_failure::application,
            "App failed to load: " + to_utf8(message.get()) + which_python(exception, " ")
        };
    }
    return {
        app::boot_failure::application,
        "App failed to load: this happened while it was imported:\n" + describe_exception(exception) +
            which_python(exception, "\n")
    };
}

}  // namespace

boost::system::result<imported_application, app::load_error> import_application(
    const std::string& spec, settings::app_interface said
) {
    const py_ref load = interpreter::bootstrap("load");
    const py_ref name = py_ref::steal(PyUnicode_DecodeFSDefault(spec.c_str()));
    py_ref found;
    if (load && name) {
        found = py_ref::steal(PyObject_CallFunction(load.get(), "Os", name.get(), name_of(said)));
    }
    if (interpreter::forked_away()) interpreter::leave_forked();
    if (!found) {
        const py_ref exception = take_exception();
        const py_ref suspect = interpreter::bootstrap("suspect");
        if (suspect && exception) {
            [[maybe_unused]] const py_ref noted =
                py_ref::steal(PyObject_CallOneArg(suspect.get(), exception.get()));
            PyErr_Clear();
        }
        return explain(exception.get());
    }
    imported_application imported;
    imported.callable = py_ref::borrow(PyTuple_GET_ITEM(found.get(), 0));
    const bool asgi = to_utf8(PyTuple_GET_ITEM(found.get(), 1)) == "ASGI";
    imported.interface = asgi ? interface_kind::asgi : interface_kind::wsgi;
    return imported;
}

}  // namespace unicoro::python
