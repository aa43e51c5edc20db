// SPDX-License-Identifier: MIT
// A native application that sends one file: unicoro -k async libbench_file.so:app, with BENCH_FILE in the
// environment.
#include <unicoro/unicoro.hpp>

#include <cstdlib>
#include <string>

namespace {

unicoro::awaitable<unicoro::response> send_file(unicoro::request&) {
    static const std::string path = std::getenv("BENCH_FILE");
    co_return unicoro::response::file(path);
}

}  // namespace

unicoro::application app{.handle = send_file};
