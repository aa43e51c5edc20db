// SPDX-License-Identifier: MIT
#include "python/asgi/awaitables.hpp"

#include "python/runtime/gil.hpp"
#include "python/runtime/traceback.hpp"
#include "support/doctest.hpp"
#include "unit/python/hosted.hpp"

#include <string>

using unicoro::python::describe_exception;
using unicoro::python::gil_lock;
using unicoro::python::py_ref;
using unicoro::python::take_exception;

namespace {

/// What a method of a send() that is done raises.
std::string raised_by(const char* method, PyObject* argument = nullptr) {
    const py_ref done = unicoro::python::sent_already();
    REQUIRE(done);
    const py_ref given = py_ref::steal(
        argument != nullptr ? PyObject_CallMethod(done.get(), method, "O", argument)
                            : PyObject_CallMethod(done.get(), method, nullptr)
    );
    if (given) return "nothing";
    return describe_exception(take_exception().get());
}

}  // namespace

TEST_SUITE("awaitables") {
    TEST_CASE("a send that is done behaves as a coroutine that is at its end") {
        unicoro::testing::the_host();
        const gil_lock gil;
        CHECK(raised_by("send", Py_None) == "StopIteration");
        CHECK(raised_by("close") == "nothing");
        CHECK(raised_by("throw", PyExc_KeyError) == "KeyError");
        const py_ref error = py_ref::steal(PyObject_CallFunction(PyExc_KeyError, "s", "on purpose"));
        CHECK(raised_by("throw", error.get()) == "KeyError: 'on purpose'");
        CHECK(raised_by("throw") == "TypeError: throw expected at least 1 argument");
        CHECK(raised_by("throw", Py_None) == "TypeError: exceptions must derive from BaseException");
        const py_ref done = unicoro::python::sent_already();
        CHECK(PyIter_Next(done.get()) == nullptr);
        CHECK(PyErr_Occurred() == nullptr);
    }
}
