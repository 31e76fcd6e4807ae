"""What a real Exim writes of each hop is classed as it was: with TLS, without, by hand, and between it and Postern."""
import json
import subprocess

import pytest

from exim import Exim
from sitekit import make_message, swaks

LIST = "open@lists.example"


@pytest.fixture(scope="module")
def scene(stage, tmp_path_factory):
    stage.make_list(LIST, [stage.person("ann@example.org")], secure=False)
    folder = tmp_path_factory.mktemp("exim")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key.pem", "-out",
                    folder / "cert.pem", "-days", "10", "-subj", "/CN=exim.example.org"], check=True, capture_output=True)
    made = {tls: Exim(stage.site.smtp_port, folder / "cert.pem", folder / "key.pem", tls).start() for tls in (True, False)}
    yield stage, made[True], made[False], folder
    for exim in made.values():
        exim.stop()


def hops_of(scene, mail):
    stage, _, _, folder = scene
    (folder / "mail.eml").write_bytes(mail)
    return json.loads(stage.site.run_cli("--json", "hops", str(folder / "mail.eml")).stdout)


def from_afar(mail):
    """The lines as Exim writes them of a client in the public Internet."""
    assert b"[127.0.0.1]" in mail
    return mail.replace(b"[127.0.0.1]", b"[198.41.0.4]")


def send(exim, needle, *more, tls=True):
    code, dialogue = swaks(exim.port, "bob@example.org", ["ann@example.org"],
                           make_message("bob@example.org", "ann@example.org", "x", needle), *more, tls=tls)
    assert code == 0, dialogue
    return exim.wait_for(needle.encode())


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_tls_to_exim_is_recorded_with_version_and_cipher(scene, version):
    mail = send(scene[1], f"over-{version}", "--tls-protocol", f"tlsv{version.replace('.', '_')}")
    hop = hops_of(scene, mail)["hops"][-1]
    assert (hop["software"], hop["state"], hop["version"]) == ("Exim", "recorded-encrypted", f"TLS{version}"), hop
    assert hop["cipher"], hop


def test_plain_smtp_to_exim_is_recorded_as_plain(scene):
    mail = send(scene[1], "in-clear", tls=False)
    assert hops_of(scene, mail)["hops"][-1]["state"] == "inside-one-provider"  # both are this machine
    hop = hops_of(scene, from_afar(mail))["hops"][-1]
    assert (hop["software"], hop["state"]) == ("Exim", "recorded-plain"), hop
    assert not hop["version"] and not hop["cipher"]


def test_what_a_program_on_the_machine_gave_to_exim_went_over_no_network(scene):
    exim = scene[1]
    local = ["unshare", "--mount", "sh", "-c", "mount --bind $1/passwd /etc/passwd && mount --bind $1/group /etc/group && "
             "exec $2 -C $1/conf -i -f bob@example.org ann@example.org", "sh", exim.base, exim.program]
    subprocess.run(local, input=b"Subject: x\n\nby-hand\n", check=True, timeout=30)
    hop = hops_of(scene, exim.wait_for(b"by-hand"))["hops"][-1]
    assert (hop["software"], hop["state"]) == ("Exim", "inside-one-provider"), hop


@pytest.mark.parametrize("tls", [True, False])
def test_each_hop_from_exim_by_postern_to_exim_is_classed_as_its_log_has_it(scene, tls):
    stage, first, _, _ = scene
    last = scene[1] if tls else scene[2]
    stage.site.cli("route", "add", "example.org", "127.0.0.1", "--port", str(last.port))
    needle = f"through-{tls}"
    code, dialogue = swaks(first.port, "ann@example.org", [LIST], make_message("ann@example.org", LIST, "round", needle),
                           tls=not tls)
    assert code == 0, dialogue
    told = hops_of(scene, from_afar(last.wait_for(needle.encode())))
    hop = told["hops"][-1]
    assert (hop["software"], hop["state"]) == ("Exim", "recorded-encrypted" if tls else "recorded-plain"), told
    assert told["verdict"] == ("encrypted" if tls else "plain") and told["sentence"]
    taken = [line for line in last.log().splitlines() if "<=" in line and "lists.example" in line][-1]
    assert ("X=TLS" in taken) == tls, taken
    relayed = [line for line in first.log().splitlines() if f"=> {LIST}" in line][-1]
    assert "X=TLS" in relayed, relayed  # what Postern recorded of this hop: its trace

