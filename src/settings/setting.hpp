// SPDX-License-Identifier: MIT
#pragma once

#include "settings/member.hpp"
#include "settings/value_types.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::settings {

/// The headings of --help and of the documentation, in their order.
enum class section {
    application,
    configuration,
    sockets,
    workers,
    timeouts,
    limits,
    admission,
    http,
    files,
    compression,
    proxies,
    tls,
    http2,
    asgi,
    process,
    logging,
    monitoring,
    metrics,
    hooks,
    control,
};

/// The heading of a section.
[[nodiscard]] std::string_view title(section which) noexcept;

/// What a flag takes on the command line.
enum class flag_form {
    value,           ///< --name VALUE; the last one given counts
    repeated,        ///< --name VALUE, each adds one
    optional_value,  ///< --name or --name VALUE
    switch_on,       ///< --name
    switch_off,      ///< --no-name sets false
};

enum class availability {
    now,
    not_yet,      ///< any value but the default is refused, with `remark` as the remedy
    meaningless,  ///< any value but the default gives a warning with `remark` as the reason
    refused,      ///< any value but the default is refused for good, with `remark` as the reason
};

enum class scope { everywhere, command_line };

/// What a variable of gunicorn's settings file may be that has the name of a setting.
enum class variable_kind {
    gunicorns,       ///< that setting, and a wrong value is an error
    ours,            ///< gunicorn does not know it: passed over when it is no value of the setting
    something_else,  ///< not read: the name is at hand there for other things
};

/// What the command line can ask for instead of a running server.
enum class action {
    run,
    help,
    version,
    check_config,
    print_config,
    migrate,
    print_schema,
    print_settings_doc,
    print_man,
    print_completion,
};

/// One row of the table of settings, from which the command line, the file, the checks, the printed
/// forms and the documentation are made.
struct setting {
    std::string_view name;             ///< the key in the file, the name in --print-config
    std::string_view other_name = {};  ///< a second key, for gunicorn's sake
    std::string_view flags = {};       ///< "-w,--workers"; empty = only in the file
    flag_form form = flag_form::value;
    /// What it takes. FILE, PATH (a file or a folder), DIR, DIRS (with commas), USER and GROUP are completed
    /// by shells as such.
    std::string_view metavar = {};
    value_type_ptr type = {};
    member kept = {};
    std::string_view initial = "null";   ///< the default as JSON, for a setting without a member
    std::string_view default_note = {};  ///< the default in words, where it depends on something
    std::string_view help;               ///< one sentence, no full stop at its end
    bool secret = false;                 ///< --print-config does not show the value
    availability status = availability::now;
    std::string_view remark = {};
    settings::scope scope = settings::scope::everywhere;
    variable_kind variable = variable_kind::gunicorns;        ///< of `name`
    variable_kind other_variable = variable_kind::gunicorns;  ///< of `other_name`
    settings::action asks_for = settings::action::run;
    settings::section section = settings::section::application;  ///< set by the table
};

/// The default in canonical form.
void default_value(const setting& row, json& value);

/// Every setting, by section.
[[nodiscard]] std::span<const setting> all_settings();

/// The setting with this key (or second key), or nullptr.
[[nodiscard]] const setting* find_setting(std::string_view key);

/// The setting with this flag ("-w", "--workers"), or nullptr.
[[nodiscard]] const setting* find_flag(std::string_view flag);

/// "-w", "--workers": the flags of a row one by one.
[[nodiscard]] std::vector<std::string_view> flags_of(const setting& row);

/// What giving its flag does, where that is the contrary of `help` (--no-name) too.
[[nodiscard]] std::string help_of_flag(const setting& row);

/// How a message names a setting: its last long flag, or its key if it has none.
[[nodiscard]] std::string_view spoken_name(const setting& row);

/// The key (for a file) that was probably meant by an unknown one.
[[nodiscard]] std::optional<std::string_view> nearest_key(std::string_view unknown);

/// The flag that was probably meant by an unknown one.
[[nodiscard]] std::optional<std::string_view> nearest_flag(std::string_view unknown);

}  // namespace unicoro::settings
