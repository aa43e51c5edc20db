// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <istream>
#include <map>
#include <string>
#include <string_view>

namespace unicoro::app {

/// The media type a file name's extension stands for, of the usual ones or of those in /etc/mime.types, which
/// is read once; application/octet-stream when unknown. Lives for ever.
[[nodiscard]] std::string_view media_type(std::string_view file_name);

/// What a table in that form says: an extension in lower case, and the type; text is UTF-8.
[[nodiscard]] std::map<std::string, std::string, std::less<>> read_media_types(std::istream& table);

}  // namespace unicoro::app
