// SPDX-License-Identifier: MIT
#pragma once

#include "cli/commands/trouble.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unicoro::cli {

/// What /status says. Texts are as they came: whoever shows them makes them fit for a terminal.
struct server_view {
    struct worker {
        std::int64_t pid = 0;
        std::string state;
        double age = 0;
        double requests = 0;
        double in_flight = 0;
        double queued = 0;
        double connections = 0;
        double websockets = 0;
        std::optional<double> silent{};
        std::optional<double> cpu{};
        std::optional<double> memory{};
    };
    std::string version;
    std::int64_t master = 0;
    std::int64_t generation = 0;
    double uptime = 0;
    bool ready = false;
    bool stopping = false;
    std::int64_t wanted = 0;
    std::int64_t serving = 0;
    double requests = 0;
    double shed = 0;
    std::vector<std::pair<std::string, std::int64_t>> ends = {};  ///< of workers, by reason; none without any
    std::vector<worker> workers = {};
};

/// What /requests says.
struct requests_view {
    struct request {
        std::int64_t pid = 0;
        double age = 0;
        std::string method;
        std::string path;
        std::string stage;
        std::string id = {};
    };
    std::vector<request> listed;
    std::int64_t unlisted = 0;
};

[[nodiscard]] attempt<server_view> read_status(std::string_view json);
[[nodiscard]] attempt<requests_view> read_requests(std::string_view json);

/// The JSON as it came, with nothing in it but ASCII.
[[nodiscard]] attempt<std::string> plain_json(std::string_view json);

/// "ready", "stopping" or "not ready".
[[nodiscard]] std::string_view word_of_readiness(const server_view& of) noexcept;

/// As lines of printable ASCII. `most`: for so many rows, and without the ids.
[[nodiscard]] std::vector<std::string> lines_of(const server_view& of);
[[nodiscard]] std::vector<std::string> lines_of(const requests_view& of, std::optional<std::size_t> most);

}  // namespace unicoro::cli
