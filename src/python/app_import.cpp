// SPDX-License-Identifier: MIT
#include "python/app_import.hpp"

#include "python/interpreter.hpp"
#include "python/traceback.hpp"

#include <utility>

namespace unicoro::python {
namespace {

app::load_error explain(PyObject* exception) {
    const py_ref not_found = interpreter::bootstrap("AppNotFound");
    if (exception != nullptr && not_found &&
        PyErr_GivenExceptionMatches(exception, not_found.get()) != 0) {
        const py_ref message = py_ref::steal(PyObject_Str(exception));
        return {app::boot_failure::application, "App failed to load: " + to_utf8(message.get())};
    }
    return {
        app::boot_failure::worker,
        "Worker failed to boot: the application failed while it was loaded\n" +
            describe_exception(exception)};
}

}  // namespace

boost::system::result<py_ref, app::load_error> import_application(const std::string& spec) {
    const py_ref load = interpreter::bootstrap("load");
    const py_ref name = py_ref::steal(PyUnicode_DecodeFSDefault(spec.c_str()));
    py_ref application;
    if (load && name) {
        application = py_ref::steal(PyObject_CallOneArg(load.get(), name.get()));
    }
    if (interpreter::forked_away()) interpreter::leave_forked();
    if (application) return application;
    const py_ref exception = take_exception();
    return explain(exception.get());
}

}  // namespace unicoro::python
