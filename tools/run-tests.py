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
LONG_PROGRAMS, PARTS = ["test_listd"], 4
SECOND_TRY = 3  # so many files whose tests failed on a loaded machine, at most, are run once more, alone
GROUPS = ["lint", "unit", "policies", "units", "e2e", "browser", "fuzz"]
ASKED_FOR = ["packages"]  # some minutes, and root: only when it is named


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
                                 "tools/tidy", "tools/package", "tools/oci", ".ci/run"])


def suites_of(program):
    listed = subprocess.run([program, "--list_content"], cwd=ROOT, capture_output=True, text=True).stderr
    return re.findall(r"^(\w+)", listed, re.M)


def parts_of(program):
    """[(name, arguments)]: a program that takes minutes is run in several parts side by side."""
    name = os.path.basename(program)
    if name not in LONG_PROGRAMS:
        return [(name, [])]
    suites = suites_of(program)
    return [(f"{name} {part + 1}/{PARTS}", ["--run_test=" + ",".join(suites[part::PARTS])]) for part in range(PARTS)]


def unit_program(program, arguments):
    """(cases passed, failed, seconds, output) of one program."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        code, output, seconds = run([program, "--report_format=XML", "--report_level=short",
                                     f"--report_sink={report.name}", "--log_level=warning", *arguments], timeout=1800)
        try:
            counts = xml.parse(report.name).getroot().find("TestSuite").attrib
            passed, failed = int(counts["test_cases_passed"]), int(counts["test_cases_failed"])
        except xml.ParseError:
            passed, failed = 0, 1
    faults = "\n".join(re.findall(r"^.*error: in .*$", output, re.M))
    return passed, max(failed, int(code != 0)), seconds, output[-6000:] + "\n" + faults[-5000:]


def unit(totals, preset):
    programs = sorted(glob.glob(str(ROOT / f"build/{preset}/bin/test_*")), key=os.path.getsize, reverse=True)
    parts = [(name, program, arguments) for program in programs for name, arguments in parts_of(program)]
    with ThreadPoolExecutor(WORKERS) as pool:  # the largest first: it takes longest
        results = pool.map(lambda part: unit_program(*part[1:]), parts)
        for (name, *_), result in zip(parts, results):
            totals.add(name, *result)


def policies(totals, preset):
    code, output, seconds = run([f"build/{preset}/bin/postern", "policy", "test", "lua-policies"])
    counts = re.search(r"(\d+) cases passed, (\d+) failed", output)
    passed, failed = (int(counts[1]), int(counts[2])) if counts else (0, 1)
    totals.add("policy cases", passed, max(failed, int(code != 0)), seconds, output)


def pytest_run(command, **options):
    """(passed, names of what did not pass, output, seconds) by the report of pytest itself."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        code, output, seconds = run([*command, f"--junitxml={report.name}"], **options)
        try:
            cases = list(xml.parse(report.name).getroot().iter("testcase"))
        except xml.ParseError:
            return 0, ["no report of pytest"], output, seconds
    bad = [f"{case.get('classname')}::{case.get('name')}" for case in cases
           if any(child.tag in ("failure", "error", "skipped") for child in case)]
    names = list(dict.fromkeys(bad))
    if code != 0 and not names:
        names = [f"pytest ended with {code}"]
    return len(cases) - len(bad), names, output, seconds


def count(totals, name, command, **options):
    passed, bad, output, seconds = pytest_run(command, **options)
    totals.add(name, passed, len(bad), seconds, "\n".join([output, "did not pass:", *bad]))


def say_unsteady(names, output):
    """A test that passes only alone is a fault to be found: it is named, with what it said, and the run goes on."""
    print(f"unsteady: {len(names)} failed beside others and passed alone", *names, sep="\n  ", flush=True)
    print(output[-6000:], flush=True)


PYTEST = ["/usr/bin/python3", "-m", "pytest", "-q", "--tb=short"]


def units(totals, _):
    count(totals, "units", [*PYTEST, "tests/packages/test_units.py"])


