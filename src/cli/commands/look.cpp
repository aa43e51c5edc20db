// SPDX-License-Identifier: MIT
#include "cli/commands/look.hpp"

#include "cli/commands/http_get.hpp"

namespace unicoro::cli {

attempt<std::string> look(
    const found_server& server, std::string_view path, std::span<const int> interrupted_by
) {
    if (!server.admin) return trouble{exit_not_reached, server.unseen};
    return ask_monitor({*server.admin, path, server.token, patience_with_monitor, interrupted_by});
}

}  // namespace unicoro::cli
