// SPDX-License-Identifier: MIT
#pragma once

#include "app/host.hpp"
#include "python/runtime/py_ref.hpp"
#include "settings/settings.hpp"

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace unicoro::python {

/// The server as Python code knows it (the object that hooks.py makes): gunicorn's hooks, its loggers and
/// what they are called with. Made when the interpreter starts and inherited by workers of a master that
/// has one. Every call with the GIL. While it is not made, calls of a master do nothing.
class server_object {
  public:
    /// Sets up the loggers and imports the functions of hooks. `checking`: only to see whether it can be
    /// done. False with a Python exception set.
    [[nodiscard]] bool make(const settings::server_settings& values, bool checking);
    [[nodiscard]] bool is_made() const noexcept { return static_cast<bool>(server_); }

    /// Calls a method of the object; false with a Python exception set.
    template <class... Numbers>
    [[nodiscard]] bool call(const char* method, Numbers... numbers) {
        return invoke(method, {static_cast<long>(numbers)...});
    }

    /// The same, and an exception is logged.
    template <class... Numbers>
    void tell(const char* method, Numbers... numbers) {
        if (!call(method, numbers...)) complain(method);
    }

    /// Settings that were read anew. An exception is logged, and what was before stays.
    void adopt(const settings::server_settings& values);

    /// In the master: the sockets that are open.
    void listening(std::span<const os::listener> sockets);

    /// In a worker, before anything of the application. False with a Python exception set.
    [[nodiscard]] bool enter_worker(std::uint64_t age, std::span<const os::listener> sockets);

    /// In a worker whose application is loaded or started: access lines go where the application's logging
    /// sends them. `greenlets` is the package of those that run requests.
    void serving(bool asgi, std::string_view greenlets);

    /// A hook that is called with the server alone.
    [[nodiscard]] bool fire(const char* hook);
    void announce(const char* hook);

    /// An application that was imported, with pre_request and post_request around it; nothing with an
    /// exception set.
    [[nodiscard]] py_ref around(py_ref application, const char* interface);

    /// Python ends.
    void forget() noexcept;

  private:
    [[nodiscard]] bool invoke(const char* method, std::initializer_list<long> numbers);
    static void complain(const char* what);

    py_ref server_;
};

}  // namespace unicoro::python
