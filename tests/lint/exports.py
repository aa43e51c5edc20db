# SPDX-License-Identifier: MIT
"""What libunicoro shows (src/exports.map) is what its users need, and of Asio there is one in a process.

usage: exports.py --map FILE --library FILE USER... | --self-test
"""

import argparse
import fnmatch
import re
import subprocess
import sys

# What native applications may use, what must be one in a process, and what only some builds have, is no matter of
# who uses it here.
PUBLIC = re.compile(r"boost::|(\*\?for\?)|unicoro::[a-z_]+(\*|::\*)$|unicoro::base::(un)?poison|unicoro::base::pools")
# Of these a copy of one's own would not know the others.
SHARED = re.compile(r"boost::asio::")
OWN_DATA = re.compile(r"^[0-9a-f]+ [bdr] (?!(vtable|typeinfo|typeinfo name|VTT|guard variable) for )")


def patterns(text: str) -> list[str]:
    inside = re.search(r'extern "C\+\+" \{(.*?)\};', re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL), re.DOTALL)
    return [each.strip() for each in inside[1].split(";") if each.strip()]


def unused(wanted: list[str], needed: list[str]) -> list[str]:
    """Patterns for users of ours that none of them needs."""
    return [each for each in wanted if not PUBLIC.match(each) and not fnmatch.filter(needed, each)]


def missing(needed: list[str], shown: set[str]) -> list[str]:
    """What would only be found out when a user is loaded."""
    return sorted({each for each in needed if each.startswith("unicoro::")} - shown)


def copies(symbols: list[str]) -> list[str]:
    """Data of Asio that a user has for itself alone."""
    return [each for each in symbols if OWN_DATA.match(each) and SHARED.search(each)]


def names(path: str, *options: str) -> list[str]:
    done = subprocess.run(["nm", "-C", *options, path], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def symbol(line: str) -> str:
    return re.sub(r"^[0-9a-f ]*[A-Za-z] ", "", line)


def self_test() -> None:
    text = 'extern "C++" {\n /* why: */ boost::asio::*;\n unicoro::os::a*;\n unicoro::os::b*;\n unicoro::request::*;\n };'
    wanted = patterns(text)
    assert wanted == ["boost::asio::*", "unicoro::os::a*", "unicoro::os::b*", "unicoro::request::*"], wanted
    assert unused(wanted, ["unicoro::os::a(int)", "unicoro::os::c()"]) == ["unicoro::os::b*"]
    assert missing(["unicoro::os::a()", "unicoro::os::b()", "PyList_New"], {"unicoro::os::a()"}) == ["unicoro::os::b()"]
    own = "0000000000000010 b boost::asio::detail::call_stack<int>::top_"
    shown = own.replace(" b ", " V ")
    assert copies([own, shown, "0000000000000010 r typeinfo for boost::asio::x", "10 t boost::asio::f()"]) == [own]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--map")
    parser.add_argument("--library")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("users", nargs="*")
    options = parser.parse_args()
    if options.self_test:
        self_test()
        return 0
    with open(options.map, encoding="utf-8") as file:
        wanted = patterns(file.read())
    needed = [symbol(line) for user in options.users for line in names(user, "-D", "-u")]
    shown = {symbol(line) for line in names(options.library, "-D", "--defined-only")}
    findings = [f"{options.map}: nobody needs {each}" for each in unused(wanted, needed)]
    findings += [f"{options.map}: somebody needs {each}" for each in missing(needed, shown)]
    for user in options.users:
        findings += [f"{user}: has its own {symbol(each)}" for each in copies(names(user))]
    print(*findings, f"{len(wanted)} patterns, {len(findings)} findings", sep="\n")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
