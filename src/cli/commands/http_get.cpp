// SPDX-License-Identifier: MIT
#include "cli/commands/http_get.hpp"

#include "base/text.hpp"
#include "base/unique_fd.hpp"
#include "http/chunk_decoder.hpp"
#include "os/failure.hpp"
#include "os/socket_address.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <vector>

namespace unicoro::cli {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t most_bytes = std::size_t{16} << 20;
constexpr std::size_t most_of_head = std::size_t{64} << 10;

trouble not_reached(std::string text) {
    return {exit_not_reached, std::move(text)};
}

/// The way there, and the time that is left for it.
class line {
  public:
    explicit line(const http_question& question)
        : question_(question), end_(clock::now() + question.patience) {}

    std::optional<trouble> open() {
        if (question_.to.is_unix()) {
            const auto address = os::unix_address(question_.to.path);
            if (!address) return not_reached(cannot(address.error().message()));
            return connect_to(address->storage.ss_family, address->data(), address->length);
        }
        addrinfo wanted{};
        wanted.ai_socktype = SOCK_STREAM;
        wanted.ai_flags = AI_NUMERICSERV;
        addrinfo* list = nullptr;
        const std::string port = std::to_string(question_.to.port);
        const int failed = getaddrinfo(question_.to.host.c_str(), port.c_str(), &wanted, &list);
        if (failed != 0) return not_reached(cannot(gai_strerror(failed)));
        const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(list, freeaddrinfo);
        std::optional<trouble> last;
        for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
            last = connect_to(each->ai_family, each->ai_addr, each->ai_addrlen);
            if (!last || last->interrupted) break;
        }
        return last;
    }

    std::optional<trouble> send(std::string_view text) {
        while (!text.empty()) {
            const ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
            if (sent >= 0) {
                text.remove_prefix(static_cast<std::size_t>(sent));
            } else if (errno == EAGAIN) {
                if (auto failed = wait(POLLOUT)) return failed;
            } else if (errno != EINTR) {
                return not_reached(cannot(os::last_error().message()));
            }
        }
        return std::nullopt;
    }

    /// Some more of the answer; empty = that was all.
    attempt<std::string> receive_some() {
        std::array<char, 65536> piece;
        for (;;) {
            const ssize_t count = recv(fd_.get(), piece.data(), piece.size(), 0);
            if (count < 0 && errno == EINTR) continue;
            if (count < 0 && errno == EAGAIN) {
                if (auto failed = wait(POLLIN)) return *failed;
                continue;
            }
            if (count < 0) return not_reached(cannot(os::last_error().message()));
            return std::string(piece.data(), static_cast<std::size_t>(count));
        }
    }

    attempt<http_answer> receive() {
        std::string got;
        for (;;) {
            const auto more = receive_some();
            if (!more) return more.error();
            got += *more;
            if (got.size() > most_bytes) return not_reached(nonsense("it answers with more than 16 MiB"));
            if (auto read = read_answer(got, more->empty())) {
                if (!*read) return not_reached(nonsense(read->error().text));
                return std::move(**read);
            }
        }
    }

  private:
    std::string cannot(std::string_view why) const {
        return "cannot reach " + base::printable(question_.to.text()) + ": " + std::string(why);
    }

    std::string nonsense(std::string_view why) const {
        return base::printable(question_.to.text()) + " is no monitor: " + std::string(why);
    }

    std::optional<trouble> refused(int number) const {
        const std::string why = cannot(os::system_error(number).message());
        if (!question_.to.is_unix()) return not_reached(why);
        switch (number) {
            case EACCES:
                return not_reached(
                    why + "; only the server's user and group may ask there: run this as one of them"
                );
            case ENOENT: return not_reached(why + "; is the server running, with this admin_bind?");
            case ECONNREFUSED: return not_reached(why + "; the server has gone and left the file behind");
            default: return not_reached(why);
        }
    }

    std::optional<trouble> connect_to(int family, const sockaddr* address, socklen_t length) {
        fd_.reset(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (!fd_) return not_reached(cannot(os::last_error().message()));
        while (connect(fd_.get(), address, length) != 0) {
            // The backlog of a unix socket is full: there is nothing to wait for but time.
            if (errno == EAGAIN) {
                if (auto failed = wait(0, std::chrono::milliseconds(10))) return failed;
                continue;
            }
            if (errno != EINPROGRESS && errno != EINTR) return refused(errno);
            if (auto failed = wait(POLLOUT)) return failed;
            int error = 0;
            socklen_t size = sizeof error;
            getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
            return error == 0 ? std::nullopt : refused(error);
        }
        return std::nullopt;
    }

    /// Until the connection is ready for `events`, or for `most` where there are none.
    std::optional<trouble> wait(
        short events, std::chrono::milliseconds most = std::chrono::milliseconds::max()
    ) {
        std::vector<pollfd> watched{{fd_.get(), events, 0}};
        if (events == 0) watched.front().fd = -1;
        for (const int each : question_.interrupted_by) watched.push_back({each, POLLIN, 0});
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - clock::now());
        if (left.count() <= 0) {
            const auto patience = std::chrono::duration<double>(question_.patience).count();
            std::string text = std::to_string(patience);
            text.resize(text.find('.') + 2);
            return not_reached(cannot("no answer within " + text + " s"));
        }
        const int ready =
            poll(watched.data(), watched.size(), static_cast<int>(std::min(left, most).count()));
        if (ready <= 0) return std::nullopt;
        const bool interrupted = std::any_of(watched.begin() + 1, watched.end(), [](const pollfd& each) {
            return each.revents != 0;
        });
        if (interrupted) return trouble{exit_not_reached, "interrupted", true};
        return std::nullopt;
    }

