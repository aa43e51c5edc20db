# SPDX-License-Identifier: MIT
"""Forms of coroutines that g++ 12.2 compiles rightly, and rules about spawning.

co_await stands alone, initialises a named variable, or is returned: in a condition, an argument, a
`?:` or a braced initialiser that compiler frees temporaries twice, or crashes (GCC PR 106188, 107288,
95599). Captures of a coroutine lambda die with the lambda. One inside of extern "C" gets the same symbol
for two of its parts. A detached coroutine swallows exceptions.
"""

import re

from lint import Finding, Tree, is_cpp, line_of, lint_main, matching, strip_noise

AWAIT = re.compile(r"\bco_await\b")
# A number made of its type owns nothing that could be freed twice.
NUMBER = re.compile(r"\bstd::(?:size_t|u?int\d+_t)\{[\w']*\}")
COROUTINE = re.compile(r"\bco_(await|return|yield)\b")
# What may stand before co_await in its statement.
ALLOWED_BEFORE = re.compile(
    r"""^(?:\[\[maybe_unused\]\]\s*)?(?:
        | \(void\)
        | co_return
        | (?:(?:const|static|constexpr)\s+)* auto\s*[&]{0,2}\s*\[[\w\s,]+\]\s* =
        | (?:[\w:<>,*&\s]+?[\s&*])? \w+\s* =
    )$""",
    re.VERBOSE,
)
CONTROL = re.compile(r"^(?:else\b|do\b|\w+\s*:(?!:)|case\b[^:]*(?:::[^:]*)*:(?!:)|default\s*:)\s*")
CONTROL_CLAUSE = re.compile(r"^(?:if|while|for|switch)\s*(?:constexpr\s*)?\(")
BLOCK_WORDS = {"else", "do", "try", "const", "noexcept", "override", "final", "mutable"}
# A bracket that follows one of these is a subscript or an attribute, else it opens a lambda.
LAMBDA = re.compile(r"(?<![\w)\]\[])\s*\[(?!\[)")


def _opens_block(code: str, brace: int) -> bool:
    """True when the `{` opens statements, not a braced initialiser."""
    before = code[:brace].rstrip()
    if not before or before[-1] in ");{}:":
        return True
    word = re.search(r"\w+$", before)
    if word and word.group() in BLOCK_WORDS:
        return True
    tail = before[max(before.rfind(mark) for mark in ";{}") + 1:]
    return "->" in tail[tail.rfind(")") + 1:] or bool(
        re.match(r"\s*(?:inline\s+)?(?:namespace|class|struct|extern)\b", tail)
    )


def _statement(code: str, await_at: int) -> tuple[int, int, str | None]:
    """(start, end, fault) of the statement around a co_await."""
    depth, at = 0, await_at - 1
    fault = None
    while at >= 0:
        c = code[at]
        if c in ")]":
            depth += 1
        elif c in "([":
            if depth == 0:
                fault = fault or "co_await inside parentheses (a condition or an argument)"
            else:
                depth -= 1
        elif c == "}" and depth == 0:
            break
        elif c == "{" and depth == 0:
            if _opens_block(code, at):
                break
            fault = fault or "co_await inside a braced initialiser"
        elif c == ";" and depth == 0 and fault is None:
            break
        at -= 1
        if fault:
            break
    end, depth = await_at, 0
    while end < len(code):
        c = code[end]
        if c in "([{":
            end = matching(code, end)
        elif c == ";" or c in ")]}":
            break
        end += 1
    return at + 1, end, fault


def _strip_control(text: str) -> str:
    text = text.strip()
    while True:
        if match := CONTROL.match(text):
            text = text[match.end():]
        elif match := CONTROL_CLAUSE.match(text):
            text = text[matching(text, match.end() - 1) + 1:].lstrip()
        else:
            return text


def _top_level(text: str) -> str:
    """Without what is inside brackets."""
    kept, at = [], 0
    while at < len(text):
        kept.append(text[at])
        if text[at] in "([{":
            at = matching(text, at)
        at += 1
    return "".join(kept)


