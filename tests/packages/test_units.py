"""What can be known of packages and units without building them: quick, part of every run of tools/test."""
import re
import shutil
import subprocess

import pytest

from conftest import ROOT, demand

UNITS = ROOT / "image/systemd"
SERVICES = ["postern-gateway", "postern-listd", "postern-webadmin", "postern-anchor", "postern-backup", "postern-drill",
            "postern-certificate"]
# The most that systemd-analyze may find exposed, in tenths; what is left stands in docs/units.md.
CEILINGS = {"postern-gateway": 14, "postern-listd": 5, "postern-webadmin": 12, "postern-anchor": 11,
            "postern-backup": 20, "postern-drill": 23, "postern-certificate": 23}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A root with the units and something to stand for the programs."""
    demand("units")
    folder = tmp_path_factory.mktemp("root")
    for program in ["usr/lib/postern/postern", *[f"usr/lib/postern/{name}" for name in SERVICES], "bin/sh"]:
        (folder / program).parent.mkdir(parents=True, exist_ok=True)
        (folder / program).write_text("#!/bin/sh\n")
        (folder / program).chmod(0o755)
    shutil.copytree(UNITS, folder / "lib/systemd/system")
    (folder / "etc").mkdir()
    return folder


def analyze(*arguments):
    done = subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def exposure(root, service):
    return analyze("security", "--no-pager", "--offline=true", f"--root={root}",
                   f"--threshold={CEILINGS[service]}", f"{service}.service")


@pytest.mark.parametrize("unit", sorted(path.name for path in UNITS.iterdir()))
def test_a_unit_says_nothing_that_systemd_does_not_know(root, unit):
    assert analyze("verify", "--man=no", "--recursive-errors=no", f"--root={root}", unit) == (0, "")


def test_a_slip_in_a_unit_would_be_seen(root):
    unit = root / "lib/systemd/system/slip.service"
    unit.write_text((UNITS / "postern-gateway.service").read_text().replace("ProtectHome=", "ProtectHomes="))
    code, said = analyze("verify", "--man=no", "--recursive-errors=no", f"--root={root}", "slip.service")
    unit.unlink()
    assert code != 0 and "ProtectHomes" in said


@pytest.mark.parametrize("service", SERVICES)
def test_no_unit_is_more_exposed_than_it_was(root, service):
    code, said = exposure(root, service)
    assert code == 0, said


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_left_exposed_is_explained(root, service):
    explained = (ROOT / "docs/units.md").read_text().replace("\\|", "|")
    left = re.findall(r"^✗ (\S+)", exposure(root, service)[1], re.M)
    assert left and [point for point in left if f"`{point}`" not in explained] == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_line_of_a_sandbox_has_its_reason(service):
    text = (UNITS / f"{service}.service").read_text()
    body = text[text.index("User="):]
    bare = [group for group in re.split(r"\n(?=#)|\n\n", body) if not group.startswith(("#", "[", "User="))]
    assert bare == []


def test_every_process_has_a_user_of_its_own():
    users = [re.search(r"^User=(\S+)", (UNITS / f"{name}.service").read_text(), re.M)[1] for name in SERVICES[:3]]
    made = re.findall(r"^u\s+(\S+)", (ROOT / "image/sysusers.d/postern.conf").read_text(), re.M)
    assert sorted(users) == sorted(made) and len(set(users)) == 3


def test_every_folder_of_a_site_has_an_owner():
    init = (ROOT / "cli/Init.cpp").read_text()
    made = re.findall(r'"(\w+)"', re.search(r'for \(const auto\* folder :\s*\{(.*?)\}', init, re.S)[1])
    owned = re.findall(r"^d\s+/var/lib/postern/(\w+)", (ROOT / "image/tmpfiles.d/postern.conf").read_text(), re.M)
    assert len(made) > 5 and set(made) <= set(owned)


def test_the_packages_have_the_version_of_the_programs():
    version = re.search(r"project\(postern VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
    assert (ROOT / "debian/changelog").read_text().startswith(f"postern ({version}) ")


def test_the_metadata_of_the_packages_is_clean(tmp_path):
    """lintian on the source package, which needs no build."""
    demand("units")
    source = tmp_path / "postern"
    source.mkdir()
    for name in ["debian", "image", "LICENSE"]:
        target = source / name
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, target)
    made = subprocess.run(["dpkg-source", "--build", source], cwd=tmp_path, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    done = subprocess.run(["lintian", "--fail-on", "error,warning", "--allow-root", *tmp_path.glob("*.dsc")],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
