// SPDX-License-Identifier: MIT
#include "settings/load.hpp"

#include "base/text.hpp"
#include "settings/cpu_count.hpp"
#include "settings/cross_check.hpp"
#include "settings/foreign_classes.hpp"
#include "settings/layer.hpp"
#include "settings/python_file.hpp"
#include "settings/resolver.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>
#include <system_error>

namespace unicoro::settings {
namespace {

namespace fs = std::filesystem;

/// The request with precedence when several are made; nothing asked = run.
question strongest(const layer& first, const layer& second) {
    constexpr std::array order{
        action::help,
        action::version,
        action::migrate,
        action::print_schema,
        action::print_settings_doc,
        action::print_man,
        action::print_completion,
        action::print_config,
        action::check_config,
    };
    for (const action wanted : order) {
        for (const layer* each : {&first, &second}) {
            const auto found = std::ranges::find(each->asked, wanted, &question::asked);
            if (found != each->asked.end()) return *found;
        }
    }
    return {action::run};
}

bool needs_settings(action asked) {
    return asked == action::run || asked == action::check_config || asked == action::print_config;
}

/// The file to read, as given and as it lies on the disk.
struct chosen_file {
    std::string name;
    fs::path path;
    bool python = false;  // of gunicorn's kind; the path may be "python:MODULE"
};

class loader {
  public:
    explicit loader(const load_request& request) : request_(request), resolver_(request.count_cpus) {}

    outcome run() {
        if (request_.embedded) return run_program();
        layer command = read_command_line("command line", request_.arguments);
        layer variable = read_command_variable(request_.environment);
        outcome result;
        const question asked = strongest(command, variable);
        result.action = asked.asked;
        result.subject = asked.subject;
        if (!asked.problem.empty()) result.errors.push_back(asked.problem);
        if (!needs_settings(result.action)) return result;

        const auto file = choose_file(command, variable, result);
        layer from_file = file ? read(*file, command, variable, result) : layer{};
        resolve(std::array{&from_file, &variable, &command}, result);
        if (file) result.settings.config_file = file->path.string();
        result.settings.run_config_file = run_file_;
        // A file that cannot be read or parsed may well name the application.
        const bool file_is_mute = !from_file.errors.empty() && from_file.values.empty();
        finish(result, file_is_mute);
        return result;
    }

  private:
    outcome run_program() {
        outcome result;
        python_file program = read_program(request_);
        append(result.warnings, program.left_out);
        append(result.warnings, program.warnings);
        own_tls_context_ = program.makes_tls_context;
        resolve(std::array{&program.values}, result);
        finish(result, program.values.values.empty());
        return result;
    }

    /// Defaults and layers, the lowest first, as the settings in force.
    void resolve(std::span<layer* const> layers, outcome& result) {
        adopt_named_classes(request_, layers, result.warnings);
        apply_environment(layers);
        for (const layer* each : layers) resolver_.apply(*each);

        result.settings = resolver_.settings();
        // As gunicorn does.
        if (result.settings.threads > 1 && result.settings.worker_class == worker_class::sync) {
            result.settings.worker_class = worker_class::gthread;
            result.settings.worker_class_name.clear();
        }
        result.settings.command_line = command_line_of(request_);
        append(result.errors, resolver_.errors());
        append(result.warnings, resolver_.warnings());
    }

    static void append(std::vector<std::string>& to, const std::vector<std::string>& from) {
        to.insert(to.end(), from.begin(), from.end());
    }

    std::optional<chosen_file> choose_file(const layer& command, const layer& variable, outcome& result)
        const {
        const layer& giver = command.config ? command : variable;
        if (giver.config) {
            const std::string source = command.config ? "command line: " : "UNICORO_CMD_ARGS: ";
            return given_file(source + "--config: ", *giver.config, result);
        }
        const fs::path usual = request_.directory / "unicoro.json";
        std::error_code error;
        if (fs::exists(usual, error)) return chosen_file{"unicoro.json", usual};
        const fs::path gunicorns = request_.directory / "gunicorn.conf.py";
        if (fs::exists(gunicorns, error)) return chosen_file{"gunicorn.conf.py", gunicorns, true};
        return std::nullopt;
    }

