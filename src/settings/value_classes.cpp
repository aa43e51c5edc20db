// SPDX-License-Identifier: MIT
#include "base/text.hpp"
#include "settings/value_types.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace unicoro::settings {
namespace {

constexpr std::string_view no_tornado =
    "Tornado has its own event loop; run it as its own server, or serve its WSGI or ASGI side with -k async";
constexpr std::string_view no_aiohttp =
    "aiohttp has its own server; run the application with aiohttp.web.run_app()";
constexpr std::string_view no_meinheld =
    "Meinheld calls a WSGI application in line; choose sync, or async for code that waits a lot";

/// A name that `worker_class` may have. Those of `short_names` are offered; what is not offered is a class.
struct known_class {
    std::string_view name;
    std::string_view canonical = {};  ///< empty = the same
    std::string_view refusal = {};
};

constexpr std::array<known_class, 9> short_names{{
    {"sync"},
    {"async"},
    {"gthread"},
    {"eventlet"},
    {"gevent", "async"},
    {"gevent_wsgi", "async"},
    {"gevent_pywsgi", "async"},
    // An ASGI application runs in the same way under each; nothing is patched for it here.
    {"asgi", "sync"},
    {"tornado", {}, no_tornado},
}};

constexpr std::array<known_class, 24> classes{{
    {"gunicorn.workers.sync.SyncWorker", "sync"},
    {"gunicorn.workers.gthread.ThreadWorker", "gthread"},
    {"gunicorn.workers.ggevent.GeventWorker", "async"},
    {"gunicorn.workers.ggevent.GeventPyWSGIWorker", "async"},
    {"gunicorn.workers.geventlet.EventletWorker", "eventlet"},
    {"gunicorn.workers.gasgi.ASGIWorker", "sync"},
    {"gunicorn.workers.gtornado.TornadoWorker", {}, no_tornado},
    {"uvicorn.workers.UvicornWorker", "sync"},
    {"uvicorn.workers.UvicornH11Worker", "sync"},
    {"uvicorn_worker.UvicornWorker", "sync"},
    {"uvicorn_worker.UvicornH11Worker", "sync"},
    {"uvicorn_worker._workers.UvicornWorker", "sync"},
    {"uvicorn_worker._workers.UvicornH11Worker", "sync"},
    {"geventwebsocket.gunicorn.workers.GeventWebSocketWorker", "async"},
    {"sanic.worker.GunicornWorker", "sync"},
    {"aiohttp.GunicornWebWorker", {}, no_aiohttp},
    {"aiohttp.GunicornUVLoopWebWorker", {}, no_aiohttp},
    {"aiohttp.worker.GunicornWebWorker", {}, no_aiohttp},
    {"aiohttp.worker.GunicornUVLoopWebWorker", {}, no_aiohttp},
    {"meinheld.gmeinheld.MeinheldWorker", {}, no_meinheld},
    {"meinheld.gunicorn_worker", {}, no_meinheld},
    {"egg:meinheld#gunicorn_worker", {}, no_meinheld},
    {"egg:aiohttp#gunicorn", {}, no_aiohttp},
    {"egg:tornado#gunicorn", {}, no_tornado},
}};

const known_class* find_class(std::string_view word) {
    const auto named = [&](const known_class& each) { return base::to_lower(each.name) == word; };
    const auto* const first = std::find_if(short_names.begin(), short_names.end(), named);
    if (first != short_names.end()) return first;
    const auto* const second = std::find_if(classes.begin(), classes.end(), named);
    return second != classes.end() ? second : nullptr;
}

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
    return text;
}

/// What the class and its bases define, down to the base `known` (all of it without one).
std::vector<std::string> overridden(const json& lineage, std::string_view known) {
    std::vector<std::string> names;
    for (const json& each : lineage) {
        if (each.at(0).get_ref<const std::string&>() == known) break;
        for (const json& name : each.at(1)) {
            auto text = name.get<std::string>();
            if (std::find(names.begin(), names.end(), text) == names.end()) names.push_back(text);
        }
    }
    return names;
}

