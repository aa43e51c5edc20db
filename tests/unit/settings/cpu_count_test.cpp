// SPDX-License-Identifier: MIT
#include "settings/cpu_count.hpp"

#include "start.hpp"

using settings_tests::temporary_folder;
using unicoro::settings::affinity_cpu_count;
using unicoro::settings::usable_cpu_count;

TEST_SUITE("cpu_count") {
    TEST_CASE("without cgroups the affinity counts") {
        const temporary_folder root;
        CHECK(usable_cpu_count(root.path(), 8) == 8);
        CHECK(usable_cpu_count(root.path(), 0) == 1);
    }

    TEST_CASE("a quota in a container, where the group is the root of what is mounted") {
        struct row {
            const char* cpu_max;
            int affinity;
            int expected;
        };
        for (const row& r : {
                 row{"200000 100000\n", 8, 2},
                 row{"150000 100000\n", 8, 2},
                 row{"100001 100000\n", 8, 2},
                 row{"50000 100000\n", 8, 1},
                 row{"1 100000\n", 8, 1},
                 row{"max 100000\n", 8, 8},
                 row{"1600000 100000\n", 8, 8},
                 row{"nonsense\n", 8, 8},
                 row{"100000 0\n", 8, 8},
                 row{"", 8, 8},
             }) {
            CAPTURE(r.cpu_max);
            const temporary_folder root;
            root.write("proc/self/cgroup", "0::/\n");
            root.write("sys/fs/cgroup/cpu.max", r.cpu_max);
            CHECK(usable_cpu_count(root.path(), r.affinity) == r.expected);
        }
    }

    TEST_CASE("the smallest quota on the way to the own group counts") {
        const temporary_folder root;
        root.write("proc/self/cgroup", "1:name=systemd:/x\n0::/system.slice/app.service\n");
        root.write("sys/fs/cgroup/system.slice/cpu.max", "300000 100000\n");
        root.write("sys/fs/cgroup/system.slice/app.service/cpu.max", "500000 100000\n");
        CHECK(usable_cpu_count(root.path(), 16) == 3);
        root.write("sys/fs/cgroup/system.slice/app.service/cpu.max", "100000 100000\n");
        CHECK(usable_cpu_count(root.path(), 16) == 1);
    }

    TEST_CASE("a group outside of what is mounted is not followed") {
        const temporary_folder root;
        root.write("proc/self/cgroup", "0::/../../other\n");
        root.write("sys/fs/cgroup/cpu.max", "200000 100000\n");
        root.write("sys/fs/other/cpu.max", "100000 100000\n");
        CHECK(usable_cpu_count(root.path(), 4) == 2);
    }

    TEST_CASE("this machine has at least one CPU") {
        CHECK(affinity_cpu_count() >= 1);
        CHECK(usable_cpu_count() >= 1);
        CHECK(usable_cpu_count() <= affinity_cpu_count());
    }
}
