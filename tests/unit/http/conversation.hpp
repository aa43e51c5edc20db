// SPDX-License-Identifier: MIT
#pragma once

#include "http/request_parser.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unicoro::test {

/// An accepted request, copied out of the parser.
struct request_record {
    std::string method;
    std::string target;
    std::string path;
    std::string query;
    std::string authority;
    std::string version;
    std::string scheme;
    std::string script_name;
    std::string client;  ///< "address:port"; empty where it is the connection's
    std::vector<std::pair<std::string, std::string>> fields;
    http::body_framing framing = http::body_framing::none;
    std::uint64_t content_length = 0;
    bool keep_alive = false;
    bool expects_continue = false;
    bool body_complete = false;
    std::string body;

    bool operator==(const request_record&) const = default;
};

/// All that a connection's parser made of the bytes of a client.
struct transcript {
    std::vector<request_record> requests;
    int status = 0;  ///< of the refusal, 0 = none
    std::string detail;
    bool in_body = false;    ///< refused while the body of the last request was read
    std::size_t unread = 0;  ///< bytes given and not consumed

    bool operator==(const transcript&) const = default;
};

/// How many bytes the next read of the connection brings, with `left` to come; at least 1.
using next_read = std::function<std::size_t(std::size_t left)>;

/// Plays a connection: reads `wire` in pieces and feeds the parser. Input lies in a block of its
/// own and of exactly its size at each call, so that a sanitizer sees reads beyond it and views
/// into bytes that have moved.
transcript converse(
    const http::policy& rules, http::peer sender, std::string_view wire, const next_read& read
);

/// Reads that bring all at once.
next_read whole();
/// Two reads, the first of `at` bytes.
next_read split_at(std::size_t at);
/// Reads of `size` bytes.
next_read pieces_of(std::size_t size);

}  // namespace unicoro::test
