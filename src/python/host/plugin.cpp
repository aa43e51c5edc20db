// SPDX-License-Identifier: MIT
#include "python/host/master_python.hpp"
#include "python/host/python_host.hpp"

#include <unicoro/abi.hpp>

#include <memory>

namespace {

std::unique_ptr<unicoro::app::host> make_host(const unicoro::settings::server_settings& settings) {
    return std::make_unique<unicoro::python::python_host>(
        std::make_shared<unicoro::python::python_home>(settings.python)
    );
}

std::unique_ptr<unicoro::app::master_guest> make_master_guest(
    const unicoro::settings::server_settings& settings
) {
    return std::make_unique<unicoro::python::master_python>(settings);
}

}  // namespace

extern "C" const unicoro::app::plugin_entry unicoro_plugin;
const unicoro::app::plugin_entry unicoro_plugin{unicoro::abi_tag(), &make_host, &make_master_guest};
