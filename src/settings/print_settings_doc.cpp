// SPDX-License-Identifier: MIT
#include "settings/print.hpp"
#include "settings/setting.hpp"

#include <nlohmann/json.hpp>

#include <optional>

namespace unicoro::settings {
namespace {

constexpr std::string_view introduction = R"(# Settings

<!-- Written by `unicoro --print-settings-doc` from the tables in src/settings. -->

Every setting has one name: the key in the JSON file, and the word in `unicoro --print-config`.
Most have a command-line flag too. Names, flags and defaults are gunicorn's, if gunicorn has
the setting.

If a setting is given more than once, the source that comes later in this list wins:

1. the default, which for four settings comes from the environment: `PORT` (`bind`),
   `WEB_CONCURRENCY` (`workers`), `FORWARDED_ALLOW_IPS`, `SENDFILE` and `UNICORO_ADMIN_TOKEN`;
2. the JSON file: the one named with `-c` on the command line, else the one named with `-c` in
   `UNICORO_CMD_ARGS`, else `unicoro.json` in the folder where the server is started, if there is one;
3. the environment variable `UNICORO_CMD_ARGS`, written like a command line;
4. the command line.

A list (`bind`, `raw_env`) replaces the list of the earlier source as a whole. The file is read
before `chdir` takes effect and again on SIGHUP. It may contain comments (`//` and
`/* */`). `unicoro --print-schema` prints its JSON Schema; name that in the key `"$schema"`, and
editors will complete and check the file.

A whole number may also be written as a decimal string (`"4"`). Seconds may have a decimal point
(`0.5`) and are exact to the millisecond. Unknown keys, wrong types and values out of range are
errors; all of them are reported together, and `unicoro --check-config` looks for them without
serving.

A setting that is *not available yet* is refused with any value but its default; one *without
meaning here* only causes a warning, so that it need not be removed from the settings of a
gunicorn deployment.
)";

std::string code(const std::string& text) {
    return "`" + text + "`";
}

std::string flags_cell(const setting& row) {
    const bool with_value = row.form == flag_form::value || row.form == flag_form::repeated;
    std::string cell;
    for (const auto flag : flags_of(row)) {
        if (!cell.empty()) cell += ", ";
        cell += code(std::string(flag) + (with_value ? " " + std::string(row.metavar) : ""));
    }
    return cell;
}

std::string default_text(const setting& row) {
    if (!row.default_note.empty()) return std::string(row.default_note);
    json value;
    default_value(row, value);
    if (value.is_null() || value == "") return "none";
    return code(value.dump());
}

void write_setting(const setting& row, std::string& page) {
    page += "### " + std::string(row.name) + "\n\n";
    page += std::string(row.help) + ".\n\n";
    switch (row.status) {
        case availability::now: break;
        case availability::not_yet: page += "**Not available yet**: "; break;
        case availability::meaningless: page += "**Without meaning here**: "; break;
        case availability::refused: page += "**Refused**: "; break;
    }
    if (row.status != availability::now) page += std::string(row.remark) + ".\n\n";
    if (!row.flags.empty()) page += "- Command line: " + flags_cell(row) + "\n";
    if (row.scope == scope::command_line) {
        page += "- Only on the command line and in `UNICORO_CMD_ARGS`\n";
    } else {
        page += "- Value: " + row.type->rule() + "\n";
        page += "- Default: " + default_text(row) + "\n";
    }
    if (!row.other_name.empty()) {
        page += "- Also accepted in the file: " + code(std::string(row.other_name)) + "\n";
    }
    page += "\n";
}

}  // namespace

std::string print_settings_doc() {
    std::string page{introduction};
    std::optional<section> current;
    for (const setting& row : all_settings()) {
        if (current != row.section) {
            current = row.section;
            page += (page.ends_with("\n\n") ? "## " : "\n## ") + std::string(title(row.section)) + "\n\n";
        }
        write_setting(row, page);
    }
    while (page.ends_with("\n\n")) page.pop_back();
    return page;
}

}  // namespace unicoro::settings
