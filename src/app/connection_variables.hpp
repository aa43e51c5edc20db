// SPDX-License-Identifier: MIT
#pragma once

#include "app/connection_info.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unicoro::app {

using connection_variables = std::vector<std::pair<std::string_view, std::string>>;

/// Of a proxy that announced the client: PROXY_PROTOCOL (TCP4, TCP6 or UNIX), PROXY_ADDR and PROXY_PORT (what
/// the client connected to), as gunicorn has them, and what version 2 may add, as nginx has it:
/// PROXY_PROTOCOL_TLV_AUTHORITY, _ALPN, _SSL_VERSION, _SSL_CN, and _SSL_VERIFY ("0" = the proxy found the
/// client's certificate good). The names live for ever; usually there are none.
[[nodiscard]] connection_variables proxy_variables(const connection_info& connection);

/// What a connection tells beside its addresses, by the names that CGI-like interfaces have for it: that, and
/// of an encrypted one HTTPS, SSL_PROTOCOL, SSL_CIPHER, SSL_TLS_SNI and SSL_CLIENT_..., as Apache's mod_ssl.
[[nodiscard]] connection_variables variables_of(const connection_info& connection);

}  // namespace unicoro::app
