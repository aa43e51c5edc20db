// SPDX-License-Identifier: MIT
#include "python/wsgi/client_socket.hpp"

#include "log/log.hpp"
#include "python/runtime/package.hpp"
#include "python/runtime/traceback.hpp"

#include <utility>

namespace unicoro::python {
namespace {

using offer_ptr = std::shared_ptr<app::connection_offer>;

PyObject* take(PyObject* capsule, PyObject*) {
    const auto* const offer = static_cast<const offer_ptr*>(PyCapsule_GetPointer(capsule, nullptr));
    return offer != nullptr ? PyBool_FromLong((*offer)->take() ? 1 : 0) : nullptr;
}

void drop(PyObject* capsule) {
    const std::unique_ptr<offer_ptr> held(static_cast<offer_ptr*>(PyCapsule_GetPointer(capsule, nullptr)));
    if (held) (*held)->release();
}

void tell(const char* what, PyObject* client_socket) noexcept {
    if (package::call("_unicoro.client_socket", what, {client_socket})) return;
    // What is no Exception tells that the request was ended meanwhile.
    const py_ref failure = take_exception();
    if (PyErr_GivenExceptionMatches(failure.get(), PyExc_Exception) == 0) return;
    log::error("{}\n{}", what, describe_exception(failure.get()));
}

PyMethodDef take_method{
    "take", &take, METH_NOARGS, "The application uses the connection; False: it is too late."
};

}  // namespace

py_ref add_client_socket(PyObject* environ, PyObject* application, offer_ptr offer) {
    os::unique_fd socket = offer->claim_socket();
    auto kept = std::make_unique<offer_ptr>(std::move(offer));
    const py_ref capsule = py_ref::steal(PyCapsule_New(kept.get(), nullptr, &drop));
    if (!capsule) return {};
    [[maybe_unused]] offer_ptr* const owned_by_capsule = kept.release();
    const py_ref taking = py_ref::steal(PyCFunction_New(&take_method, capsule.get()));
    const py_ref make = package::find("_unicoro.client_socket", "client_socket");
    if (!taking || !make) return {};
    py_ref made = py_ref::steal(
        PyObject_CallFunction(make.get(), "iOOO", socket.get(), taking.get(), environ, application)
    );
    if (made) [[maybe_unused]]
        const int owned_by_socket = socket.release();
    return made;
}

void end_client_socket(PyObject* client_socket) noexcept {
    tell("end_client_socket", client_socket);
}

void finish_client_socket(PyObject* client_socket) noexcept {
    tell("finish_client_socket", client_socket);
}

}  // namespace unicoro::python
