// SPDX-License-Identifier: MIT
#include "master_process.hpp"

#include "os/socket_address.hpp"

#include "support/doctest.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace unicoro::master::testing;
using namespace std::chrono_literals;
namespace os = unicoro::os;
using unicoro::settings::bind_address;

namespace {

bool serves(const master_process& master, std::size_t workers) {
    return eventually([&] { return master.workers().size() == workers; });
}

// How often the master has seen a worker become ready.
int ready_count(const master_process& master) {
    const std::string log = master.log();
    int found = 0;
    for (auto at = log.find(") is ready"); at != std::string::npos; at = log.find(") is ready", at + 1)) {
        ++found;
    }
    return found;
}

// Starts, and waits until the master knows that every worker is ready.
void start_serving(master_process& master) {
    const int before = ready_count(master);
    master.start();
    REQUIRE(serves(master, static_cast<std::size_t>(master.settings.workers)));
    REQUIRE(eventually([&] { return ready_count(master) - before >= master.settings.workers; }));
}

bool accepts(const std::string& path) {
    const os::unique_fd client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = *os::unix_address(path);
    return connect(client.get(), address.data(), address.length) == 0;
}

bind_address at_path(const std::string& path) {
    bind_address made;
    made.type = bind_address::kind::unix_path;
    made.path = path;
    return made;
}

// Writes down what it is told in the master.
class diary final : public unicoro::master::companion {
  public:
    explicit diary(std::string path) : path_(std::move(path)) {}

    std::string refusal;

    std::optional<unicoro::master::load_error> start(std::span<const os::listener> sockets) override {
        note("start " + std::to_string(sockets.size()));
        if (refusal.empty()) return std::nullopt;
        return unicoro::master::load_error{unicoro::master::boot_failure::application, refusal};
    }
    void adopt(const unicoro::settings::server_settings&) override { note("adopt"); }
    void before_fork(std::uint64_t age) override { note("before_fork " + std::to_string(age)); }
    void forked(pid_t pid) override {
        if (pid > 0) note("forked");
    }
    void when_ready() override { note("when_ready"); }
    void reloaded(std::span<const os::listener> sockets) override {
        note("reloaded " + std::to_string(sockets.size()));
    }
    void worker_ended(pid_t, int status) override { note("worker_ended " + std::to_string(status)); }
    void workers_changed(int number, int before) override {
        note("workers_changed " + std::to_string(number) + " " + std::to_string(before));
    }
    void ending() override { note("ending"); }

    [[nodiscard]] std::string read() const { return os::testing::content_of(path_); }

  private:
    void note(const std::string& line) const { std::ofstream(path_, std::ios::app) << line << '\n'; }

    std::string path_;
};

}  // namespace

TEST_SUITE_BEGIN("supervisor");

TEST_CASE("what lives in the master is told what happens") {
    master_process master;
    diary guest(master.file("diary"));
    master.guest = &guest;
    master.settings.workers = 1;
    start_serving(master);
    master.signal(SIGTERM);
    CHECK(master.wait_end() == 0);
    CHECK(
        guest.read() ==
        "start 1\nworkers_changed 1 0\nbefore_fork 1\nforked\nwhen_ready\nworker_ended 0\nending\n"
    );
}

TEST_CASE("what lives in the master can keep it from starting") {
    master_process master;
    diary guest(master.file("diary"));
    guest.refusal = "it does not import";
    master.guest = &guest;
    master.start();
    CHECK(master.wait_end() == 4);
    CHECK(master.logged("it does not import"));
    CHECK(guest.read() == "start 1\nending\n");
}

TEST_CASE("it starts, says so, and ends on TERM without a trace") {
    master_process master;
    start_serving(master);
    const std::string pid = std::to_string(master.pid());
    CHECK(os::testing::content_of(master.file("pid")) == pid + "\n");
    CHECK(accepts(master.file("app.sock")));
    for (const std::string& text :
         {std::string("Starting unicoro 1.2.3"),
          "Listening at: unix:" + master.file("app.sock") + " (" + pid + ")",
          std::string("Using worker: sync"),
          "Booting worker with pid: " + std::to_string(master.workers()[0])}) {
        CAPTURE(text);
        CHECK(master.logged(text));
    }
    master.signal(SIGTERM);
    CHECK(master.wait_end() == 0);
    CHECK(master.workers().empty());
    CHECK(master.logged("Handling signal: term"));
    CHECK(master.logged("Worker exiting (pid: "));
    CHECK(master.logged("Shutting down: Master"));
    CHECK_FALSE(std::filesystem::exists(master.file("pid")));
    CHECK_FALSE(std::filesystem::exists(master.file("app.sock")));
}

