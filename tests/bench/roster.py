#!/usr/bin/env python3
"""Roster of a large list: commands, pages and API on a list of 100,000 members, each in less than a second.

    tests/bench/roster.py [--programs build/release/bin] [--members 100000] [--rounds 10] [--json FILE]

Makes a site, imports the members from a file (which is reported, and has no limit), and measures what people do with a
roster: the wall time of a command from its start to its end, and of a page from the request to its last byte. Ends with
1 when the slowest of any row takes a second or more.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests/e2e"), str(ROOT / "tests/bench")]
from pages import Browser  # noqa: E402
from sitekit import Failure, Site  # noqa: E402
from staff import Staff  # noqa: E402

LIST, LIMIT = "all@lists.example", 1.0


def person(number):
    return f"member{number:06d}@example{number % 4000}.org"


def timed(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


class Roster:
    def __init__(self, folder, programs, members):
        self.members, self.site = members, Site(folder / "site", programs)
        self.site.init()
        self.site.start()
        self.site.cli("domain", "add", "lists.example")
        self.site.cli("list", "create", LIST)
        self.file = folder / "members.csv"
        self.file.write_text("address,name\n" + "".join(f"{person(i)},Member {i}\n" for i in range(members)))
        self.cut = folder / "half.csv"
        self.cut.write_text("".join(f"{person(i)}\n" for i in range(members // 2)))

    def run(self, *arguments):
        done = subprocess.run([self.site.programs / "postern", "--data", self.site.data, *arguments],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if done.returncode != 0:
            raise Failure(f"{arguments}: {done.stderr.decode()}")

    def whole(self):
        """What reads or writes every member: told, without a limit."""
        rows = []
        for name, work in (("member import, dry run", ["member", "import", LIST, str(self.file), "--dry-run"]),
                           ("member import", ["member", "import", LIST, str(self.file)]),
                           ("member sync, nothing changes", ["member", "sync", LIST, str(self.file)]),
                           ("member sync of half a file, dry run", ["member", "sync", LIST, str(self.cut), "--dry-run"]),
                           ("member export", ["member", "export", LIST])):
            rows.append({"what": name, "median": timed(lambda: self.run(*work)), "limit": None})
        return rows

    def commands(self):
        last, middle = person(self.members - 1), person(self.members // 2)
        return {"member list": ["member", "list", LIST],
                "member list --limit 1000": ["member", "list", LIST, "--limit", "1000"],
                "member list --after (the last page)": ["member", "list", LIST, "--after", person(self.members - 50)],
                "member list --filter, one address": ["member", "list", LIST, "--filter", last],
                "member list --filter, part of a name": ["member", "list", LIST, "--filter", "ember 99"],
                "member list --filter ready": ["member", "list", LIST, "--filter", "ready"],
                "member set --delivery none": ["member", "set", LIST, middle, "--delivery", "none"],
                "member set --delivery each": ["member", "set", LIST, middle, "--delivery", "each"],
                "list show": ["list", "show", LIST],
                "subscription list": ["subscription", "list", "--list", LIST]}

    def pages(self):
        path, last = urllib.parse.quote(LIST), person(self.members - 1)
        return [f"/lists/{path}", f"/lists/{path}/members", f"/lists/{path}/members?after={urllib.parse.quote(person(self.members - 50))}",
                f"/lists/{path}/members?q=ember+99", f"/lists/{path}/members?q={urllib.parse.quote(last)}",
                f"/lists/{path}/members/{urllib.parse.quote(last)}", f"/lists/{path}/subscription", "/subscriptions"]


def row_of(what, times):
    return {"what": what, "median": statistics.median(times), "most": max(times), "limit": LIMIT}


def measure(roster, rounds):
    rows = roster.whole()
    for name, command in roster.commands().items():
        rows.append(row_of(f"`postern {name}`", [timed(lambda: roster.run(*command)) for _ in range(rounds)]))
    browser = Browser(roster.site.web_port).sign_in(Staff(roster.site, "ada", "admin", ["account:read"]))
    for path in roster.pages():
        times = []
        for _ in range(rounds):
            status, page, took = browser.ask("GET", path)
            if status != 200:
                raise Failure(f"{path}: {status} {page[:500]}")
            times.append(took / 1000)
        rows.append(row_of(f"page `{urllib.parse.unquote(path)}`", times))
    return rows


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--programs", default=str(ROOT / "build/release/bin"))
    arguments.add_argument("--members", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=10)
    arguments.add_argument("--json")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="postern-roster-") as folder:
        roster = Roster(pathlib.Path(folder), given.programs, given.members)
        try:
            rows = measure(roster, given.rounds)
        finally:
            roster.site.stop()
    print(f"\n{given.members:,} members, {given.rounds} rounds, load {os.getloadavg()[0]:.0f}\n\n| what | median s | most s | below 1 s |\n|---|---|---|---|")
    for row in rows:
        met = "" if row["limit"] is None else "yes" if row["most"] < row["limit"] else "NO"
        print(f"| {row['what']} | {row['median']:.3f} | {row.get('most', row['median']):.3f} | {met} |")
    if given.json:
        pathlib.Path(given.json).write_text(json.dumps(rows, indent=1))
    return any(row["limit"] and row["most"] >= row["limit"] for row in rows)


if __name__ == "__main__":
    sys.exit(main())