    layer read(const chosen_file& file, layer& command, layer& variable, outcome& result) {
        if (!file.python) return read_settings_file(file.path, file.name);
        const json* const python = last_value(std::array{&variable, &command}, "python");
        python_file found = read_python_file(
            request_, file.path.string(), file.name, python != nullptr ? python->get<std::string>() : ""
        );
        append(result.warnings, found.left_out);
        append(result.warnings, found.warnings);
        run_file_ = found.has_effects;
        own_tls_context_ = found.makes_tls_context;
        return std::move(found.values);
    }

    std::optional<chosen_file> given_file(
        const std::string& where, const std::string& written, outcome& result
    ) const {
        std::string name{base::trim(written)};
        if (name.starts_with("python:") || name.ends_with(".py")) {
            const std::string shown = name.starts_with("file:") ? name.substr(5) : name;
            return chosen_file{shown, python_location(request_, name), true};
        }
        if (name.starts_with("file:")) name.erase(0, 5);
        if (name.empty()) {
            result.errors.push_back(where + "needs the path of a JSON file, or of gunicorn's Python file");
            return std::nullopt;
        }
        return chosen_file{name, (request_.directory / name).lexically_normal()};
    }

    /// PORT and its like often belong to someone else: they count, and are checked, only where no
    /// layer above says anything.
    void apply_environment(std::span<layer* const> above) {
        layer defaults = read_environment(request_.environment);
        std::erase_if(defaults.values, [&](const assignment& given) {
            return std::any_of(above.begin(), above.end(), [&](const layer* each) {
                return std::any_of(each->values.begin(), each->values.end(), [&](const auto& other) {
                    return other.row == given.row;
                });
            });
        });
        resolver_.apply(defaults);
    }

    void finish(outcome& result, bool may_have_application) const {
        const auto where = [this](std::string_view name) { return resolver_.where(name); };
        if (const auto clash = join_apps(result.settings, where)) result.errors.push_back(*clash);
        verdict together = cross_check(result.settings, request_.directory, where);
        append(result.errors, together.errors);
        append(result.warnings, together.warnings);
        // What the hook forbids must not be allowed for want of it.
        if (own_tls_context_ && result.settings.tls.certfile) {
            result.errors.push_back(
                "ssl_context: is not called, and may forbid what would then be allowed: remove it, and use "
                "tls_min_version, ciphers, ciphersuites, ca_certs and cert_reqs"
            );
        }
        const bool has_flags = request_.environment("GUNICORN_CMD_ARGS").has_value();
        if (has_flags && !request_.embedded && !request_.environment("UNICORO_CMD_ARGS")) {
            result.warnings.push_back("GUNICORN_CMD_ARGS: is not read; put the flags into UNICORO_CMD_ARGS");
        }
        const bool wanted = result.action != action::print_config && !may_have_application;
        const bool none = result.settings.app.empty() && result.settings.apps.empty();
        if (none && wanted) {
            result.errors.push_back(
                "no application given: name it after the flags, as in \"unicoro -w 4 app:app\", or "
                "as "
                "\"app\" in unicoro.json"
            );
        }
    }

    const load_request& request_;
    resolver resolver_;
    bool run_file_ = false;
    bool own_tls_context_ = false;
};

/// As the shell calls it, as gunicorn does: when a symbolic link leads here, SIGHUP goes where it leads
/// by then (a new release).
fs::path start_directory() {
    std::error_code error;
    const char* const called = std::getenv("PWD");
    if (called != nullptr && *called == '/' && fs::equivalent(called, ".", error)) return called;
    return fs::current_path(error);
}

}  // namespace

load_request request_of_process(const std::vector<std::string>& command_line) {
    load_request request;
    request.program = command_line.front();
    request.arguments.assign(command_line.begin() + 1, command_line.end());
    request.environment = [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        if (value == nullptr) return std::nullopt;
        return value;
    };
    request.directory = start_directory();
    request.count_cpus = [] { return usable_cpu_count(); };
    return request;
}

std::vector<std::string> command_line_of(const load_request& request) {
    std::vector<std::string> words{request.program.empty() ? "unicoro" : request.program};
    words.insert(words.end(), request.arguments.begin(), request.arguments.end());
    return words;
}

std::string python_location(const load_request& request, const std::string& written) {
    if (written.starts_with("python:")) return written;
    const std::string path = written.starts_with("file:") ? written.substr(5) : written;
    return (request.directory / path).lexically_normal().string();
}

outcome load(const load_request& request) {
    return loader(request).run();
}

}  // namespace unicoro::settings