TEST_CASE("a killed worker is replaced, and the log has its requests") {
    master_process master;
    start_serving(master);
    const pid_t victim = master.workers()[0];
    REQUIRE(kill(victim, SIGKILL) == 0);
    CHECK(eventually([&] { return !is_alive(victim) && master.workers().size() == 2; }));
    CHECK(master.logged("Worker (pid:" + std::to_string(victim) + ") was sent SIGKILL! Not by this server"));
    CHECK(master.logged("In flight in worker (pid:" + std::to_string(victim) + "): GET /slow for 0."));
}

TEST_CASE("a hung worker is reported, aborted and replaced") {
    master_process master;
    start_serving(master);
    const std::string victim = std::to_string(master.workers()[0]);
    master.order("hang." + victim);
    CHECK(eventually([&] { return master.logged("WORKER TIMEOUT (pid:" + victim + ")"); }));
    CHECK(eventually([&] { return !is_alive(std::stoi(victim)) && master.workers().size() == 2; }));
    CHECK(master.logged("(pid:" + victim + ") was sent SIGABRT!"));
    CHECK(master.logged("In flight in worker (pid:" + victim + "): GET /slow"));
}

TEST_CASE("workers end when their master dies, whatever their siblings hold") {
    master_process master;
    master.settings.workers = 3;
    start_serving(master);
    REQUIRE(kill(master.pid(), SIGKILL) == 0);
    CHECK(eventually([&master] { return master.workers().empty(); }));
}

TEST_CASE("no worker holds what belongs to its siblings or its master") {
    master_process master;
    master.settings.workers = 3;
    start_serving(master);
    std::vector<std::string> counts;
    for (const pid_t pid : master.workers()) {
        counts.push_back(os::testing::content_of(master.file("files." + std::to_string(pid))));
    }
    CHECK(counts[0] == counts[1]);
    CHECK(counts[0] == counts[2]);
    const std::string pidfile = master.file("pid");
    for (const pid_t pid : master.workers()) {
        const auto folder = "/proc/" + std::to_string(pid) + "/fd";
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            const std::string target = std::filesystem::read_symlink(entry.path());
            CAPTURE(target);
            CHECK(target.find(pidfile) == std::string::npos);
            CHECK(target.find("signalfd") == std::string::npos);
        }
    }
}

TEST_CASE("the next master starts over the remains of a killed one") {
    master_process master;
    start_serving(master);
    REQUIRE(kill(master.pid(), SIGKILL) == 0);
    REQUIRE(waitpid(master.pid(), nullptr, 0) == master.pid());
    REQUIRE(eventually([&master] { return master.workers().empty(); }));
    start_serving(master);
    master.signal(SIGINT);
    CHECK(master.wait_end() == 0);
}

TEST_CASE("an application that does not load ends the master with 4") {
    master_process master;
    master.order("broken");
    master.start();
    CHECK(master.wait_end() == 4);
    CHECK(master.logged("App failed to load."));
    CHECK_FALSE(std::filesystem::exists(master.file("app.sock")));
}

TEST_CASE("what cannot be bound, locked or found ends the master with 1") {
    master_process master;
    SUBCASE("an address of another machine") {
        bind_address address;
        address.host = "192.0.2.1";
        address.port = 8000;
        master.settings.bind = {address};
        master.start();
        CHECK(master.wait_end() == 1);
        CHECK(master.logged("cannot listen on 192.0.2.1:8000: Cannot assign requested address"));
    }
    SUBCASE("a user nobody knows") {
        master.settings.user = "no-such-user-here";
        master.start();
        CHECK(master.wait_end() == 1);
        CHECK(master.logged("user no-such-user-here: no such user"));
    }
    SUBCASE("a pidfile without a directory") {
        master.settings.pidfile = master.file("none/pid");
        master.start();
        CHECK(master.wait_end() == 1);
        CHECK(master.logged("cannot write pidfile"));
    }
}

TEST_CASE("an address in use is tried again until it is free") {
    master_process master;
    auto holder = os::listen_unix({master.file("app.sock"), 5, 0, {}, {}});
    REQUIRE(holder.has_value());
    master.start();
    REQUIRE(eventually([&master] { return master.logged("Retrying in 1 second."); }));
    holder->remove_path();
    CHECK(serves(master, 2));
}

TEST_CASE("TERM ends the wait for an address") {
    master_process master;
    const auto holder = os::listen_unix({master.file("app.sock"), 5, 0, {}, {}});
    REQUIRE(holder.has_value());
    master.start();
    REQUIRE(eventually([&master] { return master.logged("Retrying in 1 second."); }));
    master.signal(SIGTERM);
    CHECK(master.wait_end() == 0);
    CHECK(accepts(master.file("app.sock")));
}

