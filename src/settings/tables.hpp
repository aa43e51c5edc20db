// SPDX-License-Identifier: MIT
#pragma once

#include "settings/setting.hpp"

#include <initializer_list>
#include <vector>

namespace unicoro::settings::tables {

/// The rows of one section; `setting.cpp` joins them.
struct part {
    section where;
    std::vector<setting> rows;
};

/// One section from groups of rows.
[[nodiscard]] part join(section where, std::initializer_list<std::vector<setting>> groups);

[[nodiscard]] part application();
[[nodiscard]] part configuration();
[[nodiscard]] part sockets();
[[nodiscard]] part workers();
[[nodiscard]] part timeouts();
[[nodiscard]] part limits();
[[nodiscard]] part admission();
[[nodiscard]] part http();
[[nodiscard]] part proxies();
[[nodiscard]] part site_files();
[[nodiscard]] part compression();
[[nodiscard]] part tls();
[[nodiscard]] part http2();
[[nodiscard]] part asgi();
[[nodiscard]] part process();
[[nodiscard]] part logging();
[[nodiscard]] part statsd();
[[nodiscard]] part monitoring();
[[nodiscard]] part hooks();

/// What of gunicorn's settings is not available, of every section. One whose engine has landed becomes a row
/// of its section; docs/settings.md and config/unicoro.schema.json are printed anew after that.
[[nodiscard]] std::vector<setting> unavailable();

}  // namespace unicoro::settings::tables
