// SPDX-License-Identifier: MIT
#pragma once

#include "app/app_spec.hpp"
#include "app/host.hpp"

#include <unicoro/application.hpp>

#include <memory>
#include <string>
#include <vector>

namespace unicoro::app {

/// Native applications find symbols of the server in the library with this address before they find them in
/// the others: what it has, the others use as well. Before the first application is loaded.
void looked_through_first(const void* address);

/// Serves a C++ application out of a shared library.
class native_host final : public host {
  public:
    explicit native_host(app_spec spec);
    ~native_host() override;

    std::string_view interface_name() const noexcept override { return "native"; }
    std::optional<load_error> load(worker_context& context) override;
    awaitable<std::optional<load_error>> start(worker_context& context) override;
    awaitable<void> handle(exchange& request) override;
    awaitable<void> stop(worker_context& context) override;
    [[nodiscard]] bool runs_native_code() const noexcept override { return true; }
    [[nodiscard]] bool accepts_websockets() const noexcept override { return true; }
    [[nodiscard]] std::vector<std::string> code_files() override;

  private:
    class handle_for_application;

    app_spec spec_;
    const application* application_ = nullptr;
    std::unique_ptr<handle_for_application> worker_;
};

}  // namespace unicoro::app
