// SPDX-License-Identifier: MIT
#include "os/identity.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <vector>

namespace unicoro::os {
namespace {

constexpr std::size_t largest_record = 1U << 20;

std::optional<unsigned> number_of(std::string_view text) noexcept {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// Calls one of the get*_r functions with a buffer that grows until the record fits.
template <class Record, class Visit, class Lookup>
auto look_up(Lookup lookup, Visit visit) -> std::optional<decltype(visit(Record{}))> {
    std::vector<char> buffer(1024);
    for (;;) {
        Record record{};
        Record* found = nullptr;
        const int failed = lookup(&record, buffer.data(), buffer.size(), &found);
        if (failed == ERANGE && buffer.size() < largest_record) {
            buffer.resize(buffer.size() * 2);
            continue;
        }
        if (failed != 0 || found == nullptr) return std::nullopt;
        return visit(*found);
    }
}

user_identity identity_of(const passwd& record) {
    return {record.pw_uid, record.pw_name, record.pw_gid, record.pw_dir};
}

failure denied(const char* step, const error_code& code) {
    return make_failure(code, std::string("cannot drop privileges: ") + step);
}

outcome<void> set_groups(const privileges& wanted, gid_t gid) {
    if (wanted.groups == privileges::extra_groups::of_user && !wanted.user_name.empty()) {
        if (initgroups(wanted.user_name.c_str(), gid) != 0) return denied("initgroups", last_error());
        return {};
    }
    if (setgroups(0, nullptr) != 0) return denied("setgroups", last_error());
    return {};
}

outcome<void> check_for_good(uid_t uid, gid_t gid) {
    uid_t real_user = 0;
    uid_t effective_user = 0;
    uid_t saved_user = 0;
    gid_t real_group = 0;
    gid_t effective_group = 0;
    gid_t saved_group = 0;
    if (getresuid(&real_user, &effective_user, &saved_user) != 0 ||
        getresgid(&real_group, &effective_group, &saved_group) != 0) {
        return denied("check", last_error());
    }
    const bool complete = real_user == uid && effective_user == uid && saved_user == uid &&
                          real_group == gid && effective_group == gid && saved_group == gid;
    if (!complete) return denied("the change is not complete", system_error(EPERM));
    if (uid != 0 && setuid(0) == 0) return denied("root could be regained", system_error(EPERM));
    return {};
}

}  // namespace

outcome<user_identity> find_user(std::string_view text) noexcept {
    const std::string name(text);
    const auto by_name = [&name](passwd* record, char* buffer, std::size_t size, passwd** found) {
        return getpwnam_r(name.c_str(), record, buffer, size, found);
    };
    if (auto found = look_up<passwd>(by_name, identity_of)) return *std::move(found);
    const auto uid = number_of(text);
    if (!uid) {
        return failure{
            system_error(ENOENT),
            "user " + name + ": no such user; give a name of the user database or a number"
        };
    }
    const auto by_id = [&uid](passwd* record, char* buffer, std::size_t size, passwd** found) {
        return getpwuid_r(*uid, record, buffer, size, found);
    };
    if (auto found = look_up<passwd>(by_id, identity_of)) return *std::move(found);
    return user_identity{*uid, {}, std::nullopt, "/"};
}

outcome<gid_t> find_group(std::string_view text) noexcept {
    const std::string name(text);
    const auto by_name = [&name](group* record, char* buffer, std::size_t size, group** found) {
        return getgrnam_r(name.c_str(), record, buffer, size, found);
    };
    const auto id_of = [](const group& record) { return record.gr_gid; };
    if (const auto found = look_up<group>(by_name, id_of)) return *found;
    if (const auto gid = number_of(text)) return gid_t{*gid};
    return failure{
        system_error(ENOENT),
        "group " + name + ": no such group; give a name of the group database or a number"
    };
}

outcome<void> drop_privileges(const privileges& wanted) noexcept {
    if (!wanted.uid && !wanted.gid) return {};
    const uid_t uid = wanted.uid.value_or(geteuid());
    const gid_t gid = wanted.gid.value_or(getegid());
    if (geteuid() != 0) {
        if (uid == geteuid() && gid == getegid()) return {};
        return denied("only root can change user or group", system_error(EPERM));
    }
    if (auto done = set_groups(wanted, gid); !done) return done;
    if (setresgid(gid, gid, gid) != 0) return denied("setgid", last_error());
    if (setresuid(uid, uid, uid) != 0) return denied("setuid", last_error());
    return check_for_good(uid, gid);
}

void show_identity(const privileges& now) noexcept {
    const auto& [home, user, login] = identity_variables;
    setenv(home, now.home.c_str(), 1);
    for (const char* const name : {user, login}) {
        if (now.user_name.empty()) {
            unsetenv(name);
        } else {
            setenv(name, now.user_name.c_str(), 1);
        }
    }
}

}  // namespace unicoro::os
