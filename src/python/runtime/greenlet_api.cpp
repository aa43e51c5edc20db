// SPDX-License-Identifier: MIT
#include "python/runtime/greenlet_api.hpp"

namespace unicoro::python {
namespace {

// greenlet.h: the numbers of the slots used here.
enum slot { new_greenlet = 3, get_current = 4, throw_greenlet = 5, switch_greenlet = 6 };

void** slots = nullptr;
PyObject* parent_name = nullptr;

template <class Function>
Function* function_in(slot which) noexcept {
    return reinterpret_cast<Function*>(slots[which]);
}

}  // namespace

bool greenlet_api::import() noexcept {
    if (slots != nullptr) return true;
    // Importing the capsule does not import the package.
    const py_ref package = py_ref::steal(PyImport_ImportModule("greenlet"));
    if (!package) return false;
    if (parent_name == nullptr) parent_name = PyUnicode_InternFromString("parent");
    if (parent_name == nullptr) return false;
    slots = static_cast<void**>(PyCapsule_Import("greenlet._C_API", 0));
    return slots != nullptr;
}

py_ref greenlet_api::make(PyObject* run, PyObject* parent) noexcept {
    return py_ref::steal(function_in<PyObject*(PyObject*, PyObject*)>(new_greenlet)(run, parent));
}

py_ref greenlet_api::switch_to(PyObject* greenlet) noexcept {
    return py_ref::steal(
        function_in<PyObject*(PyObject*, PyObject*, PyObject*)>(switch_greenlet)(greenlet, nullptr, nullptr)
    );
}

py_ref greenlet_api::throw_into(PyObject* greenlet, PyObject* exception) noexcept {
    auto* const type = reinterpret_cast<PyObject*>(Py_TYPE(exception));
    return py_ref::steal(function_in<PyObject*(PyObject*, PyObject*, PyObject*, PyObject*)>(throw_greenlet)(
        greenlet, type, exception, nullptr
    ));
}

py_ref greenlet_api::current() noexcept {
    return py_ref::steal(function_in<PyObject*()>(get_current)());
}

py_ref greenlet_api::parent_of(PyObject* greenlet) noexcept {
    return py_ref::steal(PyObject_GetAttr(greenlet, parent_name));
}

}  // namespace unicoro::python
