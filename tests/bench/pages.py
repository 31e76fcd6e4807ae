#!/usr/bin/env python3
"""Server time of the pages of the web interface on a real site with a large archive, its start and its memory.

    tests/bench/pages.py --archive FOLDER [--programs build/release/bin] [--rounds 40] [--json FILE]

FOLDER is an archive that ArchiveBench made (`ArchiveBench --messages 1000000 --folder FOLDER --fill`): 50 lists, one of
them with 100,000 members. It is copied, so that it can be used again. Each page is asked for over one kept connection
with TLS, as a browser does, by somebody who may see it; the time runs from the request to the last byte of the answer.
"""
import argparse
import html
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import statistics
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests/e2e"), str(ROOT / "tests/bench")]
from benchkit import pss_of  # noqa: E402
from sitekit import Failure, Site, wait_until  # noqa: E402
from staff import PASSWORD, Staff  # noqa: E402

LIST = urllib.parse.quote("list1@lists.example")
PAGES = {
    "admin": ["/", "/lists", f"/lists/{LIST}", f"/lists/{LIST}/members", f"/lists/{LIST}/members?q=member99",
              f"/lists/{LIST}/members?sort=address", f"/lists/{LIST}/protection", f"/lists/{LIST}/plan",
              f"/lists/{LIST}/keys", f"/lists/{LIST}/members/member7%40example.org", "/domains/lists.example/protection",
              "/relays", "/tls", "/waiting", "/delivery", "/delivery?post={post}", "/work/keys", "/posts", "/posts?list=" + LIST, "/posts/{post}", "/queue",
              "/retention", "/people", "/sessions", "/keys", "/jobs", "/account", "/help"],
    "officer": ["/", "/lists", "/posts", "/retention", "/retention/rules/1", "/retention/new-rule", "/retention/what-if",
                "/retention/runs", "/retention/run", "/retention/certificates", "/messages", "/messages/{object}",
                "/matters", "/new-matter", "/matters/{matter}", "/matters/{matter}/hold", "/holds", "/search",
                "/search?q=w3", "/search?q=w3&show=messages", "/search?q=w150000&show=messages",
                "/search?q=w400+w3&show=messages", "/exports", "/new-export?query=w3&matter={matter}", "/audit",
                "/reports", "/work", "/account", "/posts/{post}", "/matters/{matter}/edit"],
    "auditor": ["/", "/lists", "/posts", "/messages/{object}", "/retention/certificates", "/exports", "/holds", "/people",
                "/access-review", "/audit", "/reports", "/reports/encryption", "/reports/encryption?from=&until=", "/reports/retention", "/reports/holds",
                "/reports/certificates", "/reports/access", "/reports/content-access", "/reports/sign-ins",
                "/reports/config", "/reports/keys", "/reports/audit", "/reports/evidence"],
}
LIMIT_MS, START_LIMIT_MS, MEMORY_LIMIT_MB = 50, 500, 60


def load():
    return os.getloadavg()[0]


class Browser:
    """One kept connection and its cookies."""

    def __init__(self, port):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.link = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=60)
        self.port, self.cookies = port, {}

    def ask(self, method, path, form=None):
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()), "Host": f"localhost:{self.port}",
                   "Origin": f"https://localhost:{self.port}", "User-Agent": "bench", "Accept-Language": "en"}
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        start = time.perf_counter()
        self.link.request(method, path, body, headers)
        answer = self.link.getresponse()
        content = answer.read()
        took = (time.perf_counter() - start) * 1000
        for value in answer.msg.get_all("Set-Cookie") or []:
            name, _, rest = value.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return answer.status, content.decode(errors="replace"), took

    def sign_in(self, person):
        field = lambda page, name: html.unescape(re.search(f'name="{name}" value="([^"]*)"', page)[1])
        page = self.ask("GET", "/sign-in")[1]
        page = self.ask("POST", "/sign-in", {"csrf": field(page, "csrf"), "next": "", "name": person.name,
                                             "password": PASSWORD})[1]
        status, page, _ = self.ask("POST", "/sign-in/factor", {
            "csrf": field(page, "csrf"), "next": "", "ticket": field(page, "ticket"), "recovery": person.codes.pop()})
        if status not in (302, 303):
            raise Failure(f"{person.name} cannot sign in: {status} {page[:2000]}")
        return self


