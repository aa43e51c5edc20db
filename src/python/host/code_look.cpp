// SPDX-License-Identifier: MIT
#include "python/host/code_look.hpp"

#include "python/runtime/gil.hpp"
#include "python/runtime/interpreter.hpp"
#include "python/runtime/package.hpp"
#include "python/runtime/py_ref.hpp"
#include "python/runtime/python_place.hpp"
#include "python/runtime/traceback.hpp"

#include <cstddef>
#include <memory>
#include <utility>

namespace unicoro::python {
namespace {

// Of all that is told of one worker, in characters.
constexpr unsigned long most_text = 100'000;

using places = std::vector<std::shared_ptr<app::code_place>>;

py_ref listed(const places& all) {
    py_ref list = py_ref::steal(PyList_New(0));
    for (const auto& each : all) {
        if (!list) break;
        const auto& place = static_cast<const python_place&>(*each);
        const py_ref one = py_ref::steal(Py_BuildValue("sO", place.kind, place.subject.get()));
        if (!one || PyList_Append(list.get(), one.get()) != 0) list.reset();
    }
    return list;
}

app::code_seen seen_at(const app::code_place& place, PyObject* told) {
    app::code_seen seen;
    seen.kind = static_cast<const python_place&>(place).kind;
    if (told == nullptr || !PyTuple_Check(told) || PyTuple_GET_SIZE(told) != 2) {
        seen.left_out = true;
        return seen;
    }
    seen.running = PyTuple_GET_ITEM(told, 0) == Py_True;
    seen.calls = to_utf8(PyTuple_GET_ITEM(told, 1));
    return seen;
}

}  // namespace

std::vector<app::code_seen> look_at_code(unsigned long loop_thread, const app::gather_places& gather) {
    if (!interpreter::running()) return {};
    const gil_visit here;
    const places all = gather();
    const py_ref list = listed(all);
    const py_ref thread = py_ref::steal(PyLong_FromUnsignedLong(loop_thread));
    const py_ref room = py_ref::steal(PyLong_FromUnsignedLong(most_text));
    py_ref told;
    if (list && thread && room) {
        told = package::call("_unicoro.code_places", "look", {thread.get(), room.get(), list.get()});
    }
    // What has an exception set here is a lack of memory, or code of the application's that tools meet.
    PyErr_Clear();
    std::vector<app::code_seen> seen;
    if (!told || !PyList_Check(told.get())) return seen;
    for (std::size_t at = 0; at < all.size() && std::cmp_less(at, PyList_GET_SIZE(told.get())); ++at) {
        seen.push_back(seen_at(*all[at], PyList_GET_ITEM(told.get(), static_cast<Py_ssize_t>(at))));
    }
    return seen;
}

}  // namespace unicoro::python
