"""Anchors of the audit log as they really go out, and what they prove: a log that was put back, declared or not, and a key
that was changed. The time-stamp authority is `openssl ts` behind a web server."""
import http.server
import pathlib
import re
import shutil
import sqlite3
import subprocess
import threading

import pytest
from conftest import ROOT
from sitekit import Refused, wait_until
from staff import Staff

AUDITOR = "auditor@audit.example"
TSA_CONFIG = """
[tsa]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
certs = {folder}/ca.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Authority:
    """An RFC 3161 time-stamp authority. `lies`: it stamps another text than it was asked for."""

    def __init__(self, folder, lies=False):
        self.folder, self.asked = pathlib.Path(folder), 0
        self.folder.mkdir()
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(TSA_CONFIG.format(folder=folder))
        (folder / "usage").write_text("extendedKeyUsage = critical,timeStamping\nkeyUsage = critical,digitalSignature\n")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder / "ca.key",
                "-out", folder / "ca.pem", "-days", "30", "-subj", "/CN=Test authority")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder / "tsa.key",
                "-out", folder / "tsa.csr", "-subj", "/CN=Test time stamps")
        openssl("x509", "-req", "-in", folder / "tsa.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
                "-CAcreateserial", "-days", "30", "-extfile", folder / "usage", "-out", folder / "tsa.pem")
        authority = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                authority.asked += 1
                query = self.rfile.read(int(self.headers["Content-Length"]))
                (authority.folder / "query").write_bytes(query)
                if lies:
                    (authority.folder / "other").write_text("another text")
                    openssl("ts", "-query", "-data", authority.folder / "other", "-sha256", "-cert", "-out",
                            authority.folder / "query")
                openssl("ts", "-reply", "-config", authority.folder / "tsa.cnf", "-section", "tsa", "-queryfile",
                        authority.folder / "query", "-out", authority.folder / "reply")
                answer = (authority.folder / "reply").read_bytes()
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}/"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def authority(tmp_path):
    made = Authority(tmp_path / "tsa")
    yield made
    made.stop()


def states(site):
    return {anchor["kind"]: anchor["state"] for anchor in site.cli("audit", "status")["anchors"]}


def newest(anchors, ending):
    return max(anchors.glob(f"*.{ending}"), key=lambda path: int(path.stem))


def verdicts(site, anchors, keys):
    """Exit codes of both verifiers over the log as it stands."""
    own = site.run_cli("audit", "verify", "--pub", keys, "--anchors", anchors).returncode
    export = anchors.parent / "export.jsonl"
    export.write_bytes(site.run_cli("audit", "export").stdout)
    other = subprocess.run([ROOT / "tools/audit-verify", export, "--pub", keys, "--anchors", anchors], capture_output=True)
    return own, other.returncode


def test_a_time_stamp_of_an_authority_verifies_with_openssl_and_a_lying_one_is_not_counted(make_stage, authority, tmp_path):
    stage = make_stage()
    site = stage.site
    site.set("audit.timestamp_url", f'"{authority.url}"')
    site.set("audit.timestamp_authorities", f'"{authority.folder}/ca.pem"')
    stage.open()
    assert states(site)["timestamp"] == "missing"
    site.cli("audit", "anchor")
    assert states(site)["timestamp"] == "fresh"
    token = newest(site.data / "anchors", "tsr")
    checked = openssl("ts", "-verify", "-in", token, "-data", token.with_suffix(".checkpoint"), "-CAfile",
                      authority.folder / "ca.pem")
    assert b"Verification: OK" in checked.stdout
    site.cli("domain", "add", "more.example")
    liar = Authority(tmp_path / "liar", lies=True)
    try:
        site.set("audit.timestamp_url", f'"{liar.url}"')
        site.set("audit.timestamp_authorities", f'"{liar.folder}/ca.pem"')
        stamps = set((site.data / "anchors").glob("*.tsr"))
        assert site.run_cli("audit", "anchor").returncode != 0
        assert liar.asked == 1
        assert set((site.data / "anchors").glob("*.tsr")) == stamps
    finally:
        liar.stop()


def checkpoint_of(mail):
    """The signed note in a mail to the auditor."""
    text = mail.message.get_content().replace("\r\n", "\n")
    return re.search(r"^(\S+/audit/\S+\n\d+\n\S+\n\n(?:— .*\n)+)", text, re.M)[1]


def test_mail_to_the_auditor_counts_once_delivered_and_convicts_a_log_that_was_put_back(make_stage, tmp_path):
    stage = make_stage()
    site = stage.site
    site.set("audit.mail", f'"{AUDITOR}"')
    # Taken by nobody at first: an anchor that is under way is none.
    stage.sink.answer = lambda address: "451 4.3.0 later" if address == AUDITOR else "250 OK"
    stage.open()
    admin = Staff(site, "ada", "admin", ["audit:read"])
    approver = Staff(site, "paul", "approver", ["request:write"])
    site.cli("domain", "add", "before.example")
    assert states(site)["mail"] == "missing"
    stage.sink.answer = None
    mail = stage.sink.wait(AUDITOR, seconds=60)[-1]
    wait_until(lambda: states(site)["mail"] == "fresh", "the mail counts as an anchor", 90)

    first = tmp_path / "first"
    first.mkdir()
    (first / "mail.checkpoint").write_text(checkpoint_of(mail))
    site.cli("audit", "anchor")
    keys = tmp_path / "keys"
    shutil.copy(site.data / "anchors/public-key", keys)
    assert verdicts(site, first, keys) == (0, 0)
    with pytest.raises(Refused):  # the log has all of it
        site.cli("audit", "declare-rollback", "--reason", "for nothing", "--anchors", first)

    # A backup, then more happens, which is anchored elsewhere; then the backup is put back and the site goes on.
    backup = tmp_path / "site.db"
    with sqlite3.connect(site.data / "listd/site.db") as source, sqlite3.connect(backup) as target:
        source.backup(target)
    for number in range(60):
        site.cli("domain", "add", f"lost{number}.example")
    site.cli("audit", "anchor")
    auditors = tmp_path / "auditors"
    auditors.mkdir()
    shutil.copy(first / "mail.checkpoint", auditors)
    shutil.copy(newest(site.data / "anchors", "checkpoint"), auditors)
    site.stop()
    for file in (site.data / "listd").glob("site.db*"):
        file.unlink()
    shutil.copy(backup, site.data / "listd/site.db")
    site.start()
    assert verdicts(site, first, keys) == (0, 0)  # who has no later anchor cannot know
    assert verdicts(site, auditors, keys) == (3, 3)

    asked = site.cli("audit", "declare-rollback", "--reason", "the disk died", "--anchors", auditors)
    assert verdicts(site, auditors, keys) == (3, 3)  # one person declares nothing
    admin.sign_in()
    with pytest.raises(Refused):
        admin.web("request.approve", id=str(asked["request"]["id"]), words="mine")
    approver.sign_in()
    approver.web("request.approve", id=str(asked["request"]["id"]), words="seen")
    assert verdicts(site, auditors, keys) == (7, 7)
    # Also when the log has grown beyond what was lost, and is anchored again.
    for number in range(90):
        site.cli("domain", "add", f"new{number}.example")
    site.cli("audit", "anchor")
    shutil.copy(newest(site.data / "anchors", "checkpoint"), auditors / "new.checkpoint")
    assert verdicts(site, auditors, keys) == (7, 7)


def test_a_changed_key_is_followed_by_both_verifiers_from_either_side(make_stage, tmp_path):
    stage = make_stage()
    site = stage.site
    stage.open()
    Staff(site, "ada", "admin", ["audit:read"])
    auditor = Staff(site, "uta", "auditor", ["audit:read"])
    site.cli("audit", "anchor")
    old = tmp_path / "old"
    old.write_text((site.data / "anchors/public-key").read_text())
    changed = site.cli("audit", "change-key", "--reason", "the yearly change")
    new = tmp_path / "new"
    new.write_text(changed["publicKey"] + "\n")
    assert changed["publicKey"] not in old.read_text() and changed["old"] in old.read_text()
    site.cli("domain", "add", "after.example")
    site.cli("audit", "anchor")
    anchors = tmp_path / "anchors"
    shutil.copytree(site.data / "anchors", anchors)
    assert len(list(anchors.glob("*.checkpoint"))) >= 2
    assert verdicts(site, anchors, old) == (0, 0)
    assert verdicts(site, anchors, new) == (0, 0)
    stranger = tmp_path / "stranger"
    other = make_stage()
    other.open()
    other.site.cli("audit", "anchor")
    shutil.copy(other.site.data / "anchors/public-key", stranger)
    assert verdicts(site, anchors, stranger) == (5, 5)
    said = [item["sentence"] for item in auditor.run("audit", "list", "--limit", "20")["items"]]
    assert any("gave the audit log a new key" in sentence for sentence in said)
