// SPDX-License-Identifier: MIT
#include "python/runtime/package.hpp"

#include "python/runtime/embedded_modules.hpp"

#include <marshal.h>

#include <cstring>

namespace unicoro::python::package {
namespace {

constexpr const char* first_module = "_unicoro.embedded";

bool& is_installed() noexcept {
    static bool installed = false;
    return installed;
}

py_ref view_of(const void* bytes, std::size_t size) {
    // Nothing writes through a view made for reading.
    char* const start = const_cast<char*>(static_cast<const char*>(bytes));
    return py_ref::steal(PyMemoryView_FromMemory(start, static_cast<Py_ssize_t>(size), PyBUF_READ));
}

/// As embedded.py has them: by name, whether it is a package, its code and its text.
py_ref table() {
    py_ref modules = py_ref::steal(PyDict_New());
    for (const embedded_module& each : embedded_modules) {
        const py_ref code = view_of(each.code.data(), each.code.size());
        const py_ref text = view_of(each.text.data(), each.text.size());
        if (!modules || !code || !text) return {};
        PyObject* const is_package = each.is_package ? Py_True : Py_False;
        const py_ref entry = py_ref::steal(PyTuple_Pack(3, is_package, code.get(), text.get()));
        if (!entry || PyDict_SetItemString(modules.get(), each.name, entry.get()) != 0) return {};
    }
    return modules;
}

py_ref run_first() {
    for (const embedded_module& each : embedded_modules) {
        if (std::strcmp(each.name, first_module) != 0) continue;
        const py_ref code = py_ref::steal(PyMarshal_ReadObjectFromString(
            reinterpret_cast<const char*>(each.code.data()), static_cast<Py_ssize_t>(each.code.size())
        ));
        return py_ref::steal(code ? PyImport_ExecCodeModule(first_module, code.get()) : nullptr);
    }
    PyErr_SetString(PyExc_ImportError, first_module);
    return {};
}

/// Not by `__import__`, which the application may have replaced.
py_ref import(const char* module) noexcept {
    py_ref names;  // Without any the package itself is the answer.
    if (std::strchr(module, '.') != nullptr) {
        names = py_ref::steal(Py_BuildValue("(s)", "__name__"));
        if (!names) return {};
    }
    const py_ref name = py_ref::steal(PyUnicode_FromString(module));
    if (!name) return {};
    return py_ref::steal(PyImport_ImportModuleLevelObject(name.get(), nullptr, nullptr, names.get(), 0));
}

}  // namespace

bool fits() noexcept {
    return PyImport_GetMagicNumber() == embedded_magic;
}

bool install(PyObject* module) {
    const py_ref first = run_first();
    const py_ref modules = table();
    if (!first || !modules) return false;
    PyObject* const package = module != nullptr ? module : Py_None;
    const py_ref done =
        py_ref::steal(PyObject_CallMethod(first.get(), "install", "OO", modules.get(), package));
    is_installed() = static_cast<bool>(done);
    return is_installed();
}

void forget() noexcept {
    is_installed() = false;
}

py_ref find(const char* module, const char* name) noexcept {
    if (!is_installed()) return {};
    const py_ref found = import(module);
    return py_ref::steal(found ? PyObject_GetAttrString(found.get(), name) : nullptr);
}

py_ref call(const char* module, const char* name, std::initializer_list<PyObject*> arguments) noexcept {
    const py_ref function = find(module, name);
    if (!function) return {};
    return py_ref::steal(PyObject_Vectorcall(function.get(), arguments.begin(), arguments.size(), nullptr));
}

}  // namespace unicoro::python::package