    const http_question& question_;
    clock::time_point end_;
    base::unique_fd fd_;
};

attempt<std::string> unchunked(std::string_view body) {
    http::chunk_decoder decoder;
    decoder.begin(most_bytes, most_of_head);
    std::string whole;
    http::refusal why{};
    for (;;) {
        const auto step = decoder.decode(body, why);
        whole += step.data;
        body.remove_prefix(step.consumed);
        if (step.what == http::chunk_decoder::status::complete) return whole;
        if (step.what == http::chunk_decoder::status::data) continue;
        if (step.what == http::chunk_decoder::status::need_more && !body.empty()) continue;
        return not_reached("its answer is cut off or wrong");
    }
}

/// The fields that frame the body.
struct framing {
    std::optional<std::size_t> length;
    bool chunked = false;
};

std::optional<framing> framing_of(std::string_view fields) {
    framing found;
    while (!fields.empty()) {
        const auto end = std::min(fields.find("\r\n"), fields.size());
        const std::string_view field = fields.substr(0, end);
        fields.remove_prefix(std::min(end + 2, fields.size()));
        const auto colon = field.find(':');
        if (colon == field.npos) return std::nullopt;
        const std::string name = base::to_lower(field.substr(0, colon));
        const std::string_view value = base::trim(field.substr(colon + 1));
        if (name == "content-length") {
            found.length = base::parse_integer<std::size_t>(value);
            if (!found.length) return std::nullopt;
        }
        if (name == "transfer-encoding") {
            if (base::to_lower(value) != "chunked") return std::nullopt;
            found.chunked = true;
        }
    }
    return found;
}

std::string request_of(const http_question& question) {
    std::string text = "GET " + std::string(question.path) + " HTTP/1.1\r\nHost: ";
    text += question.to.is_unix() ? "localhost" : question.to.text();
    text += "\r\nConnection: close\r\nUser-Agent: unicoro\r\nAccept: */*\r\n";
    if (question.token && !question.to.is_unix()) text += "Authorization: Bearer " + *question.token + "\r\n";
    return text + "\r\n";
}

}  // namespace

std::optional<attempt<http_answer>> read_answer(std::string_view got, bool closed) {
    attempt<http_answer> wrong = not_reached("it does not answer as HTTP does");
    constexpr std::string_view start = "HTTP/1.";
    if (got.substr(0, start.size()) != start.substr(0, got.size())) return wrong;
    const auto end = got.find("\r\n\r\n");
    if (end == got.npos) {
        if (closed && got.empty()) return attempt<http_answer>(not_reached("it closes the connection"));
        if (closed || got.size() > most_of_head) return wrong;
        return std::nullopt;
    }
    const std::string_view head = got.substr(0, end);
    const std::string_view body = got.substr(end + 4);
    if (head.size() < 12 || head[8] != ' ') return wrong;
    const auto status = base::parse_integer<int>(head.substr(9, 3));
    const auto line_end = std::min(head.find("\r\n"), head.size());
    const auto framed = framing_of(head.substr(std::min(line_end + 2, head.size())));
    if (!status || *status < 200 || !framed) return wrong;
    if (framed->chunked) {
        if (!closed) return std::nullopt;
        auto whole = unchunked(body);
        if (!whole) return attempt<http_answer>(whole.error());
        return attempt<http_answer>(http_answer{*status, std::move(*whole)});
    }
    const std::size_t length = framed->length.value_or(body.size());
    if (body.size() < length) {
        if (closed) return attempt<http_answer>(not_reached("its answer is cut off"));
        return std::nullopt;
    }
    if (!framed->length && !closed) return std::nullopt;
    return attempt<http_answer>(http_answer{*status, std::string(body.substr(0, length))});
}

attempt<http_answer> http_get(const http_question& question) {
    line way(question);
    if (auto failed = way.open()) return *failed;
    if (auto failed = way.send(request_of(question))) return *failed;
    return way.receive();
}

bool speaks_http(const admin_address& to) {
    const std::optional<std::string> no_token;
    const http_question question{to, "/livez", no_token, std::chrono::seconds(1)};
    line way(question);
    if (way.open() || way.send(request_of(question))) return true;
    const auto got = way.receive_some();
    return !got || got->empty() || got->front() == 'H';
}

attempt<std::string> ask_monitor(const http_question& question) {
    auto answer = http_get(question);
    if (!answer) return answer.error();
    if (answer->status == 200) return std::move(answer->body);
    const std::string where = base::printable(question.to.text());
    const std::string path{question.path};
    switch (answer->status) {
        case 401:
            if (question.token) {
                return not_reached(where + " refuses the token: it is not the server's admin_token");
            }
            return not_reached(
                where +
                " asks for the server's admin_token: give a file that has it, --token-file FILE, or set "
                "UNICORO_ADMIN_TOKEN"
            );
        case 404: return not_reached(where + " has no " + path + ": is it the server's admin_bind?");
        case 421: return not_reached(where + " answers to addresses and to localhost only: name it so");
        default: return not_reached(where + " answers " + std::to_string(answer->status) + " to " + path);
    }
}

}  // namespace unicoro::cli
