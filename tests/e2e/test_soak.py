"""The soak harness on a small scale: mixed traffic leaves memory flat, and ten thousand slow connections do not stop service."""
import json
import pathlib
import resource
import subprocess

from conftest import PROGRAMS, ROOT


def run(folder, *arguments, seconds=300):
    result = pathlib.Path(folder) / "soak.json"
    done = subprocess.run([ROOT / "tests/bench/soak", "--programs", PROGRAMS, "--json", result, *arguments], capture_output=True, timeout=seconds)
    assert result.exists(), done.stderr.decode()[-3000:]
    return json.loads(result.read_text())


def test_ten_thousand_slow_connections_do_not_stop_service(tmp_path):
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= 11000, "this test needs 11,000 file descriptors"
    found = run(tmp_path, "--minutes", "0.4", "--slow", "10000", "--share", "0.3", "--threads", "4")
    assert found["slowAlive"] >= 9900, found
    assert found["failures"] == 0 and found["accepted"] > 50, found
    assert found["waitMillis"]["p99"] < 5000, found
