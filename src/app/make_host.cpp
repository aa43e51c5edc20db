// SPDX-License-Identifier: MIT
#include "app/make_host.hpp"

#include "app/app_spec.hpp"
#include "app/mounted_host.hpp"
#include "app/native_host.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace unicoro::app {

namespace {

constexpr std::array hooks_of_the_master{
    "on_starting",
    "on_reload",
    "pre_exec",
    "when_ready",
    "pre_fork",
    "child_exit",
    "nworkers_changed",
    "on_exit"
};

std::unique_ptr<host> make_python(
    const settings::server_settings& values, load_error& error, master_guest* guest
) {
    if (guest != nullptr) return guest->make_host();
    error = {
        boot_failure::worker,
        "Worker failed to boot: " + settings::describe_applications(values) +
            " is written in Python, and this server was started for native applications only: restart it"
    };
    return nullptr;
}

std::unique_ptr<host> make_mounted(
    const settings::server_settings& values, load_error& error, master_guest* guest
) {
    auto whole = std::make_unique<mounted_host>();
    std::vector<std::size_t> python;
    for (std::size_t place = 0; place < values.apps.size(); ++place) {
        app_spec spec = parse_app_spec(values.apps[place].second);
        if (spec.language == app_language::python) {
            python.push_back(place);
        } else {
            whole->add(std::make_unique<native_host>(std::move(spec)), {place});
        }
    }
    if (python.empty()) return whole;
    std::unique_ptr<host> interpreter = make_python(values, error, guest);
    if (!interpreter) return nullptr;
    whole->add_driver(std::move(interpreter), python);
    return whole;
}

}  // namespace

std::unique_ptr<host> make_host(
    const settings::server_settings& values, load_error& error, master_guest* guest
) {
    if (!values.apps.empty()) return make_mounted(values, error, guest);
    app_spec spec = parse_app_spec(values.app);
    const bool native =
        values.interface == settings::app_interface::native ||
        (values.interface == settings::app_interface::auto_detect && spec.language == app_language::native);
    if (native) return std::make_unique<native_host>(std::move(spec));
    return make_python(values, error, guest);
}

bool has_python(const settings::server_settings& values) {
    const auto is_python = [](const std::string& spec) {
        return parse_app_spec(spec).language == app_language::python;
    };
    if (values.apps.empty()) {
        return values.interface != settings::app_interface::native && is_python(values.app);
    }
    return std::any_of(values.apps.begin(), values.apps.end(), [&](const auto& each) {
        return is_python(each.second);
    });
}

bool calls_python_in_master(const settings::server_settings& values) {
    return std::any_of(hooks_of_the_master.begin(), hooks_of_the_master.end(), [&](const char* name) {
        return values.hooks.contains(name);
    });
}

bool needs_python(const settings::server_settings& values) {
    return has_python(values) || calls_python_in_master(values);
}

}  // namespace unicoro::app
