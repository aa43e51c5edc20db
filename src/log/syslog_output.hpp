// SPDX-License-Identifier: MIT
#pragma once

#include "log/access_record.hpp"
#include "log/level.hpp"
#include "log/message_socket.hpp"
#include "log/syslog_address.hpp"
#include "log/syslog_message.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::log {

struct syslog_options {
    std::string address = "udp://localhost:514";
    syslog_facility facility = syslog_facility::user;
    syslog_format format = syslog_format::rfc3164;
    std::string program;  ///< ".error" and ".access" follow
    bool access = true;   ///< the access log, too
};

/// Both logs on their way to syslog, beside their files. Belongs to the logs in force. Never throws and never
/// waits; says in the error log when messages are lost, and when they no longer are. Any thread.
class syslog_output {
  public:
    /// Nothing and `problem`, when the address is none or its host cannot be looked up.
    [[nodiscard]] static std::unique_ptr<syslog_output> open(
        const syslog_options& chosen, std::string& problem
    );

    void error(level at, std::string_view text) noexcept;
    /// Lines of the error log in the server's form, newline included, each with the lines that belong to it;
    /// what has another form is not for syslog.
    void error_lines(std::string_view lines) noexcept;
    /// `record` may be none.
    void access(std::string_view line, const access_record* record) noexcept;
    [[nodiscard]] bool takes_access() const noexcept { return takes_access_; }

    void flush() noexcept { socket_.flush(); }
    [[nodiscard]] bool settled() noexcept { return socket_.settled(); }

  private:
    syslog_output(const syslog_options& chosen, const syslog_address& where);
    void send(const syslog_origin& from, syslog_entry entry) noexcept;
    void lose(int why) noexcept;
    void report_recovery() noexcept;

    message_socket socket_;
    std::string address_;
    syslog_origin error_;
    syslog_origin access_;
    bool takes_access_;
    bool is_journal_;
    std::size_t longest_;  ///< bytes of text in a message
    std::atomic<bool> losing_{false};
    std::atomic<std::uint64_t> lost_{0};
    std::atomic<std::int64_t> last_loss_{0};  ///< steady seconds
};

}  // namespace unicoro::log