class worker_class_type final : public value_type {
  public:
    void read(const json& written, json& value, std::vector<fault>& faults) const override {
        if (!written.is_string()) {
            faults.push_back(rejected(written, rule()));
            return;
        }
        std::string word = base::to_lower(base::trim(written.get_ref<const std::string&>()));
        constexpr std::string_view egg = "egg:gunicorn#";
        if (word.starts_with(egg)) word.erase(0, egg.size());
        const known_class* known = find_class(word);
        if (known == nullptr) {
            fault unknown = rejected(written, rule());
            if (const auto meant = base::nearest(word, words())) {
                unknown.text += "; did you mean \"" + std::string(*meant) + "\"?";
            }
            faults.push_back(std::move(unknown));
        } else if (!known->refusal.empty()) {
            faults.push_back({{}, "\"" + word + "\" is refused: " + std::string(known->refusal)});
        } else {
            value = known->canonical.empty() ? known->name : known->canonical;
        }
    }

    std::string rule() const override {
        std::string text;
        for (const auto word : words()) text += (text.empty() ? "\"" : ", \"") + std::string(word) + "\"";
        return "one of " + text + ", or the name of a worker class of gunicorn or uvicorn";
    }

    std::vector<std::string_view> words() const override {
        std::vector<std::string_view> offered;
        for (const known_class& each : short_names) {
            if (each.refusal.empty()) offered.push_back(each.name);
        }
        return offered;
    }

    void describe(ordered_json& schema) const override {
        // The words for the editor to propose, whatever else is taken for one of them, and names of classes.
        ordered_json proposed{{"enum", words()}};
        ordered_json taken{{"type", "string"}, {"pattern", in_any_case(words()) + "|[.:]"}};
        schema["anyOf"] = ordered_json::array({std::move(proposed), std::move(taken)});
    }

    bool names_class(const json& written) const override {
        if (!written.is_string()) return false;
        const auto& text = written.get_ref<const std::string&>();
        return text.find_first_of(".:") != std::string::npos && !text.starts_with("egg:") &&
               find_class(base::to_lower(base::trim(text))) == nullptr;
    }

    void adopt(
        json& written,
        const std::string& where,
        const json& lineage,
        std::vector<std::string>& warnings,
        std::vector<std::string>& errors
    ) const override {
        const std::string shown = base::printable(written.dump());
        std::vector<std::string> bases;
        for (const json& each : lineage) {
            const auto name = each.at(0).get<std::string>();
            const known_class* const known = find_class(base::to_lower(name));
            if (known == nullptr) {
                bases.push_back(name);
                continue;
            }
            if (!known->refusal.empty()) {
                errors.push_back(where + ": " + shown + " is refused: " + std::string(known->refusal));
                return;
            }
            const std::vector<std::string> names = overridden(lineage, name);
            written = name;
            if (names.empty()) return;
            warnings.push_back(
                where + ": " + shown + " is served as " + name +
                " is; what it overrides has no effect here: " + joined(names)
            );
            return;
        }
        errors.push_back(
            where + ": " + shown + " is not derived from any worker class known here (" + joined(bases) +
            "): choose " + rule()
        );
    }
};

/// What of a logger class the server's own messages would have to go through.
bool concerns_own_messages(const std::string& name) {
    constexpr std::array<std::string_view, 9> names{
        "critical", "error", "warning", "info", "debug", "exception", "log", "error_fmt", "datefmt"
    };
    return std::find(names.begin(), names.end(), name) != names.end();
}

class logger_class_type final : public value_type {
  public:
    explicit logger_class_type(std::string_view gunicorns) : gunicorns_(gunicorns) {}

    void read(const json& written, json& value, std::vector<fault>& faults) const override {
        name_->read(written, value, faults);
    }
    std::string rule() const override { return name_->rule(); }
    void describe(ordered_json& schema) const override { name_->describe(schema); }

    bool names_class(const json& written) const override {
        return written.is_string() && written != gunicorns_ && written != "simple" &&
               !written.get_ref<const std::string&>().starts_with('/');
    }

    void adopt(
        json& written,
        const std::string& where,
        const json& lineage,
        std::vector<std::string>& warnings,
        std::vector<std::string>& /*errors*/
    ) const override {
        std::vector<std::string> names = overridden(lineage, gunicorns_);
        std::erase_if(names, [](const std::string& each) { return !concerns_own_messages(each); });
        if (names.empty()) return;
        warnings.push_back(
            where + ": " + base::printable(written.dump()) + " overrides " + joined(names) +
            ", which only Python's messages go through: the server writes its own as they are"
        );
    }

  private:
    value_type_ptr name_ = text(presence::required);
    std::string_view gunicorns_;
};

}  // namespace

value_type_ptr worker_class_name() {
    return std::make_shared<worker_class_type>();
}

value_type_ptr logger_class_name(std::string_view gunicorns) {
    return std::make_shared<logger_class_type>(gunicorns);
}

}  // namespace unicoro::settings
