// SPDX-License-Identifier: MIT
#pragma once

#include "python/py_ref.hpp"
#include "settings/settings.hpp"

#include <initializer_list>

namespace unicoro::python {

/// gunicorn's server hooks: the object that hooks.py makes, when the settings name any. Every call with
/// the GIL.
class server_hooks {
  public:
    /// Imports the functions. False with a Python exception set.
    [[nodiscard]] bool load(const settings::server_settings& values);

    /// True when there are hooks; without them every call does nothing and succeeds.
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(server_); }

    /// Calls a method of the object; false with a Python exception set.
    template <class... Numbers>
    [[nodiscard]] bool call(const char* method, Numbers... numbers) {
        return !server_ || invoke(method, {static_cast<long>(numbers)...});
    }

    /// The same, and an exception is logged.
    template <class... Numbers>
    void tell(const char* method, Numbers... numbers) {
        if (!call(method, numbers...)) complain(method);
    }

    /// A hook that is called with the server alone.
    [[nodiscard]] bool fire(const char* hook);
    void announce(const char* hook);

    /// The application with pre_request and post_request around it; nothing with an exception set.
    [[nodiscard]] py_ref around(py_ref application, const char* interface);

    void forget() noexcept { server_ = {}; }

  private:
    [[nodiscard]] bool invoke(const char* method, std::initializer_list<long> numbers);
    static void complain(const char* what);

    py_ref server_;
};

}  // namespace unicoro::python
