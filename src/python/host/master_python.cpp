// SPDX-License-Identifier: MIT
#include "python/host/master_python.hpp"

#include "app/make_host.hpp"
#include "python/host/python_host.hpp"
#include "python/runtime/gil.hpp"
#include "python/runtime/interpreter.hpp"
#include "python/runtime/traceback.hpp"

namespace unicoro::python {

std::optional<app::load_error> master_python::start(std::span<const os::listener> sockets) {
    if (auto failure = home_->open(values_, python_home::use::master)) return failure;
    const gil_lock gil;
    home_->server().listening(sockets);
    if (!home_->server().fire("on_starting")) {
        return app::load_error{
            app::boot_failure::worker,
            "The server does not start: the hook on_starting failed\n" +
                describe_exception(take_exception().get())
        };
    }
    return app::has_python(values_) ? home_->share(values_) : std::nullopt;
}

void master_python::before_fork(std::uint64_t age) {
    const gil_lock gil;
    home_->server().tell("before_fork", age);
}

void master_python::forked(pid_t pid) {
    if (pid == 0) return;
    const gil_lock gil;
    home_->server().tell("forked", pid);
}

void master_python::adopted(std::uint64_t age, pid_t pid) {
    const gil_lock gil;
    home_->server().tell("adopted", age, pid);
}

bool master_python::preloads(const settings::server_settings& values) {
    return values.preload_app && app::has_python(values);
}

std::optional<app::load_error> master_python::preload(
    const settings::server_settings& values, std::span<const os::listener> sockets
) {
    if (auto failure = home_->open(values, python_home::use::worker)) return failure;
    const gil_lock gil;
    if (!tell_stacks()) return not_booted();
    home_->server().listening(sockets);
    home_->server().tell("preloading");
    return home_->preload(values);
}

void master_python::unload() {
    {
        const gil_lock gil;
        home_->forget();
    }
    interpreter::leave();
}

std::unique_ptr<app::host> master_python::make_host() {
    return std::make_unique<python_host>(home_);
}

void master_python::when_ready() {
    const gil_lock gil;
    home_->server().announce("when_ready");
}

void master_python::adopt(const settings::server_settings& values) {
    const gil_lock gil;
    home_->server().adopt(values);
}

void master_python::reopened_logs() {
    const gil_lock gil;
    home_->server().tell("logs_reopened");
}

void master_python::reloaded(std::span<const os::listener> sockets) {
    const gil_lock gil;
    home_->server().listening(sockets);
    home_->server().announce("on_reload");
}

void master_python::upgrading() {
    const gil_lock gil;
    home_->server().announce("pre_exec");
}

void master_python::worker_ended(pid_t pid, int status) {
    const gil_lock gil;
    home_->server().tell("worker_ended", pid, status);
}

void master_python::workers_changed(int number, int before) {
    const gil_lock gil;
    home_->server().tell("workers_changed", number, before);
}

void master_python::ending() {
    {
        const gil_lock gil;
        home_->server().announce("on_exit");
        home_->forget();
    }
    interpreter::leave();
}

}  // namespace unicoro::python
