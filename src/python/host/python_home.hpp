// SPDX-License-Identifier: MIT
#pragma once

#include "app/host.hpp"
#include "python/host/app_import.hpp"
#include "python/host/server_object.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace unicoro::python {

/// What of Python lives as long as the process, and what workers inherit when the master has it: the
/// interpreter, the hooks and loggers, and applications that were preloaded.
class python_home {
  public:
    /// `executable`: sys.executable.
    explicit python_home(std::string executable) : executable_(std::move(executable)) {}

    [[nodiscard]] const std::string& executable() const noexcept { return executable_; }

    /// Where Python code is to be called for these settings.
    enum class use : std::uint8_t {
        master,    ///< only what is called there
        worker,    ///< on top of what the master has done
        checking,  ///< nothing will be served
    };

    /// Gives the interpreter what an application of these settings expects (environment, sys.path), and,
    /// where something is called, sets up its logging and finds the hooks' functions, unless a process before
    /// this one has.
    [[nodiscard]] std::optional<app::load_error> open(const settings::server_settings& values, use where);

    /// In the master, after `open`: imports what workers of these settings will need, except the application.
    /// With the GIL.
    [[nodiscard]] std::optional<app::load_error> share(const settings::server_settings& values);

    /// Imports the applications, as a worker of these settings would. After `open`, with the GIL.
    [[nodiscard]] std::optional<app::load_error> preload(const settings::server_settings& values);

    /// An application by its place in `apps` (0 without): preloaded or imported now. With the GIL.
    [[nodiscard]] boost::system::result<imported_application, app::load_error> application(
        const std::string& spec, std::size_t place, settings::app_interface said
    );

    [[nodiscard]] server_object& server() noexcept { return server_; }

    /// Lets go of every object: Python ends. With the GIL.
    void forget() noexcept;

  private:
    std::string executable_;
    server_object server_;
    std::vector<std::optional<imported_application>> preloaded_;
};

/// From now on the stacks of this process go to the error log if it dies. False with an exception set. With
/// the GIL.
[[nodiscard]] bool tell_stacks();

/// And when USR2 asks for them, in a worker. The same.
[[nodiscard]] bool tell_stacks_when_asked();

[[nodiscard]] app::load_error not_booted(const std::string& why);
/// Of the exception that is set. With the GIL.
[[nodiscard]] app::load_error not_booted();

/// True when, under -k async, no application needs a patched standard library. With the GIL.
[[nodiscard]] bool only_asgi(const settings::server_settings& values);

}  // namespace unicoro::python
