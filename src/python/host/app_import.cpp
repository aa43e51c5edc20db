// SPDX-License-Identifier: MIT
#include "python/host/app_import.hpp"

#include "python/runtime/interpreter.hpp"
#include "python/runtime/package.hpp"
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
    py_ref text;
    if (exception != nullptr) text = package::call("_unicoro.loading", "which_python", {exception});
    PyErr_Clear();
    const std::string told = to_utf8(text.get());
    return told.empty() ? told : before + told;
}

app::load_error explain(PyObject* exception) {
    const py_ref not_found = package::find("_unicoro", "AppNotFound");
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
    const py_ref name = py_ref::steal(PyUnicode_DecodeFSDefault(spec.c_str()));
    const py_ref interface = py_ref::steal(PyUnicode_FromString(name_of(said)));
    py_ref found;
    if (name && interface) {
        found = package::call("_unicoro.loading", "load", {name.get(), interface.get()});
    }
    if (interpreter::forked_away()) interpreter::leave_forked();
    if (!found) {
        const py_ref exception = take_exception();
        if (exception) [[maybe_unused]]
            const py_ref noted = package::call("_unicoro.development", "suspect", {exception.get()});
        PyErr_Clear();
        return explain(exception.get());
    }
    imported_application imported;
    imported.callable = py_ref::borrow(PyTuple_GET_ITEM(found.get(), 0));
    const bool asgi = to_utf8(PyTuple_GET_ITEM(found.get(), 1)) == "ASGI";
    imported.interface = asgi ? interface_kind::asgi : interface_kind::wsgi;
    return imported;
}

}  // namespace unicoro::python
