// SPDX-License-Identifier: MIT
#include "http/response_head.hpp"

namespace unicoro::http {
namespace {

void append_escaped(std::string& out, std::string_view text) {
    for (const char byte : text) {
        switch (byte) {
            case '&': out.append("&amp;"); break;
            case '<': out.append("&lt;"); break;
            case '>': out.append("&gt;"); break;
            case '"': out.append("&quot;"); break;
            case '\'': out.append("&#x27;"); break;
            default: out.push_back(byte);
        }
    }
}

}  // namespace

std::string error_page(int status, std::string_view detail) {
    const std::string_view reason = reason_phrase(status);
    std::string page = "<html>\n  <head>\n    <title>";
    append_escaped(page, reason);
    page.append("</title>\n  </head>\n  <body>\n    <h1><p>");
    append_escaped(page, reason);
    page.append("</p></h1>\n    ");
    append_escaped(page, detail);
    page.append("\n  </body>\n</html>\n");
    return page;
}

}  // namespace unicoro::http
