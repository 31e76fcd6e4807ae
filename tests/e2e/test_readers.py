"""Copies of a secure list as programs of others read them: each kind of key, header protection, attachments, a subject
that is not ASCII. S/MIME: openssl, gpgsm, PKI.js, notmuch. OpenPGP: gpg, Sequoia, RNP, OpenPGP.js, notmuch."""
import base64
import email
import email.policy
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import tempfile
import time

import pytest
from gpgsm import import_key
from sitekit import Person, swaks, wait_until
from test_ladder import GnuPg

LIST, AUTHOR = "readers@lists.example", "doc@example.org"
SUBJECT = "Prüfung am Größten Übungsplatz – 検査"
TEXT = "Grüße\n.\nFrom here on the Kanarienvogel-7a31 sings.\n"
BLOB = bytes(range(256)) * 40
PINENTRY = """#!/bin/sh
echo OK
while read word rest; do
  case $word in GETPIN) echo D x; echo OK ;; BYE) echo OK; exit ;; *) echo OK ;; esac
done
"""
READERS = pathlib.Path(__file__).parent / "readers"
SMIME = {f"{kind}@smime.example": kind for kind in ("rsa", "rsa3072", "rsa4096", "p256", "p384", "p521")}
OPENPGP = {f"{usage}@pgp.example": (algorithm, usage) for algorithm, usage in
           (("rsa2048", "rsa2048"), ("rsa3072", "rsa3072"), ("rsa4096", "rsa4096"), ("ed25519", "cv25519"), ("nistp256", "nistp256"),
            ("nistp384", "nistp384"), ("nistp521", "nistp521"))}


def run(*command, input=None, env=None):
    done = subprocess.run([str(part) for part in command], input=input, capture_output=True,
                          env={**os.environ, **(env or {})}, cwd=READERS)
    assert done.returncode == 0, f"{command[0]}: {done.stderr.decode(errors='replace')}"
    return done.stdout


def post():
    message = email.message.EmailMessage(policy=email.policy.SMTP.clone(utf8=False))
    message["From"], message["To"], message["Subject"] = f"Ärztin <{AUTHOR}>", LIST, SUBJECT
    message["Date"], message["Message-ID"] = "Mon, 02 Mar 2026 10:00:00 +0000", f"<{os.urandom(8).hex()}@example.org>"
    message.set_content(TEXT)
    message.add_attachment(BLOB, maintype="application", subtype="octet-stream", filename="Übung.bin")
    return message.as_bytes()


class Copies:
    def __init__(self, stage, folder):
        self.stage, self.folder = stage, folder
        self.smime = {address: stage.person(address, kind) for address, kind in SMIME.items()}
        self.openpgp = {address: GnuPg(address, *kinds) for address, kinds in OPENPGP.items()}
        stage.make_list(LIST, [stage.person(AUTHOR, "rsa"), *self.smime.values(), *(Person(folder, a) for a in OPENPGP)], ladder="smime,openpgp")
        for address, person in self.openpgp.items():
            stage.site.cli("key", "import", address, person.public)
        code, dialogue = swaks(stage.site.smtp_port, AUTHOR, [LIST], post())
        assert code == 0, dialogue
        self.of = {address: wait_until(lambda: stage.sink.of(address), f"mail for {address}")[0]
                   for address in (*SMIME, *OPENPGP)}
        with sqlite3.connect(f"file:{stage.site.data}/listd/site.db?mode=ro", uri=True) as database:
            self.list_certificate, self.list_key = database.execute(
                "SELECT certificate, openpgp_key FROM lists WHERE address = ?", (LIST,)).fetchone()
        (folder / "list.pgp").write_bytes(self.list_key)

    def armor(self, address):
        return self.of[address].message.get_payload()[1].get_payload(decode=True)

    def enveloped(self, address):
        return self.of[address].message.get_payload(decode=True)

    def secret(self, address):
        path = self.openpgp[address].home / "secret.asc"
        path.write_bytes(self.openpgp[address].run("--armor", "--export-secret-keys", address))
        return path


@pytest.fixture(scope="module")
def copies(stage):
    with tempfile.TemporaryDirectory(prefix="readers") as folder:
        yield Copies(stage, pathlib.Path(folder))


