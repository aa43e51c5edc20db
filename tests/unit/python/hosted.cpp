// SPDX-License-Identifier: MIT
#include "unit/python/hosted.hpp"

#include "log/open.hpp"
#include "python/host/python_host.hpp"
#include "python/runtime/gil.hpp"
#include "python/runtime/py_ref.hpp"
#include "python/runtime/traceback.hpp"
#include "support/doctest.hpp"

#include <boost/asio/co_spawn.hpp>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>

namespace unicoro::testing {
namespace {

/// A folder of this process, gone at its end.
class scratch {
  public:
    scratch() {
        char name[] = "/tmp/unicoro-python-test-XXXXXX";
        if (::mkdtemp(name) == nullptr) std::abort();
        log_ = std::string(name) + "/error.log";
        folder_ = name;
    }
    scratch(const scratch&) = delete;
    scratch& operator=(const scratch&) = delete;
    ~scratch() {
        ::unlink(log_.c_str());
        ::rmdir(folder_.c_str());
    }
    [[nodiscard]] const std::string& log() const { return log_; }

  private:
    std::string folder_;
    std::string log_;
};

scratch& files() {
    static scratch instance;
    return instance;
}

std::unique_ptr<app::host> load() {
    log::options chosen;
    chosen.errorlog = files().log();
    if (const auto failure = log::open(chosen)) FAIL(*failure);
    values().app = "unit_apps:application";
    static app::worker_context context{loop(), values(), 0, 0, [] {}, nullptr};
    auto host = std::make_unique<python::python_host>(std::make_shared<python::python_home>("python3"));
    if (const auto failure = host->load(context)) FAIL(failure->message);
    return host;
}

}  // namespace

boost::asio::io_context& loop() {
    static boost::asio::io_context io{1};
    return io;
}

settings::server_settings& values() {
    static settings::server_settings instance;
    return instance;
}

app::host& the_host() {
    static const std::unique_ptr<app::host> host = load();
    return *host;
}

void serve(std::initializer_list<fake_exchange*> requests) {
    std::size_t done = 0;
    for (fake_exchange* each : requests) {
        boost::asio::co_spawn(
            loop().get_executor(),
            the_host().handle(*each),
            [&done](const std::exception_ptr& failure) {
                CHECK(failure == nullptr);
                ++done;
            }
        );
    }
    loop().restart();
    loop().run_for(std::chrono::seconds(20));
    REQUIRE(done == requests.size());
}

void serve(fake_exchange& request) {
    serve({&request});
}

std::string python(const std::string& expression) {
    the_host();
    const python::gil_lock gil;
    const python::py_ref module = python::py_ref::steal(PyImport_ImportModule("unit_apps"));
    PyObject* const globals = PyModule_GetDict(module.get());
    const python::py_ref value =
        python::py_ref::steal(PyRun_String(expression.c_str(), Py_eval_input, globals, globals));
    if (!value) return python::describe_exception(python::take_exception().get());
    return python::to_utf8(python::py_ref::steal(PyObject_Repr(value.get())).get());
}

std::string take_log() {
    static std::streamoff read = 0;
    std::ifstream file(files().log());
    file.seekg(read);
    std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    read += static_cast<std::streamoff>(text.size());
    return text;
}

}  // namespace unicoro::testing
