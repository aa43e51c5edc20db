// SPDX-License-Identifier: MIT
#include "settings/foreign_flags.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace unicoro::settings {
namespace {

/// VALUE in `remedy` stands for what was given to the flag.
struct foreign {
    std::string_view flag;
    std::string_view owner;
    std::string_view remedy;
};

constexpr std::string_view needless = "leave it out";
constexpr std::string_view at_the_proxy = "let the proxy in front do that";

constexpr std::array table{
    foreign{"--uds", "uvicorn", "write --bind unix:VALUE"},
    foreign{"--fd", "uvicorn", "write --bind fd://VALUE"},
    foreign{"--app-dir", "uvicorn", "write --pythonpath VALUE, or --chdir VALUE"},
    foreign{
        "--reload-dir", "uvicorn", "--reload watches what is imported; add others with --reload-extra-file"
    },
    foreign{
        "--reload-include",
        "uvicorn",
        "--reload watches what is imported; add others with --reload-extra-file"
    },
    foreign{"--reload-exclude", "uvicorn", "--reload watches what is imported"},
    foreign{"--reload-delay", "uvicorn", needless},
    foreign{"--loop", "uvicorn", "leave it out: asyncio's own loop runs in the worker's"},
    foreign{"--ws", "uvicorn", needless},
    foreign{"--ws-max-queue", "uvicorn", needless},
    foreign{"--ws-per-message-deflate", "uvicorn", "it is on; --no-ws-per-message-deflate is the opposite"},
    foreign{"--use-colors", "uvicorn", needless},
    foreign{"--no-use-colors", "uvicorn", needless},
    foreign{"--access-log", "uvicorn", "write --access-logfile -"},
    foreign{"--no-access-log", "uvicorn", "leave it out: there is none without --access-logfile"},
    foreign{"--proxy-headers", "uvicorn", "they are believed from the peers in --forwarded-allow-ips"},
    foreign{"--no-proxy-headers", "uvicorn", "write --forwarded-allow-ips \"\""},
    foreign{"--no-server-header", "uvicorn", "write \"server_header\": \"\" into unicoro.json"},
    foreign{"--date-header", "uvicorn", needless},
    foreign{"--header", "uvicorn", "let the application or the proxy add fields"},
    foreign{"--env-file", "uvicorn", "write -e NAME=VALUE, or EnvironmentFile= into the systemd unit"},
    foreign{"--limit-concurrency", "uvicorn", "write --worker-connections VALUE"},
    foreign{"--limit-max-requests", "uvicorn", "write --max-requests VALUE"},
    foreign{"--timeout-keep-alive", "uvicorn", "write --keep-alive VALUE"},
    foreign{"--timeout-graceful-shutdown", "uvicorn", "write --graceful-timeout VALUE"},
    foreign{"--timeout-worker-healthcheck", "uvicorn", "write --timeout VALUE"},
    foreign{"--h11-max-incomplete-event-size", "uvicorn", "write --limit-request-field-size VALUE"},
    foreign{"--ssl-keyfile", "uvicorn", "write --keyfile VALUE"},
    foreign{"--ssl-certfile", "uvicorn", "write --certfile VALUE"},
    foreign{"--ssl-ca-certs", "uvicorn", "write --ca-certs VALUE"},
    foreign{"--debug", "Flask", "write --reload --log-level debug"},
    foreign{"--cert", "Flask", "write --certfile VALUE"},
    foreign{"--key", "Flask", "write --keyfile VALUE"},
    foreign{"--app", "Flask", "name it without a flag, at the end: VALUE"},
    foreign{"--insecure-bind", "Hypercorn", "write --bind VALUE"},
    foreign{"--quic-bind", "Hypercorn", at_the_proxy},
    foreign{"--listen", "Waitress", "write --bind VALUE"},
    foreign{"--unix-socket", "Waitress", "write --bind unix:VALUE"},
    foreign{"--call", "Waitress", "write the call: MODULE:FUNCTION()"},
    foreign{"--url-prefix", "Waitress", "write \"apps\": {\"VALUE\": \"MODULE:NAME\"} into unicoro.json"},
    foreign{"--connection-limit", "Waitress", "write --worker-connections VALUE"},
    foreign{"--channel-timeout", "Waitress", "write --keep-alive VALUE"},
    foreign{"--max-request-body-size", "Waitress", "write --limit-request-body VALUE"},
    foreign{"--runtime-threads", "Granian", needless},
    foreign{"--blocking-threads", "Granian", "write --threads VALUE"},
    foreign{"--respawn-failed-workers", "Granian", "leave it out: they are"},
    foreign{"--url-path-prefix", "Granian", "write \"apps\": {\"VALUE\": \"MODULE:NAME\"} into unicoro.json"},
    foreign{"--http-socket", "uWSGI", "write --bind VALUE"},
    foreign{"--socket", "uWSGI", "write --bind VALUE, and proxy_pass http:// in nginx instead of uwsgi_pass"},
    foreign{"--uwsgi-socket", "uWSGI", "write --bind VALUE, and proxy_pass http:// in nginx"},
    foreign{"--wsgi-file", "uWSGI", "name its module at the end: MODULE:application"},
    foreign{"--file", "uWSGI", "name its module at the end: MODULE:application"},
    foreign{"--module", "uWSGI", "name it without a flag, at the end: VALUE"},
    foreign{"--wsgi", "uWSGI", "name it without a flag, at the end: VALUE"},
    foreign{"--callable", "uWSGI", "write MODULE:VALUE"},
    foreign{"--processes", "uWSGI", "write --workers VALUE"},
    foreign{"--master", "uWSGI", "leave it out: there is always one"},
    foreign{"--enable-threads", "uWSGI", needless},
    foreign{"--single-interpreter", "uWSGI", needless},
    foreign{"--need-app", "uWSGI", "leave it out: without an application nothing starts"},
    foreign{"--vacuum", "uWSGI", "leave it out: sockets and the pidfile are removed"},
    foreign{"--die-on-term", "uWSGI", "leave it out: TERM stops"},
    foreign{"--lazy-apps", "uWSGI", "leave it out: --preload is the opposite"},
    foreign{"--virtualenv", "uWSGI", "write --python VALUE"},
    foreign{"--venv", "uWSGI", "write --python VALUE"},
    foreign{"--home", "uWSGI", "write --python VALUE"},
    foreign{"--harakiri", "uWSGI", "write --timeout VALUE"},
    foreign{"--buffer-size", "uWSGI", "write --limit-request-field-size VALUE"},
    foreign{"--chmod-socket", "uWSGI", "write --umask, which takes the rest of 0777"},
    foreign{"--uid", "uWSGI", "write --user VALUE"},
    foreign{"--gid", "uWSGI", "write --group VALUE"},
    foreign{"--gevent", "uWSGI", "write -k gevent --worker-connections VALUE"},
    foreign{"--daemonize", "uWSGI", "write --daemon --error-logfile VALUE"},
    foreign{"--logto", "uWSGI", "write --error-logfile VALUE"},
    foreign{"--static-map", "uWSGI", at_the_proxy},
    foreign{"--ini", "uWSGI", "write the settings as JSON (--print-schema), and give the file with -c"},
    foreign{"--yaml", "uWSGI", "write the settings as JSON (--print-schema), and give the file with -c"},
};

/// What was given to a flag, as "--flag VALUE" or "--flag=VALUE"; `otherwise` when nothing was.
std::string value_of(
    std::string_view flag, std::span<const std::string> arguments, std::string_view otherwise
) {
    for (std::size_t at = 0; at < arguments.size(); ++at) {
        const std::string& word = arguments[at];
        if (word.starts_with(std::string(flag) + "=")) return base::printable(word.substr(flag.size() + 1));
        const bool followed = at + 1 < arguments.size() && !arguments[at + 1].starts_with('-');
        if (word == flag && followed) return base::printable(arguments[at + 1]);
    }
    return std::string(otherwise);
}

bool is_given(std::string_view flag, std::span<const std::string> arguments) {
    return std::any_of(arguments.begin(), arguments.end(), [&](const std::string& word) {
        return word.substr(0, word.find('=')) == flag;
    });
}

std::string address_of(std::span<const std::string> arguments) {
    std::string host = value_of("--host", arguments, is_given("--port", arguments) ? "127.0.0.1" : "HOST");
    if (host.find(':') != std::string::npos && !host.starts_with('[')) host = "[" + host + "]";
    return host + ":" + value_of("--port", arguments, is_given("--host", arguments) ? "8000" : "PORT");
}

std::string factory_of(std::span<const std::string> arguments) {
    for (const std::string& word : arguments) {
        if (!word.starts_with('-') && word.find(':') != std::string::npos &&
            word.find('/') == std::string::npos && !word.ends_with(')')) {
            return base::printable(word) + "()";
        }
    }
    return "MODULE:FACTORY()";
}

}  // namespace