def signed_part_and_signature(opened):
    """The first part of a multipart/signed entity byte for byte, and the decoded second part."""
    opened = re.sub(rb"\r?\n", b"\r\n", opened)
    entity = email.message_from_bytes(opened, policy=email.policy.SMTP)
    assert entity.get_content_type() == "multipart/signed"
    boundary = re.escape(entity.get_boundary().encode())
    first = re.search(rb"\r\n--" + boundary + rb"\r\n(.*?)\r\n--" + boundary + rb"\r\n", opened, re.S).group(1)
    return first, entity.get_payload()[1].get_payload(decode=True)


def assert_is_the_post(opened):
    payload, _ = signed_part_and_signature(opened)
    inner = email.message_from_bytes(payload, policy=email.policy.default)
    assert inner["Subject"] == SUBJECT and AUTHOR in inner["Author"]
    assert inner.get_body().get_content().replace("\r\n", "\n") == TEXT
    attachment, = inner.iter_attachments()
    assert attachment.get_filename() == "Übung.bin" and attachment.get_content() == BLOB


@pytest.mark.parametrize("address", SMIME)
def test_openssl_opens_and_verifies(copies, address):
    person = copies.smime[address]
    assert_is_the_post(person.decrypt(copies.of[address].raw))
    assert TEXT.split("\n")[2].encode() in person.read(copies.of[address].raw)


def base64_lines(data):
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def gpgsm_of(person, folder, *trusted):
    """A function that runs gpgsm with the person's key in a home of its own; `trusted`: certificates of others."""
    home = pathlib.Path(tempfile.mkdtemp(dir=folder))
    command = ("gpgsm", "--homedir", home, "--batch", "--pinentry-mode", "loopback", "--passphrase-fd", "0",
               "--disable-crl-checks")
    shown = [run("openssl", "x509", "-in", certificate, "-noout", "-fingerprint", "-sha1").decode()
             for certificate in (person.certificate, *trusted)]
    (home / "pinentry").write_text(PINENTRY)  # for programs that run gpgsm themselves
    (home / "pinentry").chmod(0o700)
    (home / "gpg-agent.conf").write_text(f"pinentry-program {home}/pinentry\n")
    (home / "trustlist.txt").write_text("".join(line.split("=")[1].strip() + " S relax\n" for line in shown))
    import_key(home, person.key, person.certificate)
    function = lambda *arguments: run(*command, *arguments, input=b"x\n")  # noqa: E731
    function.home = home
    return function


# gpgsm 2.2 of Debian 12 falls over at the import of an EC key.
@pytest.mark.parametrize("address", [address for address, kind in SMIME.items() if kind.startswith("rsa")])
def test_gpgsm_opens(copies, address, tmp_path):
    gpgsm = gpgsm_of(copies.smime[address], copies.folder)
    (tmp_path / "copy").write_bytes(copies.enveloped(address))
    assert_is_the_post(gpgsm("--decrypt", tmp_path / "copy"))


def test_mail_that_gpgsm_signed_and_encrypted_to_the_list_is_opened_and_believed(copies, tmp_path):
    stage, author = copies.stage, copies.stage.people[AUTHOR]
    (tmp_path / "list").write_bytes(copies.list_certificate)
    gpgsm = gpgsm_of(author, copies.folder, tmp_path / "list")
    gpgsm("--import", tmp_path / "list")
    entity = "Content-Type: text/plain; charset=utf-8\r\n\r\nGrüße von gpgsm\r\n".encode()
    (tmp_path / "entity").write_bytes(entity)
    signed = gpgsm("--sign", "--include-certs", "-1", "--local-user", AUTHOR, tmp_path / "entity")
    (tmp_path / "signed").write_bytes(b"Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\n"
                                      b"Content-Transfer-Encoding: base64\r\n\r\n" + base64_lines(signed))
    sealed = gpgsm("--encrypt", "--recipient", LIST, tmp_path / "signed")
    message = (f"From: {AUTHOR}\r\nTo: {LIST}\r\nSubject: ...\r\nMessage-ID: <{os.urandom(8).hex()}@example.org>\r\n"
               "Date: Mon, 02 Mar 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime;"
               " smime-type=enveloped-data; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n").encode()
    since = time.time()
    code, dialogue = swaks(stage.site.smtp_port, AUTHOR, [LIST], message + base64_lines(sealed))
    assert code == 0, dialogue
    read = stage.people[AUTHOR].read(stage.sink.wait(AUTHOR, since=since)[0].raw)
    assert "Grüße von gpgsm".encode() in read and b"Signature: good" in read