def _check_await(code: str, at: int) -> str | None:
    start, end, fault = _statement(code, at)
    if fault:
        return fault + "; give it a named variable of its own on the line before"
    before = _strip_control(code[start:at])
    if not ALLOWED_BEFORE.match(before):
        return ("co_await must be a whole statement, the initialiser of a named variable or "
                f"'co_return co_await'; before it stands '{' '.join(before.split())}'")
    after = NUMBER.sub("0", code[at:end])
    if re.search(r"\?|&&|\|\|", _top_level(after)):
        return "co_await is an operand here; give it a named variable of its own"
    if re.search(r"\{\s*[^\s}]", after):
        return "a braced temporary or a lambda in a statement with co_await; name it on the line before"
    for match in LAMBDA.finditer(after):
        opening = match.end() - 1
        if after[opening + 1:matching(after, opening)].strip():
            return "a lambda with captures in a statement with co_await; name it on the line before"
    return None


def _lambda_bodies(code: str) -> list[tuple[int, str, int, int]]:
    """(offset, captures, body start, body end) of each lambda."""
    found = []
    for match in LAMBDA.finditer(code):
        opening = match.end() - 1
        close = matching(code, opening)
        rest = close + 1
        while rest < len(code) and code[rest].isspace():
            rest += 1
        if rest < len(code) and code[rest] == "(":
            rest = matching(code, rest) + 1
        elif rest >= len(code) or code[rest] not in "{m-<n":
            continue
        tail = re.compile(r"(?:\s|mutable|noexcept|constexpr|->\s*[\w:<>,\s*&]+?)*\{").match(code, rest)
        if tail is None:
            continue
        body = tail.end() - 1
        found.append((opening, code[opening + 1:close].strip(), body, matching(code, body)))
    return found


def _check_lambdas(code: str) -> list[tuple[int, str]]:
    findings = []
    bodies = _lambda_bodies(code)
    # Innermost first, each blanked when judged: what is left of an outer body is its own.
    for at, captures, start, end in sorted(bodies, key=lambda b: b[3] - b[2]):
        if captures and COROUTINE.search(code, start, end):
            findings.append((at, "a coroutine lambda with captures; write a named function that takes "
                                 "what it needs by value"))
        code = code[:start + 1] + re.sub(r"[^\n]", " ", code[start + 1:end]) + code[end:]
    return findings


def _check_linkage(code: str) -> list[int]:
    """Offsets of coroutine lambdas inside of extern "C"."""
    findings = []
    bodies = _lambda_bodies(code)
    for match in re.finditer(r'\bextern\s*"[^"]*"', code):
        end = match.end()
        while end < len(code) and code[end] not in ";{":
            end += 1
        if end < len(code) and code[end] == "{":
            end = matching(code, end)
        findings += [
            at for at, _, start, stop in bodies
            if match.end() < at < end and COROUTINE.search(code, start, stop)
        ]
    return findings


def check(tree: Tree) -> list[Finding]:
    findings = []
    for path, text in tree.items():
        if not is_cpp(path):
            continue
        code = strip_noise(text)

        def add(offset: int, message: str) -> None:
            findings.append(Finding(path, line_of(code, offset), message))

        for match in AWAIT.finditer(code):
            if message := _check_await(code, match.start()):
                add(match.start(), message)
        for offset, message in _check_lambdas(code):
            add(offset, message)
        for offset in _check_linkage(code):
            add(offset, "a coroutine lambda inside of extern \"C\"; leave that out, a variable outside of "
                        "namespaces has its plain name without it")
        for match in re.finditer(r"\basio(?:::|/)detached\b", code):
            add(match.start(), "asio::detached swallows exceptions; spawn by a task_group")
        if path.startswith("src/") and not path.startswith("src/aio/"):
            for match in re.finditer(r"\bco_spawn\s*\(", code):
                add(match.start(), "co_spawn outside src/aio; spawn by a task_group")
        # The precompiled header names it to be able to compile it.
        if path.startswith("src/") and not path.startswith(("src/aio/", "src/pch/")):
            for match in re.finditer(r"\buse_awaitable\b", code):
                add(match.start(), "use_awaitable throws; use as_tuple")
    return findings


def _in(body: str, path: str = "src/worker/a.cpp") -> tuple[str, str]:
    return path, f"awaitable<void> f() {{\n    {body}\n}}\n"


