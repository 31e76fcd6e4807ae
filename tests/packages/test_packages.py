"""The built packages as files: what lintian says, and what is in them."""
import re
import subprocess

from conftest import PACKAGES, demand
from machine import run


def contents(deb):
    """(mode, owner, path, target of a link) of each entry."""
    entries = []
    for line in run("dpkg-deb", "--contents", deb).splitlines():
        mode, owner, _, _, _, path = line.split(None, 5)
        path, _, target = path.partition(" -> ")
        entries.append((mode, owner, path.removeprefix("."), target))
    return entries


def test_lintian_has_nothing_to_say(debs):
    demand("units")
    changes, = PACKAGES.glob("postern_*.changes")
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", changes], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_everything_belongs_to_root_and_nothing_gains_privilege(debs):
    for deb in debs.values():
        for mode, owner, path, _ in contents(deb):
            assert owner == "root/root" and "s" not in mode[1:], path
            assert mode[0] == "l" or mode[5] != "w" and mode[8] != "w", path


def test_the_programs_stand_together_with_their_pages_and_units(debs):
    paths = {path: target for _, _, path, target in contents(debs["postern"])}
    for program in ["postern", "postern-gateway", "postern-listd", "postern-webadmin", "postern-policy"]:
        assert f"/usr/lib/postern/{program}" in paths
    assert paths["/usr/bin/postern"] == "../lib/postern/postern"
    for page in ["man1/postern.1.gz", "man8/postern-gateway.8.gz", "man8/postern-listd.8.gz"]:
        assert f"/usr/share/man/{page}" in paths
    assert "/usr/share/doc/postern/install.md" in {path for _, _, path, _ in contents(debs["postern-doc"])}
    assert "/usr/share/postern/policies/secure_tag.lua" in {path for _, _, path, _ in contents(debs["postern-policies"])}


def test_the_programs_are_hardened(debs, tmp_path):
    run("dpkg-deb", "--extract", debs["postern"], tmp_path)
    for program in (tmp_path / "usr/lib/postern").iterdir():
        told = run("readelf", "--wide", "--file-header", "--program-headers", "--dynamic", "--dyn-syms", program)
        assert re.search(r"Type:\s+DYN", told) and "GNU_RELRO" in told and "BIND_NOW" in told, program
        assert "__stack_chk_fail" in told and re.search(r"__\w+_chk@", told), program
        assert not re.search(r"GNU_STACK.* RWE", told) and not re.search(r"R(UN)?PATH", told), program
