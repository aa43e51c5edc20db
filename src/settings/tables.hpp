// SPDX-License-Identifier: MIT
#pragma once

#include "settings/setting.hpp"

#include <initializer_list>
#include <vector>

namespace unicoro::settings::tables {

// A setting whose engine has landed is opened by taking `.status` and `.remark` (or `.not_yet`) out
// of its row; docs/settings.md and config/unicoro.schema.json are printed anew after that.

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
[[nodiscard]] part http();
[[nodiscard]] part proxies();
[[nodiscard]] part tls();
[[nodiscard]] part http2();
[[nodiscard]] part asgi();
[[nodiscard]] part process();
[[nodiscard]] part logging();
[[nodiscard]] part metrics();
[[nodiscard]] part hooks();
[[nodiscard]] part control();

}  // namespace unicoro::settings::tables