TEST_CASE("HUP moves to other addresses and another number of workers") {
    master_process master;
    master.reloaded = master.settings;
    master.reloaded.bind = {at_path(master.file("new.sock"))};
    master.reloaded.workers = 3;
    master.reloaded.pidfile = master.file("new.pid");
    start_serving(master);
    const auto before = master.workers();
    master.signal(SIGHUP);
    REQUIRE(eventually([&master] { return master.logged("Reload complete: 3 new workers serve"); }));
    CHECK(eventually([&] {
        return master.workers().size() == 3 && !is_alive(before[0]) && !is_alive(before[1]);
    }));
    CHECK(accepts(master.file("new.sock")));
    CHECK_FALSE(std::filesystem::exists(master.file("app.sock")));
    CHECK(eventually([&master] { return !std::filesystem::exists(master.file("pid")); }));
    CHECK(os::testing::content_of(master.file("new.pid")) == std::to_string(master.pid()) + "\n");
}

TEST_CASE("HUP with bad settings or a broken application keeps everything") {
    master_process master;
    master.reloaded = master.settings;
    std::string expected;
    SUBCASE("settings") {
        master.reload_error = "workers: -1 is too small";
        expected = "Reload refused";
    }
    SUBCASE("an address that cannot be bound") {
        master.reloaded.bind.push_back(at_path(master.file("none/app.sock")));
        expected = "Reload refused";
    }
    SUBCASE("more workers than there is room for") {
        master.reloaded.workers = 100'000;
        expected = "workers: 100000: a running master has room for 128";
    }
    SUBCASE("application") {
        expected = "Reload failed: App failed to load.";
    }
    start_serving(master);
    const auto before = master.workers();
    master.order("broken");
    master.signal(SIGHUP);
    CHECK(eventually([&] { return master.logged(expected); }));
    CHECK(master.workers() == before);
    CHECK(accepts(master.file("app.sock")));
    master.withdraw("broken");
    REQUIRE(kill(before[0], SIGKILL) == 0);
    CHECK(eventually([&] { return !is_alive(before[0]) && master.workers().size() == 2; }));
}

TEST_CASE("the service manager hears READY, RELOADING and STOPPING") {
    master_process master;
    const os::unique_fd manager(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    const auto address = *os::unix_address(master.file("notify"));
    REQUIRE(bind(manager.get(), address.data(), address.length) == 0);
    std::string heard;
    const auto hears = [&](const std::string& text) {
        return eventually([&] {
            char datagram[512];
            const auto got = recv(manager.get(), datagram, sizeof datagram, 0);
            if (got > 0) heard.append(datagram, static_cast<std::size_t>(got));
            return heard.find(text) != std::string::npos;
        });
    };
    setenv("NOTIFY_SOCKET", master.file("notify").c_str(), 1);
    setenv("WATCHDOG_USEC", "200000", 1);
    master.reloaded = master.settings;
    master.start();
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    CHECK(hears("READY=1\nMAINPID=" + std::to_string(master.pid()) + "\nSTATUS=2 workers serve\n"));
    heard.clear();
    CHECK(hears("WATCHDOG=1"));
    master.signal(SIGHUP);
    CHECK(hears("RELOADING=1\nMONOTONIC_USEC="));
    CHECK(hears("READY=1"));
    master.signal(SIGTERM);
    CHECK(hears("STOPPING=1"));
    CHECK(master.wait_end() == 0);
}

TEST_CASE("--daemon: the command ends when the workers serve, or with the daemon's code") {
    master_process master;
    SUBCASE("serving") {
        REQUIRE(master.start_as_daemon() == 0);
        CHECK(master.workers().size() == 2);
        const pid_t daemon = std::stoi(os::testing::content_of(master.file("pid")));
        REQUIRE(kill(daemon, SIGTERM) == 0);
        CHECK(eventually([daemon] { return !is_alive(daemon); }));
    }
    SUBCASE("broken") {
        master.order("broken");
        CHECK(master.start_as_daemon() == 4);
    }
}

TEST_CASE("workers drop what the settings say" * doctest::skip(geteuid() != 0)) {
    master_process master;
    master.settings.user = "54321";
    master.settings.group = "54322";
    std::filesystem::permissions(
        std::filesystem::path(master.file("log")).parent_path(), std::filesystem::perms::all
    );
    start_serving(master);
    const std::string status =
        os::testing::content_of("/proc/" + std::to_string(master.workers()[0]) + "/status");
    CHECK(status.find("Uid:\t54321\t54321\t54321\t54321") != std::string::npos);
    CHECK(status.find("Gid:\t54322\t54322\t54322\t54322") != std::string::npos);
    CHECK(status.find("Groups:\t \n") != std::string::npos);
}

TEST_SUITE_END();
