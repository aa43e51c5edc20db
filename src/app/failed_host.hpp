// SPDX-License-Identifier: MIT
#pragma once

#include "app/host.hpp"

#include <memory>
#include <string>
#include <vector>

namespace unicoro::app {

/// Stands in for an application that could not be loaded, under `reload`: answers every request with
/// why, until a change of the code brings another worker.
class failed_host final : public host {
  public:
    /// `broken` knows which files to watch; may be empty.
    failed_host(std::unique_ptr<host> broken, std::string why);

    [[nodiscard]] std::string_view interface_name() const noexcept override { return "none"; }
    [[nodiscard]] std::optional<load_error> load(worker_context& context) override;
    awaitable<std::optional<load_error>> start(worker_context& context) override;
    awaitable<void> handle(exchange& request) override;
    awaitable<void> stop(worker_context& context) override;
    [[nodiscard]] std::vector<std::string> code_files() override;
    [[nodiscard]] bool is_broken() const noexcept override { return true; }

  private:
    std::unique_ptr<host> broken_;
    std::string page_;
};

}  // namespace unicoro::app
