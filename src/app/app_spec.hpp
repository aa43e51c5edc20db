// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace unicoro::app {

enum class app_language { native, python };

/// An application as it is named on the command line: `./libhello.so:app` or `module:attribute`.
struct app_spec {
    app_language language = app_language::python;
    std::string module;     ///< path of the library, or the dotted Python module
    std::string attribute;  ///< what follows the first ':' after it; empty = the default
};

/// Splits a spec. Native is what has a '/' or ends in ".so" (with version numbers or not) before the ':',
/// and does not end in ".py".
[[nodiscard]] app_spec parse_app_spec(std::string_view text);

}  // namespace unicoro::app