@pytest.mark.parametrize("address", SMIME)
def test_pkijs_opens_and_verifies(copies, address, tmp_path):
    person = copies.smime[address]
    (tmp_path / "key").write_bytes(run("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", person.key, "-outform", "DER"))
    opened = run("node", READERS / "pkijs.mjs", tmp_path / "key", input=copies.enveloped(address))
    assert_is_the_post(opened)
    text, signature = signed_part_and_signature(opened)
    (tmp_path / "p7s").write_bytes(signature)
    run("node", READERS / "pkijs.mjs", "--verify", tmp_path / "p7s", input=text)


@pytest.mark.parametrize("address", OPENPGP)
def test_gpg_sequoia_rnp_and_openpgpjs_open(copies, address, tmp_path):
    secret = copies.secret(address)
    (tmp_path / "copy").write_bytes(copies.armor(address))
    opened = copies.openpgp[address].run("--decrypt", input=copies.armor(address))
    assert_is_the_post(opened)
    assert run("sq", "decrypt", "--recipient-key", secret, tmp_path / "copy") == opened
    run("rnp", "--keyfile", secret, "--password", "", "--output", tmp_path / "rnp", "--decrypt", tmp_path / "copy")
    assert (tmp_path / "rnp").read_bytes() == opened
    assert run("node", READERS / "openpgp.mjs", secret, input=copies.armor(address)) == opened


def test_every_program_finds_the_signature_of_the_list_good(copies, tmp_path):
    address = next(iter(OPENPGP))
    text, signature = signed_part_and_signature(copies.openpgp[address].run("--decrypt", input=copies.armor(address)))
    (tmp_path / "text").write_bytes(text)
    (tmp_path / "sig").write_bytes(signature)
    copies.openpgp[address].run("--import", input=copies.list_key)
    copies.openpgp[address].run("--verify", tmp_path / "sig", tmp_path / "text")
    run("sq", "verify", "--signer-cert", copies.folder / "list.pgp", "--detached", tmp_path / "sig", tmp_path / "text")
    run("node", READERS / "openpgp.mjs", "--verify", copies.folder / "list.pgp", tmp_path / "sig", input=text)


def keys_for_notmuch(copies, address):
    """A home of GnuPG with the reader's key and the list's."""
    if address in OPENPGP:
        copies.openpgp[address].run("--import", input=copies.list_key)
        return copies.openpgp[address].home
    (copies.folder / "list.pem").write_bytes(run("openssl", "x509", "-inform", "DER", input=copies.list_certificate))
    gpgsm = gpgsm_of(copies.smime[address], copies.folder, copies.folder / "list.pem")
    (gpgsm.home / "gpgsm.conf").write_text("disable-crl-checks\n")
    gpgsm("--import", copies.folder / "list.pem")
    return gpgsm.home


@pytest.mark.parametrize("address", [*OPENPGP, *(address for address, kind in SMIME.items() if kind.startswith("rsa"))])
def test_notmuch_shows_the_protected_subject_and_a_good_signature(copies, address, tmp_path):
    mail = tmp_path / "mail"
    for name in ("cur", "new", "tmp"):
        (mail / name).mkdir(parents=True)
    (mail / "new/copy").write_bytes(copies.of[address].raw)
    (tmp_path / "config").write_text(f"[database]\npath={mail}\n[user]\nname=x\nprimary_email={address}\n"
                                     "[new]\ntags=new\n")
    environment = {"NOTMUCH_CONFIG": str(tmp_path / "config"), "GNUPGHOME": str(keys_for_notmuch(copies, address))}
    run("notmuch", "new", "--decrypt=true", env=environment)
    shown = json.loads(run("notmuch", "show", "--format=json", "--decrypt=true", "*", env=environment))
    message = shown[0][0][0]
    assert message["headers"]["Subject"] == SUBJECT
    assert message["crypto"]["decrypted"]["status"] == "full"
    assert message["crypto"]["signed"]["status"][0]["status"] == "good"
    found = run("notmuch", "search", "--output=messages", "Kanarienvogel", env=environment)
    assert found.strip()


