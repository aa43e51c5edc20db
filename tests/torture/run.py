# SPDX-License-Identifier: MIT
"""Tortures the server: every kind of application, ended in every way at every stage, at random.

Fails when a sanitizer reports anything, a worker dies otherwise than told, a request is neither answered
nor closed within its bound, an answer is mixed up or wrongly framed, or descriptors or memory stay behind.
The seed is printed; the same seed gives the same rounds and requests. README.md tells more."""

import argparse
import concurrent.futures
import multiprocessing
import os
import secrets
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE.parent / "integration")]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seconds", nargs="?", type=float, default=75, help="of all rounds together (75)")
    parser.add_argument("--seed", action="append", default=[], help="of a run; may be repeated")
    parser.add_argument("--kinds", default="", help="these only, with commas between them")
    parser.add_argument("--acts", default="", help="these acts only")
    parser.add_argument("--without", default="", help="none of these acts")
    parser.add_argument("--ends", default="", help="these ends by the client only")
    parser.add_argument("--trouble", help="the same in every round: calm, HUP, TTOU, recycling, 'TERM to a worker'")
    parser.add_argument("--rounds", default="", help="NUMBER of the only round of each kind and seed")
    parser.add_argument("--round-seconds", type=float, help="of load in each round")
    parser.add_argument("--clients", type=int, help="at once in each round")
    parser.add_argument("--jobs", type=int, default=2, help="rounds at once (2)")
    parser.add_argument("--reloads", action="store_true", help="reload every 10 s in every round")
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--venv", type=Path, required=True, help="with the packages that some kinds need")
    parser.add_argument("--python", type=Path, help="run on this one, without packages")
    parser.add_argument("--folder", type=Path, required=True, help="for logs and reports")
    parser.add_argument("--junitxml", type=Path)
    return parser.parse_args()


def words(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def play(what, folder: Path, python: Path, sanitized: bool, only, clients):
    """In a process of its own, which adopts what the server leaves."""
    from round import Playing

    from harness import processes

    processes.adopt_orphans()
    shutil.rmtree(folder, ignore_errors=True)
    result = Playing(what, folder, python, sanitized, only, clients).play()
    if not result.findings:
        shutil.rmtree(folder, ignore_errors=True)
    return result


def schedule(chosen, seeds: list[str], names: list[str], per_round: float):
    """The seeds in turn, each with a round of every kind."""
    import plan

    rounds = plan.reloads if chosen.reloads else plan.rounds
    sources = [rounds(seed, names, per_round) for seed in seeds]
    number = 0
    while True:
        for source in sources:
            for _ in names:
                what = next(source)
                if not chosen.rounds or int(chosen.rounds) == number:
                    yield replace(what, trouble=chosen.trouble) if chosen.trouble else what
        number += 1
        if chosen.rounds and number > int(chosen.rounds):
            return


def run(chosen, seeds: list[str], names: list[str]) -> list:
    import client
    import report

    from harness.sanitizers import SANITIZED

    python = chosen.python or chosen.venv / "bin" / "python"
    only = client.Only(*(frozenset(words(each)) for each in (chosen.acts, chosen.without, chosen.ends)))
    fits = chosen.seconds / (len(names) * len(seeds)) * chosen.jobs - 12
    usual = (20.0, 60.0) if chosen.reloads else (4.0, 20.0)
    per_round = chosen.round_seconds or min(usual[1], max(usual[0], fits))
    end = time.monotonic() + chosen.seconds
    least = len(names) * len(seeds)
    results: list = []
    todo = schedule(chosen, seeds, names, per_round)
    context = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(chosen.jobs, mp_context=context) as pool:
        running: set = set()
        begun = 0
        while True:
            while len(running) < chosen.jobs and (begun < least or time.monotonic() < end):
                what = next(todo, None)
                if what is None:
                    break
                folder = chosen.folder / f"{begun:04}-{what.kind.name}"
                running.add(pool.submit(play, what, folder, python, SANITIZED, only, chosen.clients))
                begun += 1
            if not running:
                return results
            done, running = concurrent.futures.wait(
                running, return_when=concurrent.futures.FIRST_COMPLETED
            )
            for each in done:
                results.append(each.result())
                print(report.one(results[-1]), flush=True)


def main() -> int:
    chosen = options()
    os.environ["UNICORO_BINARY"] = str(chosen.binary.resolve())
    import plan
    import report
    from kinds import KINDS

    possible = [name for name, kind in KINDS.items() if not (chosen.python and kind.needs)]
    names = words(chosen.kinds) or possible
    unknown = [name for name in names if name not in KINDS]
    if unknown:
        sys.exit(f"torture: no kind {', '.join(unknown)}; there are {', '.join(KINDS)}")
    if chosen.trouble and chosen.trouble not in plan.TROUBLES:
        sys.exit(f"torture: no trouble '{chosen.trouble}'; there are {', '.join(plan.TROUBLES)}")
    seeds = [secrets.token_hex(4) if seed == "fresh" else seed for seed in chosen.seed or ["fresh"]]
    shutil.rmtree(chosen.folder, ignore_errors=True)
    chosen.folder.mkdir(parents=True)
    print(f"torture of {', '.join(names)}; seeds {' '.join(seeds)}", flush=True)
    results = run(chosen, seeds, names)
    print(report.total(results, seeds))
    titles = report.details(results, chosen.folder)
    for title in titles:
        print(f"FAILED {title}")
    if titles:
        print(f"the whole of it: {chosen.folder / 'findings.txt'}")
    if chosen.junitxml:
        report.write_junit(chosen.junitxml, results)
    return 1 if titles else 0


if __name__ == "__main__":
    sys.exit(main())
