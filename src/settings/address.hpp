// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace unicoro::settings {

/// One address to listen on, as written in `bind`.
struct bind_address {
    enum class kind { tcp, unix_path, inherited_fd };
    kind type = kind::tcp;
    std::string host = {};   ///< tcp: name or address without brackets; empty = every address
    std::uint16_t port = 0;  ///< tcp
    std::string path = {};   ///< unix_path
    int fd = -1;             ///< inherited_fd
    std::string text = {};   ///< as written
};

}  // namespace unicoro::settings
