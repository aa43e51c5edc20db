// SPDX-License-Identifier: MIT
#include "python/asgi/asgi_application.hpp"

#include "log/log.hpp"
#include "python/asgi/asgi_loop.hpp"
#include "python/runtime/method.hpp"
#include "python/runtime/traceback.hpp"

#include <utility>

namespace unicoro::python {

bool asgi_application::prepare(const settings::server_settings& values) {
    state_ = py_ref::steal(PyDict_New());
    disconnect_grace_ = std::chrono::duration<double>(values.asgi_disconnect_grace_period).count();
    return state_ && scopes_.prepare(values);
}

void asgi_application::answer(std::string outcome, std::string text) {
    if (outcome == "ended") {
        log::error("the application's lifespan ended early\n{}", text);
        return;
    }
    outcome_ = std::move(outcome);
    text_ = std::move(text);
    answered_.set();
}

PyObject* asgi_application::tell(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
    auto& application = bound_object<asgi_application>(self);
    if (count == 2) application.answer(to_utf8(arguments[0]), to_utf8(arguments[1]));
    Py_RETURN_NONE;
}

void asgi_application::start_lifespan(asgi_loop& loop, settings::lifespan_mode mode) {
    static PyMethodDef tell_method{"tell", fast(&tell), METH_FASTCALL, "tell(outcome, text)"};
    const py_ref type = loop.function("Lifespan");
    const py_ref scope = scopes_.lifespan(state_.get());
    const py_ref tell = bound_method(tell_method, this);
    PyObject* const must = mode == settings::lifespan_mode::on ? Py_True : Py_False;
    py_ref started;
    if (type && scope && tell) {
        lifespan_ = py_ref::steal(
            PyObject_CallFunctionObjArgs(type.get(), callable_.get(), scope.get(), must, tell.get(), nullptr)
        );
    }
    if (lifespan_) {
        started = py_ref::steal(PyObject_CallMethod(lifespan_.get(), "start", "O", loop.loop()));
    }
    if (!started) answer("failed", describe_exception(take_exception().get()));
}

void asgi_application::stop_lifespan() {
    py_ref told;
    if (lifespan_) told = py_ref::steal(PyObject_CallMethod(lifespan_.get(), "stop", nullptr));
    if (told) return;
    answer("stopped", lifespan_ ? describe_exception(take_exception().get()) : std::string());
}

}  // namespace unicoro::python
