#!/usr/bin/python3
"""Builds a preset and runs every test of it; prints what fails and one closing line of counts. See tools/test."""
import argparse
import glob
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as xml
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parent.parent
FUZZ_SECONDS = 5
WORKERS = min(4, os.cpu_count())
GROUPS = ["lint", "unit", "policies", "e2e", "browser", "fuzz"]


class Totals:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def add(self, name, passed, failed, seconds, output=""):
        self.passed += passed
        self.failed += failed
        print(f"{'ok  ' if failed == 0 else 'FAIL'} {name}: {passed} passed, {failed} failed ({seconds:.0f} s)", flush=True)
        if failed:
            print(output[-12000:], flush=True)


def run(command, timeout=3000, **options):
    """Runs a command in a process group of its own, which is killed whole when the time is over."""
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True, **options)
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output = process.communicate()[0] + f"\nkilled: it did not end within {timeout} s\n"
    return process.returncode, output, time.monotonic() - start


def check(totals, name, command):
    code, output, seconds = run(command)
    totals.add(name, int(code == 0), int(code != 0), seconds, output)


def lint(totals, _):
    check(totals, "layers", ["tools/check-layers"])
    check(totals, "house rules", ["tools/check-house"])
    check(totals, "format", ["tools/format", "--check"])
    check(totals, "luacheck", ["luacheck", "-q", "lua-policies"])
    check(totals, "shellcheck", ["shellcheck", "tools/setup", "tools/build", "tools/run", "tools/test", "tools/format",
                                 "tools/tidy", ".ci/run"])


def unit_program(program):
    """(cases passed, failed, seconds, output) of one program."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        code, output, seconds = run([program, "--report_format=XML", "--report_level=short",
                                     f"--report_sink={report.name}", "--log_level=warning"], timeout=900)
        try:
            counts = xml.parse(report.name).getroot().find("TestSuite").attrib
            passed, failed = int(counts["test_cases_passed"]), int(counts["test_cases_failed"])
        except xml.ParseError:
            passed, failed = 0, 1
    return passed, max(failed, int(code != 0)), seconds, output


def unit(totals, preset):
    programs = sorted(glob.glob(str(ROOT / f"build/{preset}/bin/test_*")), key=os.path.getsize, reverse=True)
    with ThreadPoolExecutor(WORKERS) as pool:  # the largest first: it takes longest
        for program, result in zip(programs, pool.map(unit_program, programs)):
            totals.add(os.path.basename(program), *result)


def policies(totals, preset):
    code, output, seconds = run([f"build/{preset}/bin/postern", "policy", "test", "lua-policies"])
    counts = re.search(r"(\d+) cases passed, (\d+) failed", output)
    passed, failed = (int(counts[1]), int(counts[2])) if counts else (0, 1)
    totals.add("policy cases", passed, max(failed, int(code != 0)), seconds, output)


def npm_packages(totals):
    """True when node_modules holds what package-lock.json names; installs it otherwise."""
    installed, wanted = ROOT / "node_modules/.package-lock.json", ROOT / "package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= wanted.stat().st_mtime:
        return True
    code, output, seconds = run(["npm", "ci", "--no-audit", "--no-fund"])
    if code != 0:
        totals.add("packages of npm", 0, 1, seconds, output)
    return code == 0


def e2e(totals, preset, words=None):
    if not npm_packages(totals):
        return
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        command = ["/usr/bin/python3", "-m", "pytest", "-q", "-x" if os.environ.get("CI") is None else "-q",
                   "--tb=short", f"--junitxml={report.name}", "-n", str(WORKERS), "--dist", "loadfile", "tests/e2e"]
        if words:
            command += ["-k", words]
        code, output, seconds = run(command, env={**os.environ, "POSTERN_PROGRAMS": str(ROOT / f"build/{preset}/bin")})
        try:
            suite = next(xml.parse(report.name).getroot().iter("testsuite")).attrib
            bad = int(suite["failures"]) + int(suite["errors"]) + int(suite["skipped"])
            passed = int(suite["tests"]) - bad
        except (xml.ParseError, StopIteration):
            passed, bad = 0, 1
    totals.add("end to end", passed, max(bad, int(code != 0)), seconds, output)


def browser(totals, preset):
    if not npm_packages(totals):
        return
    files = sorted(glob.glob(str(ROOT / "tests/browser/*.test.mjs")))
    code, output, seconds = run(["node", "--test", *files], timeout=900, env={**os.environ, "POSTERN_PROGRAMS": str(ROOT / f"build/{preset}/bin")})
    passed = int((re.findall(r"^(?:#|ℹ) pass (\d+)", output, re.M) or ["0"])[-1])
    failed = int((re.findall(r"^(?:#|ℹ) fail (\d+)", output, re.M) or ["1"])[-1])
    totals.add("browser", passed, max(failed, int(code != 0)), seconds, output)


class FuzzBuild:
    """Builds the fuzz targets at low priority while other tests, which wait much, are run."""

    def __init__(self):
        self.result = None
        self.thread = threading.Thread(target=self.build, daemon=True)
        self.thread.start()

    def build(self):
        self.result = run(["nice", "-n", "15", "tools/build", "fuzz", "fuzz_targets"])

    def wait(self):
        self.thread.join()
        return self.result


def fuzz(totals, build):
    code, output, seconds = build.wait()
    if code != 0:
        totals.add("fuzz build", 0, 1, seconds, output)
        return
    for program in sorted(glob.glob(str(ROOT / "build/fuzz/bin/*Fuzz"))):
        name = os.path.basename(program)
        seeds = ROOT / "tests/fuzz/seeds" / name
        with tempfile.TemporaryDirectory() as work:
            command = [program, f"-max_total_time={FUZZ_SECONDS}", "-rss_limit_mb=2048", "-timeout=10",
                       f"-artifact_prefix={work}/", work]
            if seeds.is_dir():
                command.append(str(seeds))
            code, output, seconds = run(command)
        totals.add(name, int(code == 0), int(code != 0), seconds, output)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="dev")
    parser.add_argument("--only", default=",".join(GROUPS), help="comma-separated: " + ", ".join(GROUPS))
    parser.add_argument("-k", dest="words", help="end-to-end tests whose names match")
    options = parser.parse_args()
    chosen = options.only.split(",")
    unknown = set(chosen) - set(GROUPS)
    if unknown:
        parser.error("no such group: " + ", ".join(sorted(unknown)))

    totals = Totals()
    start = time.monotonic()
    code, output, seconds = run(["tools/build", options.preset])
    totals.add(f"build ({options.preset})", int(code == 0), int(code != 0), seconds, output)
    if code == 0:
        fuzz_build = FuzzBuild() if "fuzz" in chosen else None
        for group in chosen:
            if group == "e2e":
                e2e(totals, options.preset, options.words)
            elif group == "fuzz":
                fuzz(totals, fuzz_build)
            else:
                globals()[group](totals, options.preset)
    print(f"all in {time.monotonic() - start:.0f} s")
    print(f"{totals.passed} passed, {totals.failed} failed")
    return 1 if totals.failed or not totals.passed else 0


sys.exit(main())
