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
    "Tornado brings an event loop of its own; run it as its own server, or serve its WSGI or ASGI side with "
    "-k async";
constexpr std::string_view no_aiohttp =
    "aiohttp brings a server of its own; run the application with aiohttp.web.run_app()";
constexpr std::string_view no_meinheld =
    "Meinheld calls a WSGI application in line; choose sync, or async for what waits much";

/// A name that `worker_class` may have. Those of `words` are offered; what is not offered is a class.
struct known_class {
    std::string_view name;
    std::string_view canonical = {};  ///< empty = the same
    std::string_view refusal = {};
};

constexpr std::array<known_class, 9> words{{
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
    const auto* const first = std::find_if(words.begin(), words.end(), named);
    if (first != words.end()) return first;
    const auto* const second = std::find_if(classes.begin(), classes.end(), named);
    return second != classes.end() ? second : nullptr;
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
            if (const auto meant = base::nearest(word, offered())) {
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
        for (const auto word : offered()) text += (text.empty() ? "\"" : ", \"") + std::string(word) + "\"";
        return "one of " + text + ", or the name of a worker class of gunicorn or uvicorn";
    }

    void describe(ordered_json& schema) const override {
        // The words for the editor to propose, whatever else is taken for one of them, and names of classes.
        ordered_json proposed{{"enum", offered()}};
        ordered_json taken{{"type", "string"}, {"pattern", in_any_case(offered()) + "|[.:]"}};
        schema["anyOf"] = ordered_json::array({std::move(proposed), std::move(taken)});
    }

  private:
    static std::vector<std::string_view> offered() {
        std::vector<std::string_view> names;
        for (const known_class& each : words) {
            if (each.refusal.empty()) names.push_back(each.name);
        }
        return names;
    }
};

}  // namespace

std::string_view worker_class_refusal(std::string_view name) {
    const known_class* const known = find_class(base::to_lower(name));
    return known != nullptr ? known->refusal : std::string_view();
}

value_type_ptr worker_class_name() {
    return std::make_shared<worker_class_type>();
}

}  // namespace unicoro::settings
