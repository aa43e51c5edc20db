// SPDX-License-Identifier: MIT
#include "app/mounted_host.hpp"

#include <algorithm>
#include <utility>

namespace unicoro::app {

void mounted_host::add(std::unique_ptr<host> part, const std::vector<std::size_t>& serves) {
    for (const std::size_t place : serves) {
        if (by_application_.size() <= place) by_application_.resize(place + 1);
        by_application_[place] = part.get();
    }
    parts_.push_back(std::move(part));
}

void mounted_host::add_driver(std::unique_ptr<host> part, const std::vector<std::size_t>& serves) {
    driver_ = part.get();
    add(std::move(part), serves);
}

std::string_view mounted_host::interface_name() const noexcept {
    interfaces_.clear();
    for (const auto& each : parts_) {
        const std::string_view name = each->interface_name();
        if (interfaces_.find(name) != std::string::npos) continue;
        interfaces_.append(interfaces_.empty() ? "" : ", ").append(name);
    }
    return interfaces_;
}

std::optional<load_error> mounted_host::load(worker_context& context) {
    for (const auto& each : parts_) {
        if (auto failure = each->load(context)) return failure;
    }
    return std::nullopt;
}

awaitable<std::optional<load_error>> mounted_host::start(worker_context& context) {
    for (const auto& each : parts_) {
        std::optional<load_error> failure = co_await each->start(context);
        if (failure) co_return failure;
    }
    co_return std::optional<load_error>();
}

awaitable<void> mounted_host::handle(exchange& request) {
    return by_application_[request.where().application]->handle(request);
}

awaitable<void> mounted_host::stop(worker_context& context) {
    for (const auto& each : parts_) co_await each->stop(context);
}

void mounted_host::drive(boost::asio::io_context& io) {
    if (driver_ != nullptr) return driver_->drive(io);
    host::drive(io);
}

bool mounted_host::holds_loop() const noexcept {
    return driver_ != nullptr && driver_->holds_loop();
}

std::size_t mounted_host::places() const noexcept {
    return driver_ != nullptr ? driver_->places() : 0;
}

std::string mounted_host::stack_of_loop() {
    return driver_ != nullptr ? driver_->stack_of_loop() : std::string();
}

std::chrono::nanoseconds mounted_host::waited_for_interpreter() const noexcept {
    return driver_ != nullptr ? driver_->waited_for_interpreter() : std::chrono::nanoseconds::zero();
}

bool mounted_host::shows_code() const noexcept {
    return driver_ != nullptr && driver_->shows_code();
}

std::vector<code_seen> mounted_host::look_at_code(const gather_places& gather) {
    return driver_ != nullptr ? driver_->look_at_code(gather) : std::vector<code_seen>();
}

bool mounted_host::runs_native_code() const noexcept {
    return std::any_of(parts_.begin(), parts_.end(), [](const auto& each) {
        return each->runs_native_code();
    });
}

bool mounted_host::accepts_websockets() const noexcept {
    return std::all_of(parts_.begin(), parts_.end(), [](const auto& each) {
        return each->accepts_websockets();
    });
}

void mounted_host::interrupted() {
    for (const auto& each : parts_) each->interrupted();
}

void mounted_host::cancelling() {
    for (const auto& each : parts_) each->cancelling();
}

std::vector<std::string> mounted_host::code_files() {
    std::vector<std::string> files;
    for (const auto& each : parts_) {
        for (std::string& path : each->code_files()) files.push_back(std::move(path));
    }
    return files;
}

void mounted_host::logs_reopened() {
    for (const auto& each : parts_) each->logs_reopened();
}

}  // namespace unicoro::app