std::optional<std::string> foreign_flag(std::string_view flag, std::span<const std::string> arguments) {
    if (flag == "--host" || flag == "--port") {
        return " is a flag of uvicorn, Flask and others; write --bind " + address_of(arguments);
    }
    if (flag == "--factory") {
        return " is a flag of uvicorn; write the call, in quotes for the shell: \"" + factory_of(arguments) +
               "\"";
    }
    if (flag == "--http") {
        const std::string value = value_of(flag, arguments, "");
        // Of uvicorn's it is the name of a parser: h11, httptools.
        const bool address = value.find(':') != std::string::npos ||
                             value.find_first_not_of("0123456789") == std::string::npos;
        return address ? " is a flag of uWSGI; write --bind " + value
                       : std::string(" is a flag of uvicorn; leave it out");
    }
    const auto* const found =
        std::find_if(table.begin(), table.end(), [flag](const foreign& each) { return each.flag == flag; });
    if (found == table.end()) return std::nullopt;
    std::string text = " is a flag of " + std::string(found->owner) + "; ";
    std::string remedy(found->remedy);
    constexpr std::string_view place = "VALUE";
    // NAME=VALUE is no place for it.
    const std::string given = value_of(flag, arguments, place);
    for (auto at = remedy.find(place); at != std::string::npos; at = remedy.find(place, at + given.size())) {
        if (at == 0 || remedy[at - 1] != '=') remedy.replace(at, place.size(), given);
    }
    return text + remedy;
}

}  // namespace unicoro::settings
