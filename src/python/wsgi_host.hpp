// SPDX-License-Identifier: MIT
#pragma once

#include "app/host.hpp"
#include "python/turnstile.hpp"
#include "python/wsgi_call.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::python {

/// Serves a WSGI application (PEP 3333) in line: one request at a time is inside the application,
/// on the loop's thread, so nothing of two requests ever mixes in it. Reading request bodies and
/// sending whole responses is the loop's work and goes on for any number of clients.
class wsgi_host final : public app::host {
  public:
    /// `executable`: the interpreter or venv that the plugin was chosen for.
    explicit wsgi_host(std::string executable) : executable_(std::move(executable)) {}
    ~wsgi_host() override;

    [[nodiscard]] std::string_view interface_name() const noexcept override { return "WSGI"; }
    [[nodiscard]] std::optional<app::load_error> load(app::worker_context& context) override;
    awaitable<std::optional<app::load_error>> start(app::worker_context& context) override;
    awaitable<void> handle(app::exchange& request) override;
    awaitable<void> stop(app::worker_context& context) override;

  private:
    [[nodiscard]] bool admit(app::exchange& request) const;
    static void refuse_body(app::exchange& request, error_code why);
    void shut_down() noexcept;

    std::string executable_;
    std::unique_ptr<wsgi_runtime> runtime_;
    std::optional<turnstile> turns_;
};

}  // namespace unicoro::python
