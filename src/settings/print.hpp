// SPDX-License-Identifier: MIT
#pragma once

#include "settings/settings.hpp"

#include <string>
#include <string_view>

namespace unicoro::settings {

/// Every setting as a line "name = value", sorted, in gunicorn's form (Python's None, True, ['a']).
[[nodiscard]] std::string print_config(const server_settings& settings);

/// Every setting by its name as one JSON object in one line, as the file would have it.
[[nodiscard]] std::string print_json(const server_settings& settings);

/// The JSON Schema (draft 2020-12) of the settings file: the text of config/unicoro.schema.json.
[[nodiscard]] std::string print_schema();

/// The manual page unicoro(1) in roff, for man(7)'s macros.
[[nodiscard]] std::string print_man(std::string_view version);

/// What makes a shell complete the flags and their values; `shell` is a word of --print-completion.
[[nodiscard]] std::string print_completion(std::string_view shell);

/// The page of settings in Markdown: the text of docs/settings.md.
[[nodiscard]] std::string print_settings_doc();

}  // namespace unicoro::settings