def new_site(folder, programs, archive=None):
    site = Site(folder, programs)
    site.init()
    if archive:
        for part in pathlib.Path(archive).iterdir():
            target = site.data / part.name
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(part, target) if part.is_dir() else shutil.copy2(part, target)
    return site


def start_of(site):
    """Milliseconds from the start of `postern run` until every listener answers: mail, web, and orders."""
    from subprocess import DEVNULL, Popen
    log = open(site.log, "ab")
    begin = time.perf_counter()
    site.process = Popen([site.programs / "postern", "--data", site.data, "run"], stdout=log, stderr=log, stdin=DEVNULL)

    def open_port(address):
        try:
            with socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET) as probe:
                probe.settimeout(1)
                probe.connect(address)
                return True
        except OSError:
            return False
    for address in (("127.0.0.1", site.smtp_port), ("127.0.0.1", site.smtps_port), ("127.0.0.1", site.web_port),
                    str(site.data / "listd/command.sock")):
        while not open_port(address):
            if site.process.poll() is not None or time.perf_counter() - begin > 60:
                raise Failure(f"the site does not start: {site.log.read_text()[-2000:]}")
            time.sleep(0.002)
    took = (time.perf_counter() - begin) * 1000
    site.wait_ready()
    return took


def starts_of(site, rounds):
    times = []
    for i in range(rounds):
        times.append(start_of(site))
        if i + 1 < rounds:
            site.stop()
    return times


def measure(browser, path, rounds):
    times = []
    for _ in range(rounds):
        status, _, took = browser.ask("GET", path)
        if status != 200:
            return {"page": path, "status": status}
        times.append(took)
    times.sort()
    return {"page": path, "status": 200, "p50": statistics.median(times), "p95": times[int(len(times) * 0.95) - 1],
            "most": times[-1], "load": load()}


def known_of(site, officer):
    matter = officer.web("matter.create", name="bench", description="")["id"]
    item = site.cli("post", "list", "list2@lists.example")["items"][0]
    hit = officer.web("search", query="w3", matter=matter, limit=1)["items"][0]
    return {"matter": matter, "post": item["id"], "object": hit["object"]}


def pages_of(site, rounds):
    people = {"admin": Staff(site, "ada", "admin", ["account:read"]),
              "officer": Staff(site, "olga", "officer", ["search:write"]),
              "auditor": Staff(site, "aldo", "auditor", ["audit:read"])}
    known = known_of(site, people["officer"])
    rows = []
    for role, paths in PAGES.items():
        browser = Browser(site.web_port).sign_in(people[role])
        for path in paths:
            row = measure(browser, path.format(**known), rounds)
            row.update(role=role, page=path)
            rows.append(row)
            if row["status"] != 200:
                print(f"| {role} | {path} | status {row['status']} |", flush=True)
                continue
            verdict = "yes" if row["p95"] <= LIMIT_MS else "NO"
            print(f"| {role} | {path} | {row['p50']:.1f} | {row['p95']:.1f} | {row['p95'] / LIMIT_MS:.2f} | {verdict} | "
                  f"{row['load']:.0f} |", flush=True)
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--archive", type=pathlib.Path, required=True)
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "build/release/bin")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory(prefix="postern-pages-") as folder:
        small = new_site(pathlib.Path(folder) / "small", options.programs.absolute())
        try:
            found["smallStartMs"] = starts_of(small, 3)
            time.sleep(5)
            found["smallMb"] = pss_of(small.process.pid)
            print(f"small site at rest: {found['smallMb']:.1f} MB of {MEMORY_LIMIT_MB} (load {load():.0f})")
        finally:
            small.stop()
        site = new_site(pathlib.Path(folder) / "site", options.programs.absolute(), options.archive)
        try:
            found["startMs"] = starts_of(site, 5)
            print(f"start to all listeners: {', '.join(f'{t:.0f}' for t in found['startMs'])} ms of {START_LIMIT_MS}, small "
                  f"site {', '.join(f'{t:.0f}' for t in found['smallStartMs'])} (load {load():.0f})")
            wait_until(lambda: site.cli("status")["gateway"]["connected"], "the gateway is connected")
            print("| who | page | p50 ms | p95 ms | p95 / limit | met | load |")
            found["pages"] = pages_of(site, options.rounds)
            found["mb"] = pss_of(site.process.pid)
            print(f"large site after all pages: {found['mb']:.1f} MB (load {load():.0f})")
        finally:
            site.stop()
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"tests/bench/pages.py: {failure}")
