// SPDX-License-Identifier: MIT
#include "settings/path_prefix.hpp"

#include "base/text.hpp"

#include <string_view>

namespace unicoro::settings {

std::string path_prefix_problem(const std::string& path) {
    const std::string shown = "the path prefix " + base::printable("\"" + path + "\"");
    if (!path.starts_with('/')) return shown + R"( must begin with "/")";
    if (path == "/") return {};
    if (path.ends_with('/')) return shown + R"( must not end with "/": remove it)";
    if (base::has_control_byte(path) || path.find_first_of("?#") != std::string::npos) {
        return shown + " must be a path alone, without query, fragment and control characters";
    }
    // The parser of requests leaves no such segment in a path: it would never match.
    for (const std::string_view segment : {"//", "/./", "/../"}) {
        if ((path + "/").find(segment) != std::string::npos) {
            return shown + R"( must not have empty segments, "." or "..")";
        }
    }
    return {};
}

}  // namespace unicoro::settings
