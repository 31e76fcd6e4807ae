"""The published suite of SPF (RFC 7208), from the Debian package python3-spf, through our checks; the counts are printed."""
import os
import pathlib
import re
import subprocess

import pytest
from conftest import PROGRAMS, ROOT

SUITE = pathlib.Path("/usr/share/doc/python3-spf/rfc7208-tests.yml.gz")


@pytest.mark.skipif(not SUITE.exists(), reason="python3-spf is not installed, or without its documents")
def test_the_suite_of_rfc_7208_passes_whole(tmp_path):
    made = subprocess.run(["/usr/bin/python3", ROOT / "tools/auth-vectors", SUITE.parent, tmp_path], capture_output=True,
                          text=True)
    assert made.returncode == 0, made.stderr
    cases = int(re.search(r"rfc7208-tests.json: (\d+) cases", made.stdout).group(1))
    done = subprocess.run([PROGRAMS / "test_core_mailauth", "--run_test=core_mailauth_Vectors/spf*"], capture_output=True,
                          text=True, env={**os.environ, "POSTERN_AUTH_VECTORS": str(tmp_path)})
    print(made.stdout, done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"SPF, RFC 7208 suite: (\d+) of (\d+)", done.stdout)
    assert passed and passed.groups() == (str(cases), str(cases)) and cases > 200, done.stdout
