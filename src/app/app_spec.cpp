// SPDX-License-Identifier: MIT
#include "app/app_spec.hpp"

namespace unicoro::app {
namespace {

bool names_library(std::string_view module) {
    // The file of a Python module: Python's side says how that is named.
    if (module.ends_with(".py")) return false;
    return module.find('/') != std::string_view::npos || module.ends_with(".so") ||
           module.find(".so.") != std::string_view::npos;
}

}  // namespace

app_spec parse_app_spec(std::string_view text) {
    app_spec spec;
    const std::size_t colon = text.find(':');
    spec.module = text.substr(0, colon);
    if (colon != std::string_view::npos) spec.attribute = text.substr(colon + 1);
    if (names_library(spec.module)) spec.language = app_language::native;
    return spec;
}

}  // namespace unicoro::app