def windows(data):
    """All runs of one cipher block in the ciphertext; the first quarter of a copy, where headers and keys are, left out."""
    return {data[at:at + 16] for at in range(len(data) // 4, len(data) - 300)}


def pgp_session_key(person, armor):
    said = person.run("--show-session-key", "--status-fd", "1", "--yes", "--output", "/dev/null", "--decrypt", input=armor)
    return re.search(rb"SESSION_KEY \d+:(\w+)", said).group(1)


def cms_content_key(person, enveloped, folder):
    """The content key that an RSA recipient's copy holds: the only OCTET STRING as long as the modulus, opened."""
    (folder / "p7m").write_bytes(enveloped)
    listed = run("openssl", "asn1parse", "-inform", "DER", "-in", folder / "p7m").decode()
    offset, header = next((int(m[1]), int(m[2])) for m in re.finditer(r"(\d+):d=\d+ +hl=(\d+) l= *256 prim: OCTET STRING", listed))
    (folder / "wrapped").write_bytes(enveloped[offset + header:offset + header + 256])
    return run("openssl", "pkeyutl", "-decrypt", "-inkey", person.key, "-in", folder / "wrapped")


def test_every_post_has_content_keys_of_its_own_also_when_it_is_the_same_text(copies, tmp_path):
    """Sealed once per post, never across posts: no session key and no block of ciphertext comes again."""
    stage, pgp, smime = copies.stage, next(iter(OPENPGP)), next(a for a, kind in SMIME.items() if kind == "rsa")
    text = post()
    keys, seen = {pgp: [], smime: []}, {pgp: [], smime: []}
    for _ in range(3):
        since = time.time()
        again = re.sub(rb"Message-ID: <[^>]*>", b"Message-ID: <" + os.urandom(8).hex().encode() + b"@example.org>", text)
        code, dialogue = swaks(stage.site.smtp_port, AUTHOR, [LIST], again)
        assert code == 0, dialogue
        armor = stage.sink.wait(pgp, since=since)[0].message.get_payload()[1].get_payload(decode=True)
        keys[pgp].append(pgp_session_key(copies.openpgp[pgp], armor))
        seen[pgp].append(windows(copies.openpgp[pgp].run("--dearmor", input=armor)))
        enveloped = stage.sink.wait(smime, since=since)[0].message.get_payload(decode=True)
        keys[smime].append(cms_content_key(copies.smime[smime], enveloped, tmp_path))
        seen[smime].append(windows(enveloped))
    for address in (pgp, smime):
        assert len(set(keys[address])) == 3, "a content key came again"
        assert all(len(key) in (32, 64) for key in keys[address])
        blocks = seen[address]
        assert all(len(some) > 5000 for some in blocks)
        assert not (blocks[0] & blocks[1] or blocks[0] & blocks[2] or blocks[1] & blocks[2]), "a block of ciphertext came again"


def test_clear_signed_text_of_gpg_is_verified_and_its_reader_is_told_whose_signature_it_is(copies):
    stage, reader = copies.stage, copies.smime["p256@smime.example"]
    author, other = GnuPg(AUTHOR, "ed25519", "cv25519"), "cv25519@pgp.example"
    stage.site.cli("key", "import", AUTHOR, str(author.public))

    def told(signed):
        message = (f"From: {AUTHOR}\r\nTo: {LIST}\r\nSubject: Signed\r\nMessage-ID: <{os.urandom(8).hex()}@example.org>\r\n"
                   "Date: Mon, 02 Mar 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
                   "Content-Type: text/plain; charset=utf-8\r\n\r\n").encode() + signed.replace(b"\n", b"\r\n")
        since = time.time()
        code, dialogue = swaks(stage.site.smtp_port, AUTHOR, [LIST], message)
        assert code == 0, dialogue
        return reader.read(stage.sink.wait(reader.address, since=since)[0].raw)

    text = b"The figures are larger.\n- by a third\n"
    good = author.run("--clear-sign", input=text)
    assert b"Signature: good, OpenPGP, key of " + AUTHOR.encode() in told(good)
    assert b"Signature: bad." in told(good.replace(b"third", b"fifth"))
    assert b"by somebody else: key of " + other.encode() in told(copies.openpgp[other].run("--clear-sign", input=text))