BAD = [
    (*_in("if (co_await g()) return;"), "inside parentheses"),
    (*_in("while (!co_await g()) {}"), "inside parentheses"),
    (*_in("for (auto x : co_await g()) use(x);"), "inside parentheses"),
    (*_in("switch (co_await g()) {}"), "inside parentheses"),
    (*_in("use(co_await g());"), "inside parentheses"),
    (*_in("CHECK(co_await g());"), "inside parentheses"),
    (*_in("auto x = (co_await g()).value();"), "inside parentheses"),
    (*_in("agg x{co_await g()};"), "braced initialiser"),
    (*_in("agg x = {1, co_await g()};"), "braced initialiser"),
    (*_in("auto x = std::vector<int>{co_await g()};"), "braced initialiser"),
    (*_in("auto x = c ? co_await g() : 1;"), "must be a whole statement"),
    (*_in("auto x = !co_await g();"), "must be a whole statement"),
    (*_in("auto x = co_await g() && h();"), "an operand"),
    (*_in("auto x = co_await g() ? 1 : 2;"), "an operand"),
    (*_in("return_value += co_await g();"), "must be a whole statement"),
    (*_in("co_await take(agg{a, b});"), "braced temporary"),
    (*_in("co_await take({a, b});"), "braced temporary"),
    (*_in("co_await take([p] { return p; });"), "braced temporary"),
    (*_in("auto t = [p]() -> awaitable<void> { co_await g(p); };"), "lambda with captures"),
    (*_in("auto t = [&] { co_return; };"), "lambda with captures"),
    (*_in("auto t = [this](int) mutable -> awaitable<void> { co_return; };"), "lambda with captures"),
    (*_in("co_spawn(ex, g(), asio::detached);"), "asio::detached"),
    (*_in("co_spawn(ex, g(), h);"), "co_spawn outside"),
    (*_in("auto n = co_await s.read(b, use_awaitable);"), "use_awaitable"),
    ("examples/a.cpp", 'extern "C" const application app{.handle = [](request&) -> awaitable<response> '
     "{ co_return response(); }};\n", 'inside of extern "C"'),
    ("examples/a.cpp", 'extern "C" {\nconst application app{.handle = f, .start = [](worker&) -> '
     "awaitable<void> { co_return; }};\n}\n", 'inside of extern "C"'),
    (*_in("if (a) b(); else if (co_await g()) c();", "tests/unit/aio/a_test.cpp"), "inside parentheses"),
]
GOOD = [
    _in("co_await g();"),
    _in("(void)co_await g();"),
    _in("auto x = co_await g(a, std::move(b));"),
    _in("const result<std::size_t> x = co_await s->g(a[1], b());"),
    _in("auto [ec, n] = co_await s.read(b, as_tuple);"),
    _in("[[maybe_unused]] const auto [ec] = co_await t.async_wait(as_tuple);"),
    _in("if (x) co_await g();\n    else co_await h();"),
    _in("for (;;) { co_await g(); }\n    co_return co_await h(1);"),
    _in("switch (x) { case kind::a: co_await g(); break; default: co_await h(); }"),
    _in("x = co_await g();"),
    _in("auto x = co_await g(std::size_t{64} << 20);"),
    _in("auto race = co_await (g() || h());"),
    _in("// if (co_await g())\n    const char* s = \"if (co_await g())\";"),
    _in("auto t = [p] { return p; };\n    co_await take(std::move(t));"),
    _in("auto t = [](int x) -> awaitable<void> { co_await g(x); };"),
    _in("auto t = [&] { run([]() -> awaitable<void> { co_return; }); };"),
    _in("a[i] = 1;\n    co_await g(a[i]);"),
    _in("try { co_await g(); } catch (...) {}"),
    ("examples/a.cpp", "application app{.handle = [](request&) -> awaitable<response> "
     "{ co_return response(); }};\n"),
    ("examples/a.cpp", 'extern "C" const application app{.handle = f};\nawaitable<void> f() { '
     "auto t = [](int x) -> awaitable<void> { co_await g(x); }; }\n"),
    ("src/aio/task_group.cpp", "void f() { asio::co_spawn(io, g(), h); }\n"),
]

if __name__ == "__main__":
    lint_main(check, BAD, GOOD)
