// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace worker_test {

inline std::string get(std::string_view path, std::string_view more = "") {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n" + std::string(more) + "\r\n";
}

inline std::string body_of(const std::string& response) {
    return response.substr(response.find("\r\n\r\n") + 4);
}

inline std::string status_of(const std::string& response) {
    return response.substr(9, 3);
}

}  // namespace worker_test
