// SPDX-License-Identifier: MIT
#include "settings/key_problem.hpp"

#include "settings/setting.hpp"

namespace unicoro::settings {

std::string key_problem(std::string_view key) {
    const setting* const row = find_setting(key);
    if (row == nullptr) {
        const auto meant = nearest_key(key);
        const std::string hint =
            meant ? "; did you mean \"" + std::string(*meant) + "\"?" : " (--print-schema lists all)";
        return "unknown setting" + hint;
    }
    if (row->scope != scope::command_line) return {};
    return "can only be given on the command line, as " + std::string(spoken_name(*row));
}

}  // namespace unicoro::settings
