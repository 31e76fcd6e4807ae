import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(pathlib.Path(__file__).parent)]
PACKAGES = ROOT / "build/packages"


def packages_of(group):
    """The Debian packages of a group of tools/packages.txt."""
    names, here = [], None
    for line in (ROOT / "tools/packages.txt").read_text().splitlines():
        if line.startswith("["):
            here = line.strip("[]")
        elif here == group and not line.startswith("#"):
            names += line.split()
    return names


def demand(*groups):
    """Fails with the names of Debian packages that are missing."""
    missing = [name for group in groups for name in packages_of(group)
               if "install ok installed" not in subprocess.run(["dpkg-query", "-W", "-f", "${Status}", name],
                                                               capture_output=True, text=True).stdout]
    if missing:
        pytest.fail(f"missing Debian packages: {' '.join(missing)}; install them with: tools/setup {' '.join(groups)}",
                    pytrace=False)


@pytest.fixture(scope="session")
def debs():
    """The built packages by name."""
    demand("package")
    done = subprocess.run([ROOT / "tools/package"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return {path.name.split("_")[0]: path for path in PACKAGES.glob("*.deb")}


@pytest.fixture(scope="session")
def cache():
    """What is expensive to make and good for another run."""
    folder = pathlib.Path(os.environ.get("POSTERN_PACKAGE_CACHE", PACKAGES / "cache"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
