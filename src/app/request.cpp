// SPDX-License-Identifier: MIT
#include <unicoro/request.hpp>

#include "app/connection_variables.hpp"
#include "app/exchange.hpp"
#include "app/percent.hpp"

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <utility>

namespace unicoro {

awaitable<std::size_t> request_body::read_some(std::span<char> into) {
    const result<std::size_t> taken = co_await exchange_.read_body(into);
    if (!taken) throw boost::system::system_error(taken.error());
    co_return *taken;
}

awaitable<std::string> request_body::read_all(std::size_t limit) {
    std::string whole;
    for (;;) {
        const std::size_t have = whole.size();
        // One byte beyond the limit tells a body that fits from one that does not.
        const std::size_t more = std::min(std::max<std::size_t>(have, 4096), limit + 1 - have);
        whole.resize(have + more);
        const result<std::size_t> taken = co_await exchange_.read_body(std::span<char>(whole).subspan(have));
        if (!taken) throw boost::system::system_error(taken.error());
        whole.resize(have + *taken);
        if (*taken == 0) co_return whole;
        if (whole.size() > limit) throw boost::system::system_error(errc::body_too_large);
    }
}

std::string_view request::method() const noexcept {
    return exchange_.head().method;
}
std::string_view request::target() const noexcept {
    return exchange_.head().target;
}

std::string_view request::path() const noexcept {
    const app::location& where = exchange_.where();
    const bool mounted = !where.server.empty() || !where.prefix.empty();
    return where.path.empty() && mounted ? std::string_view("/") : where.path;
}

std::string request::mount() const {
    return exchange_.where().script_name();
}
std::string_view request::query() const noexcept {
    return exchange_.head().query;
}
std::string_view request::protocol() const noexcept {
    return exchange_.head().protocol();
}
std::string_view request::scheme() const noexcept {
    return exchange_.head().scheme;
}
std::string_view request::host() const noexcept {
    return exchange_.head().authority;
}

std::string_view request::remote_address() const noexcept {
    return exchange_.client().address;
}

std::string request::connection_variable(std::string_view name) const {
    for (auto& [each, value] : app::variables_of(exchange_.connection())) {
        if (each == name) return std::move(value);
    }
    return {};
}

std::uint16_t request::remote_port() const noexcept {
    return exchange_.client().port;
}

std::optional<std::chrono::nanoseconds> request::queue_time() const noexcept {
    return exchange_.waited();
}

std::span<const header_field> request::headers() const noexcept {
    return exchange_.head().fields;
}

std::optional<std::string_view> request::header(std::string_view name) const noexcept {
    return exchange_.head().find(name);
}

void request::early_hints(std::span<const header_field> fields) {
    http::response_head hints;
    for (const header_field& each : fields) {
        const error_code ec = hints.add(each.name, each.value);
        if (ec) throw boost::system::system_error(ec);
    }
    exchange_.hint(hints);
}

void request::spawn(std::string name, awaitable<void> task) {
    exchange_.nursery().spawn(std::move(name), std::move(task));
}

std::string request::decoded_path() const {
    return app::percent_decode(path(), app::plus_sign::literal);
}

std::optional<std::string> request::query_parameter(std::string_view name) const {
    std::string_view rest = query();
    while (!rest.empty()) {
        const std::size_t end = rest.find('&');
        const std::string_view pair = rest.substr(0, end);
        const std::size_t equals = pair.find('=');
        if (app::percent_decode(pair.substr(0, equals), app::plus_sign::space) == name) {
            if (equals == std::string_view::npos) return std::string();
            return app::percent_decode(pair.substr(equals + 1), app::plus_sign::space);
        }
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
    }
    return std::nullopt;
}

}  // namespace unicoro
