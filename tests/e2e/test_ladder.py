"""The ladder on one site: each member of a secure list gets the copy that the list allows and the member can open."""
import email
import email.policy
import pathlib
import re
import sqlite3
import subprocess
import tempfile

import pytest
from sitekit import Refused, files_with, make_message, swaks, wait_until

BOARD = "ladder@lists.example"
CANARY = "Kanarienvogel-2b9d-singt"
SUBJECT = "Zeisig-55e0-fliegt"
OTTO, CURVE, ANN, CID = "otto@pgp.example", "curve@pgp.example", "ann@example.org", "cid@example.net"


class GnuPg:
    """A home of gpg with a key of one person; in a folder of its own, since the path of the agent's socket must be short."""

    def __init__(self, address, algorithm, usage):
        self.folder = tempfile.TemporaryDirectory(prefix="gpg-", ignore_cleanup_errors=True)
        self.home = pathlib.Path(self.folder.name)
        self.run("--quick-generate-key", f"Test <{address}>", algorithm, "sign", "1y")
        fingerprint = next(line.split(":")[9] for line in self.run("--with-colons", "--list-keys").decode().splitlines()
                           if line.startswith("fpr"))
        self.run("--quick-add-key", fingerprint, usage, "encr", "1y")
        self.public = self.home / "key.asc"
        self.public.write_bytes(self.run("--armor", "--export", address))
        self.fingerprint = fingerprint.lower()

    def run(self, *arguments, input=None):
        done = subprocess.run(["gpg", "--homedir", self.home, "--batch", "--passphrase", "", "--pinentry-mode", "loopback",
                               "--trust-model", "always", *arguments], input=input, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout


@pytest.fixture(scope="module")
def ladder(stage):
    people = {OTTO: GnuPg(OTTO, "rsa3072", "rsa3072"), CURVE: GnuPg(CURVE, "ed25519", "cv25519")}
    members = [stage.person(ANN, "rsa"), stage.person(OTTO), stage.person(CURVE), stage.person(CID)]
    stage.make_list(BOARD, members, ladder="smime,openpgp")
    for address, person in people.items():
        stage.site.cli("key", "import", address, str(person.public))
    plan = stage.site.cli("list", "plan", BOARD)
    code, dialogue = swaks(stage.site.smtp_port, ANN, [BOARD], make_message(f"Ann <{ANN}>", BOARD, SUBJECT, CANARY))
    assert code == 0, dialogue
    copies = {address: wait_until(lambda: [m for m in stage.sink.of(address)
                                           if m.message.get_content_type() != "multipart/report"],
                                  f"mail for {address}")[0] for address in (ANN, OTTO, CURVE, CID)}
    yield stage, people, copies, plan


def test_the_plan_said_before_what_then_happened(ladder):
    stage, _, _, plan = ladder
    counts = {(g["protection"], g["reason"]): g["count"] for g in plan["counts"]}
    assert counts == {("smime", "valid-certificate"): 1, ("openpgp", "valid-openpgp-key"): 2, ("withheld", "no-key"): 1}
    assert (plan["total"], plan["ready"], plan["percent"]) == (4, 3, 75)
    post = str(stage.site.cli("post", "list", BOARD)["items"][0]["id"])
    rows = wait_until(lambda: [r for r in stage.site.cli("trace", post)["recipients"]
                               if r["state"] in ("delivered", "withheld")][3:] and
                      stage.site.cli("trace", post)["recipients"], "all copies are final")
    assert {r["address"]: r["protection"] for r in rows} == {ANN: "smime", OTTO: "openpgp", CURVE: "openpgp",
                                                            CID: "withheld"}


def test_openssl_opens_the_smime_copy(ladder):
    stage, _, copies, _ = ladder
    inner = email.message_from_bytes(stage.people[ANN].read(copies[ANN].raw), policy=email.policy.default)
    assert inner["Subject"] == SUBJECT and inner.get_content().strip() == CANARY


@pytest.mark.parametrize("address", [OTTO, CURVE])
def test_gpg_opens_the_openpgp_copy_and_finds_the_signature_of_the_list_good(ladder, address):
    stage, people, copies, _ = ladder
    message = copies[address].message
    assert message["Subject"] == "[...]" and message.get_content_type() == "multipart/encrypted"
    armor = message.get_payload()[1].get_payload(decode=True)
    opened = people[address].run("--decrypt", input=armor)
    signed = email.message_from_bytes(opened, policy=email.policy.SMTP)
    assert signed.get_content_type() == "multipart/signed" and CANARY.encode() in opened
    inner = email.message_from_bytes(signed.get_payload()[0].as_bytes(), policy=email.policy.default)
    assert inner["Subject"] == SUBJECT
    with sqlite3.connect(f"file:{stage.site.data}/listd/site.db?mode=ro", uri=True) as database:
        key, = database.execute("SELECT openpgp_key FROM lists WHERE address = ?", (BOARD,)).fetchone()
    people[address].run("--import", input=key)
    text = re.search(rb"\r\n--(.+?)\r\n(.*?)\r\n--\1\r\n", b"\r\n" + opened, re.S).group(2)
    (people[address].home / "text").write_bytes(text)
    (people[address].home / "signature").write_bytes(signed.get_payload()[1].get_payload(decode=True))
    status = people[address].run("--status-fd", "1", "--verify", people[address].home / "signature",
                                 people[address].home / "text")
    assert b"GOODSIG" in status


@pytest.mark.parametrize("address", [OTTO, CURVE])
def test_a_copy_holds_one_session_key_packet_and_no_other_recipient(ladder, address):
    _, people, copies, _ = ladder
    packets = people[address].run("--list-packets", input=copies[address].message.get_payload()[1].get_payload(decode=True))
    assert packets.count(b":pubkey enc packet:") == 1
    for other in (ANN, OTTO, CURVE, CID):
        assert other == address or other.encode() not in copies[address].raw


def test_the_keyless_member_gets_a_notice_and_nothing_of_the_post(ladder):
    _, _, copies, _ = ladder
    assert "could not be sent to you" in copies[CID].message["Subject"]


def test_no_canary_byte_is_on_the_wire_or_at_rest(ladder):
    stage, _, copies, _ = ladder
    for word in (CANARY, "Zeisig-55e0"):
        assert all(word.encode() not in copy.raw for copy in copies.values())
        assert not files_with(stage.site.data, word.encode())


def test_a_secure_list_never_gets_the_floor_none_nor_a_ladder_that_reaches_nobody(ladder):
    stage = ladder[0]
    for arguments, words in ((["--floor", "none"], "never has the floor none"), (["--ladder", "none"], "is no ladder"),
                             (["--floor", "smime", "--ladder", "pickup"], "every copy would be withheld")):
        with pytest.raises(Refused) as refused:
            stage.site.cli("list", "protect", BOARD, *arguments)
        assert words in str(refused.value.error)


def test_a_wish_only_strengthens(ladder):
    stage = ladder[0]
    assert stage.site.cli("member", "set", BOARD, OTTO, "--wish", "smime")["reason"] == "wish"
    assert stage.site.cli("member", "set", BOARD, ANN, "--wish", "tls")["protection"] == "smime"
    assert stage.site.cli("member", "set", BOARD, OTTO, "--wish", "none")["protection"] == "openpgp"
