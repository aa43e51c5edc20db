// SPDX-License-Identifier: MIT
#include "base/exception_text.hpp"
#include "master/supervisor.hpp"
#include "os/descriptors.hpp"
#include "os/process_title.hpp"

#include <algorithm>

namespace unicoro::master {
namespace {

/// The part of the settings the core decides by.
limits limits_of(const settings::server_settings& values) {
    // Workers end by themselves at graceful_timeout, and still answer what they cut short and let its code
    // clean up, as after SIGQUIT: SIGKILL is for those that cannot.
    constexpr std::chrono::seconds margin{2};
    return {
        .workers = values.workers,
        .timeout = values.timeout,
        .graceful_timeout = values.graceful_timeout + margin,
        .boot_timeout = values.boot_timeout,
        .workers_retire = values.max_requests > 0 || values.reload,
        .recycle =
            {
                .lifetime = values.max_worker_lifetime,
                .lifetime_jitter = values.max_worker_lifetime_jitter,
                .memory = values.max_worker_memory,
                .memory_jitter = values.max_worker_memory_jitter,
                .memory_limit = values.worker_memory_limit,
                .share = values.recycle_share,
            },
        .shutdown_delay = values.shutdown_delay,
        .monitor = values.monitoring.has_monitor(),
    };
}

}  // namespace

limits supervisor::limits_with(const settings::server_settings& values) const {
    limits result = limits_of(values);
    result.preload = companion_.preloads(values);
    result.monitor = result.monitor && !is_trial();
    return result;
}

std::string process_title(std::string_view role, const settings::server_settings& values) {
    return fmt::format(
        "unicoro: {} [{}]", role, values.proc_name.value_or(settings::describe_applications(values))
    );
}

void supervisor::show_title() const {
    os::set_process_title(process_title("master", *sets_.at(settled_).settings));
    os::set_short_name("unicoro: master");
}

reload_outcome supervisor::ask_for_settings() {
    if (!options_.reload) return {nullptr, {"this server cannot read its settings anew"}};
    try {
        return options_.reload();
    } catch (const std::exception& error) {
        return {nullptr, {base::exception_text(error)}};
    }
}

void supervisor::perform(const action::reload_settings&) {
    const reload_outcome read = ask_for_settings();
    auto errors = prepare(read);
    // The settings in force stay so for now, and are perhaps the ones that remain.
    sets_.at(settled_).enter_directory();
    if (!errors.empty()) return feed(event::settings_refused{std::move(errors)});
    feed(event::settings_accepted{newest_, limits_with(*read.settings)});
    companion_.reloaded(sockets_of(sets_.at(newest_)));
}

std::vector<std::size_t> supervisor::rows_of(const settings::server_settings& values) {
    std::vector<std::size_t> rows;
    rows.reserve(values.apps.size() + 1);
    for (const auto& [prefix, app] : values.apps) rows.push_back(tally_->row_of(prefix));
    if (rows.empty()) rows.push_back(tally_->row_of("/"));
    return rows;
}

std::vector<std::string> supervisor::prepare(const reload_outcome& read) {
    if (!read.errors.empty()) return read.errors;
    if (read.settings == nullptr) return {"no settings were read"};
    const settings::server_settings& values = *read.settings;
    const auto room = static_cast<int>(board_->size() / slots_per_worker);
    if (values.workers > room) {
        return {fmt::format(
            "workers: {}: a running master has room for {}; restart it to have more", values.workers, room
        )};
    }
    launch_set fresh;
    fresh.settings = read.settings;
    fresh.directory = os::current_folder();
    const auto privileges = wanted_privileges(values);
    if (!privileges) return {privileges.error().message};
    fresh.privileges = *privileges;
    auto certificates = encryption_.open(values);
    if (!certificates) return {certificates.error().message};
    fresh.certificates = std::move(*certificates);
    // Sockets of every living set may be kept: one of a set under way is in use just as well.
    std::vector<bound_listener> known;
    for (auto set = sets_.rbegin(); set != sets_.rend(); ++set) {
        const std::vector<bound_listener> theirs = all_listeners(set->second);
        known.insert(known.end(), theirs.begin(), theirs.end());
    }
    if (activated_) {
        fresh.listeners = sets_.at(settled_).listeners;
    } else {
        auto opened = open_listeners(values, fresh.privileges, known);
        if (!opened) return {opened.error().message};
        fresh.listeners = std::move(*opened);
    }
    auto admin = open_admin_listeners(values, fresh.privileges, known);
    if (!admin) {
        remove_paths(fresh.listeners, known);
        return {admin.error().message};
    }
    fresh.admin = std::move(*admin);
    fresh.rows = rows_of(values);
    fresh.id = ++newest_;
    sets_.emplace(fresh.id, std::move(fresh));
    return {};
}

void supervisor::drop_set(generation_id id) {
    const auto gone = sets_.find(id);
    if (gone == sets_.end()) return;
    std::vector<bound_listener> staying;
    for (const auto& [other, set] : sets_) {
        if (other == id) continue;
        const std::vector<bound_listener> theirs = all_listeners(set);
        staying.insert(staying.end(), theirs.begin(), theirs.end());
    }
    remove_paths(all_listeners(gone->second), staying);
    sets_.erase(gone);
}

void supervisor::drop_sets_before(generation_id kept) {
    std::vector<generation_id> gone;
    for (const auto& [id, set] : sets_) {
        if (id < kept) gone.push_back(id);
    }
    for (const generation_id id : gone) drop_set(id);
}

void supervisor::perform(const action::abandon& what) {
    drop_set(what.generation);
}

void supervisor::perform(const action::settle& what) {
    const auto before = sets_.at(settled_).settings;
    settled_ = what.generation;
    drop_sets_before(settled_);
    if (!activated_) store_.keep(sets_.at(settled_).listeners);
    sets_.at(settled_).enter_directory();
    const settings::server_settings& values = *sets_.at(settled_).settings;
    environment_.apply(values.raw_env);
    if (options_.adopt) options_.adopt(values);
    companion_.adopt(values);
    // It was made before, and may have files that have been rotated meanwhile.
    hand_logs_to_preloaders();
    hand_logs_to_monitors();
    show_title();
    former_pidfile_.reset();
    if (before->pidfile == values.pidfile) return;
    if (!values.pidfile) {
        pidfile_.reset();
        return;
    }
    auto made = os::pidfile::create(*values.pidfile);
    if (made) {
        pidfile_ = std::move(*made);
    } else {
        log::error("{}; the former pidfile stays", made.error().message);
    }
}

}  // namespace unicoro::master
