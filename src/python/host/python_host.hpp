// SPDX-License-Identifier: MIT
#pragma once

#include "app/host.hpp"
#include "python/asgi/asgi_greenlet.hpp"
#include "python/asgi/asgi_runner.hpp"
#include "python/host/python_home.hpp"
#include "python/loop/shared_reactor.hpp"
#include "python/wsgi/greenlets/loop_driver.hpp"
#include "python/wsgi/wsgi_runner.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::python {

/// The interpreter of a worker with its applications: one, or those of the setting `apps` that are
/// Python.
class python_host final : public app::host {
  public:
    explicit python_host(std::shared_ptr<python_home> home) : home_(std::move(home)) {}
    ~python_host() override;

    [[nodiscard]] std::string_view interface_name() const noexcept override;
    [[nodiscard]] std::optional<app::load_error> load(app::worker_context& context) override;
    awaitable<std::optional<app::load_error>> start(app::worker_context& context) override;
    awaitable<void> handle(app::exchange& request) override;
    awaitable<void> stop(app::worker_context& context) override;
    void drive(asio::io_context& io) override;
    bool holds_loop() const noexcept override;
    std::size_t places() const noexcept override;
    std::string stack_of_loop() override;
    [[nodiscard]] std::chrono::nanoseconds waited_for_interpreter() const noexcept override;
    [[nodiscard]] bool accepts_websockets() const noexcept override;
    bool shows_code() const noexcept override { return true; }
    std::vector<app::code_seen> look_at_code(const app::gather_places& gather) override;
    void interrupted() override;
    void cancelling() override;
    [[nodiscard]] std::vector<std::string> code_files() override;
    void logs_reopened() override;

  private:
    /// One of the two.
    struct application {
        std::unique_ptr<wsgi_runtime> wsgi;
        std::unique_ptr<asgi_application> asgi;
    };

    [[nodiscard]] std::optional<app::load_error> make_runners(app::worker_context& context);
    [[nodiscard]] std::optional<app::load_error> make_runner(app::worker_context& context);
    [[nodiscard]] std::optional<app::load_error> make_asgi_runner(app::worker_context& context);
    [[nodiscard]] std::optional<app::load_error> load_application(
        const std::string& spec, std::size_t place, app::worker_context& context
    );
    [[nodiscard]] std::optional<app::load_error> load_all(app::worker_context& context);
    [[nodiscard]] std::optional<app::load_error> watch_end(app::worker_context& context);
    static awaitable<void> end_when_aborted(app::worker_context& context, int aborted);
    [[nodiscard]] bool serves_wsgi() const noexcept;
    void serve_logs();
    void shut_down() noexcept;
    void let_go(bool threads_inside) noexcept;

    std::shared_ptr<python_home> home_;
    std::vector<std::string> extra_files_;
    std::function<void()> heartbeat_;
    bool server_told_ = false;  // that this is a worker
    unsigned long thread_ = 0;  // Python's number of the loop's
    std::unique_ptr<shared_reactor> reactor_;
    std::unique_ptr<loop_driver> driver_;
    std::unique_ptr<wsgi_runner> own_runner_;
    wsgi_runner* runner_ = nullptr;
    std::optional<app::load_error> no_runner_;  // why there is none for WSGI
    std::unique_ptr<asgi_runner> asgi_;
    std::unique_ptr<asgi_greenlet> beside_;  // asgi_ lives beside driver_
    std::vector<application> applications_;  // by their place in `apps`
};

}  // namespace unicoro::python
