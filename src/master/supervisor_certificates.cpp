// SPDX-License-Identifier: MIT
// Certificates that are renewed while the server runs.
#include "log/log.hpp"
#include "master/supervisor.hpp"
#include "os/lifeline.hpp"
#include "os/passed_text.hpp"

#include <string>

namespace unicoro::master {
namespace {

using namespace std::chrono_literals;

constexpr instant between_looks = 1s;

error_code hand(int line, const certificate_set& what) {
    const auto file = os::pass_text("unicoro-certificates", what.packed);
    if (!file) return file.error();
    return os::hand_file(line, std::string(certificates_name), file->get());
}

}  // namespace

void supervisor::watch_certificates() {
    const instant now = clock_now();
    if (now < next_certificate_look_) return;
    next_certificate_look_ = now + between_looks;
    launch_set& set = sets_.at(settled_);
    auto fresh = encryption_.renewed(*set.settings, set.certificates);
    if (!fresh) return;
    set.certificates = std::move(*fresh);
    log::info("The certificates have changed: new connections get them");
    hand_certificates_to_preloaders(set);
    for (const running& each : workers_) {
        if (each.generation == set.id) hand_certificates(set, each);
    }
}

void supervisor::hand_certificates(const launch_set& of, const running& to) const {
    if (!of.certificates.served) return;
    const error_code failed = hand(to.lifeline.get(), of.certificates);
    if (!failed || failed == os::system_error(EPIPE)) return;
    log::error("Worker (pid:{}) keeps using the former certificates: {}", to.pid, failed.message());
}

void supervisor::hand_certificates_to_preloaders(const launch_set& of) {
    for (preloader& each : preloaders_) {
        if (each.generation != of.id || !each.line) continue;
        if (!each.orders.empty()) each.orders.front().missed_files = true;
        const error_code failed = hand(each.line.get(), of.certificates);
        if (!failed || failed == os::system_error(EPIPE)) continue;
        log::error("New workers keep using the former certificates: {}", failed.message());
    }
}

}  // namespace unicoro::master