def packages(totals, _):
    check(totals, "setup of packages", ["tools/setup", "units", "package", "image", "machine"])
    count(totals, "packages", [*PYTEST, "-x", "tests/packages"], timeout=5400)


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
    whole = os.environ.get("CI") is not None
    options = {"env": {**os.environ, "POSTERN_PROGRAMS": str(ROOT / f"build/{preset}/bin")}}
    passed, bad, output, seconds = pytest_run([*PYTEST, "-q" if whole else "-x", "-n", str(WORKERS), "--dist", "loadfile",
                                               "tests/e2e", *(["-k", words] if words else [])], **options)
    files = sorted({bad_name.split("::")[0].replace(".", "/") + ".py" for bad_name in bad})
    if whole and bad and len(files) <= SECOND_TRY and all((ROOT / file).is_file() for file in files):
        _, again, second, more = pytest_run([*PYTEST, *files, *(["-k", words] if words else [])], **options)
        steady = [name for name in bad if name not in again]
        if steady:
            say_unsteady(steady, output)
        passed, bad, output, seconds = passed + len(bad) - len(again), again, second, seconds + more
    totals.add("end to end", passed, len(bad), seconds, "\n".join([output, "did not pass:", *bad]))


def tap_failures(output):
    """What TAP says of the tests that failed, and the end of the rest: which file it was, and how it ended."""
    blocks = re.findall(r"^( *)(not ok .*\n(?:\1  .*\n|\n)*)", output, re.M)
    return "\n".join(block[:4000] for _, block in blocks)[:9000] + "\n…\n" + output[-2500:]


def node_run(files, preset, *options):
    """(passed, failed, output, seconds) of tests in a browser."""
    code, output, seconds = run(["node", "--test", *options, *files], timeout=1800,
                                env={**os.environ, "POSTERN_PROGRAMS": str(ROOT / f"build/{preset}/bin")})
    passed = int((re.findall(r"^(?:#|ℹ) pass (\d+)", output, re.M) or ["0"])[-1])
    failed = sum(int((re.findall(rf"^(?:#|ℹ) {word} (\d+)", output, re.M) or ["1"])[-1]) for word in ("fail", "cancelled"))
    return passed, max(failed, int(code != 0)), output, seconds


def browser(totals, preset):
    if not npm_packages(totals):
        return
    passed, failed, output, seconds = node_run(sorted(glob.glob(str(ROOT / "tests/browser/*.test.mjs"))), preset)
    files = sorted(set(re.findall(r"^ +location: '(.*\.test\.mjs):\d+:\d+'\n +failureType", output, re.M)))
    if failed and 0 < len(files) <= SECOND_TRY:
        _, again, second, more = node_run(files, preset, "--test-concurrency=1")
        if again < failed:
            say_unsteady([os.path.basename(file) for file in files], tap_failures(output))
        passed, failed, output, seconds = passed + failed - again, again, second, seconds + more
    totals.add("browser", passed, failed, seconds, tap_failures(output))


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
            # One seed, so that a finding shows itself again; tools/fuzz seeks with a new one each time.
            command = [program, f"-max_total_time={FUZZ_SECONDS}", "-seed=1", "-rss_limit_mb=2048", "-timeout=10",
                       f"-artifact_prefix={work}/", work]
            if seeds.is_dir():
                command.append(str(seeds))
            code, output, seconds = run(command)
        totals.add(name, int(code == 0), int(code != 0), seconds, finding(output))


def finding(output):
    """What a fuzz target says of its finding: the trace, and the input in Base64; not its progress."""
    return re.sub(r"^#\d+\t.*\n", "", output, flags=re.M)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="dev")
    parser.add_argument("--only", default=",".join(GROUPS), help="comma-separated: " + ", ".join(GROUPS + ASKED_FOR))
    parser.add_argument("-k", dest="words", help="end-to-end tests whose names match")
    options = parser.parse_args()
    chosen = options.only.split(",")
    unknown = set(chosen) - set(GROUPS + ASKED_FOR)
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
