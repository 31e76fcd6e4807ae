"""Keys of lists: from the request to a certificate that other programs trust, change with an overlap, kill -9 in the
middle of it, and publication by the web key directory, a page and mail."""
import base64
import os
import sqlite3
import subprocess
import time

import privatenet
import pytest
from sitekit import Person, Refused, make_message, swaks, wait_until
from test_ladder import GnuPg
from test_readers import base64_lines, gpgsm_of, run, signed_part_and_signature

LIST, ANN, BOB = "keys@lists.example", "ann@example.org", "bob@example.net"
DAY = 86400


class Ca:
    """A root and an authority below it, by the openssl command."""

    def __init__(self, folder):
        self.folder = folder
        self.root = folder / "root.pem"
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "root.key", "-out", self.root,
            "-days", "3000", "-subj", "/CN=Root", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        (folder / "mid.cnf").write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
                                        "subjectKeyIdentifier=hash\n")
        run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "mid.key", "-out", folder / "mid.csr",
            "-subj", "/CN=Middle")
        run("openssl", "x509", "-req", "-in", folder / "mid.csr", "-CA", self.root, "-CAkey", folder / "root.key", "-days",
            "3000", "-extfile", folder / "mid.cnf", "-out", folder / "mid.pem")

    def issue(self, request, address, days=900):
        """What the CA sends: a p7b with the certificate, its own and the root's."""
        (self.folder / "list.csr").write_text(request)
        run("openssl", "req", "-verify", "-noout", "-in", self.folder / "list.csr")
        (self.folder / "list.cnf").write_text(
            f"subjectAltName=email:{address}\nkeyUsage=critical,digitalSignature,keyEncipherment\n"
            "extendedKeyUsage=emailProtection\nbasicConstraints=CA:FALSE\n")
        run("openssl", "x509", "-req", "-in", self.folder / "list.csr", "-CA", self.folder / "mid.pem", "-CAkey",
            self.folder / "mid.key", "-days", days, "-extfile", self.folder / "list.cnf", "-out", self.folder / "list.pem")
        run("openssl", "crl2pkcs7", "-nocrl", "-certfile", self.folder / "list.pem", "-certfile", self.folder / "mid.pem",
            "-certfile", self.root, "-outform", "DER", "-out", self.folder / "list.p7b")
        return self.folder / "list.p7b"


def post(stage, text, to=LIST, sender=ANN):
    since = time.time()
    code, dialogue = swaks(stage.site.smtp_port, sender, [to], make_message(sender, to, "Minutes", text))
    assert code == 0, dialogue
    return since


def copy_with(stage, person, text, since):
    """The raw copy whose content has the text."""
    coded = base64.b64encode(text.encode())[:len(text) // 3 * 4]  # as inline OpenPGP text goes on, from its beginning

    def find():
        for received in stage.sink.of(person.address, since):
            if b"pkcs7-mime" in received.raw and any(word in person.decrypt(received.raw) for word in (text.encode(), coded)):
                return received.raw
    return wait_until(find, f"a copy with {text!r} for {person.address}")


def signer_of(signed, folder):
    (folder / "signed").write_bytes(signed)
    run("openssl", "cms", "-verify", "-inform", "SMIME", "-noverify", "-in", folder / "signed", "-signer", folder / "signer",
        "-out", "/dev/null")
    return fingerprint_of(folder / "signer")


def fingerprint_of(certificate):
    shown = run("openssl", "x509", "-in", certificate, "-noout", "-fingerprint", "-sha256").decode()
    return shown.split("=")[1].strip().replace(":", "").lower()


def keys_of(stage, address=LIST):
    return stage.site.cli("list", "key-show", address)


def export(stage, folder, kind="smime", address=LIST):
    answer = stage.site.cli("list", "key-export", address, "--kind", kind)
    (folder / f"list-{kind}").write_text(answer["text"])
    return folder / f"list-{kind}"


@pytest.fixture
def site(make_stage):
    stage = make_stage().open()
    stage.make_list(LIST, [stage.person(ANN, "rsa"), stage.person(BOB, "p256")])
    return stage


def test_a_ca_certifies_the_lists_key_and_programs_that_trust_the_ca_find_posts_good(site, tmp_path):
    ca = Ca(tmp_path)
    p7b = ca.issue(site.site.cli("list", "key-request", LIST)["request"], LIST)
    with pytest.raises(Refused) as refused:
        site.site.cli("list", "key-import", LIST, str(ca.root))
    assert "no certificate in the file is for a key that was requested" in refused.value.error
    shown = site.site.cli("list", "key-import", LIST, str(p7b))
    assert shown["smime"]["issuer"].endswith("Middle") and not shown["smime"]["selfSigned"]
    since = post(site, "certified")
    opened = site.people[ANN].decrypt(copy_with(site, site.people[ANN], "certified", since))
    (tmp_path / "mail").write_bytes(opened)
    run("openssl", "cms", "-verify", "-inform", "SMIME", "-in", tmp_path / "mail", "-CAfile", ca.root, "-purpose", "smimesign",
        "-out", "/dev/null")
    other = Person(tmp_path, "other@example.org", "rsa")
    wrong = subprocess.run(["openssl", "cms", "-verify", "-inform", "SMIME", "-in", tmp_path / "mail", "-CAfile",
                            other.certificate, "-out", "/dev/null"], capture_output=True)
    assert wrong.returncode != 0
    text, signature = signed_part_and_signature(opened)
    (tmp_path / "text").write_bytes(text)
    (tmp_path / "sig").write_bytes(signature)
    gpgsm = gpgsm_of(site.people[ANN], tmp_path, ca.root)
    gpgsm("--import", ca.root)
    gpgsm("--verify", tmp_path / "sig", tmp_path / "text")


def encrypted_to(certificate, person, text, folder):
    """Mail of the person, signed and encrypted to the list by openssl."""
    (folder / "entity").write_bytes(f"Content-Type: text/plain\r\n\r\n{text}\r\n".encode())
    signed = run("openssl", "cms", "-sign", "-in", folder / "entity", "-signer", person.certificate, "-inkey", person.key,
                 "-outform", "SMIME", "-nodetach")
    (folder / "signed").write_bytes(signed)
    sealed = run("openssl", "cms", "-encrypt", "-aes256", "-in", folder / "signed", "-outform", "DER", certificate)
    return (f"From: {person.address}\r\nTo: {LIST}\r\nSubject: ...\r\nMessage-ID: <{os.urandom(8).hex()}@example.org>\r\n"
            "Date: Mon, 02 Mar 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime;"
            " smime-type=enveloped-data; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n").encode() + \
        base64_lines(sealed)


def send(stage, message, sender=ANN, to=LIST):
    since = time.time()
    code, dialogue = swaks(stage.site.smtp_port, sender, [to], message)
    assert code == 0, dialogue
    return since


def test_a_new_key_signs_at_once_the_former_one_vouches_for_it_and_opens_mail_until_its_end(site, tmp_path):
    ann, bob = site.people[ANN], site.people[BOB]
    former = export(site, tmp_path).rename(tmp_path / "former")
    started = time.time()
    site.site.cli("list", "key-rotate", LIST, "smime", "--overlap-days", "1")
    now = export(site, tmp_path)
    assert keys_of(site)["former"][0]["fingerprint"] == fingerprint_of(former) != fingerprint_of(now)

    told = bob.decrypt(copy_with(site, bob, "has a new S/MIME certificate", started))
    assert signer_of(told, tmp_path) == fingerprint_of(now)
    inner, _ = signed_part_and_signature(told)
    (tmp_path / "inner").write_bytes(inner)
    said = run("openssl", "cms", "-verify", "-inform", "SMIME", "-in", tmp_path / "inner", "-CAfile", former, "-purpose",
               "smimesign")
    assert b"signed by the former key" in said and fingerprint_of(now).encode() in said

    since = send(site, encrypted_to(former, ann, "to the former key", tmp_path))
    opened = bob.decrypt(copy_with(site, bob, "to the former key", since))
    assert signer_of(opened, tmp_path) == fingerprint_of(now)
    since = send(site, encrypted_to(now, ann, "to the new key", tmp_path))
    copy_with(site, bob, "to the new key", since)

    site.site.at_offset(2 * DAY)
    wait_until(lambda: keys_of(site)["former"] == [], "the end of the former key")
    assert [row["state"] for row in site.site.cli("list", "key-history", LIST)["items"]] == ["ended"]
    since = send(site, encrypted_to(former, ann, "too late", tmp_path))
    answer = site.sink.wait(ANN, since=since)[0].message
    said = answer.get_body().get_content() if not answer.is_multipart() else next(
        part.get_content() for part in answer.walk() if part.get_content_type() == "text/plain")
    assert "when the list's key opens the whole of it" in said and 'with the subject "key"' in said
    since = send(site, encrypted_to(now, ann, "in time", tmp_path))
    copy_with(site, bob, "in time", since)
    assert not [m for m in site.sink.of(BOB) if b"pkcs7-mime" in m.raw and b"too late" in bob.decrypt(m.raw)]


def private_keys(stage):
    """What keys.db has for lists, and what site.db names."""
    with sqlite3.connect(f"file:{stage.site.data}/keys/keys.db?mode=ro", uri=True) as database:
        stored = set(database.execute("SELECT list_id, name FROM private_keys WHERE list_id != 0"))
    with sqlite3.connect(f"file:{stage.site.data}/listd/site.db?mode=ro", uri=True) as database:
        named = set(database.execute("SELECT id, smime_key_name FROM lists")) | set(
            database.execute("SELECT id, openpgp_key_name FROM lists")) | set(
            database.execute("SELECT list_id, name FROM list_keys WHERE state != 'ended'"))
    return stored, named


ROUNDS = int(os.environ.get("POSTERN_KEY_CRASH_ROUNDS", "24"))


def test_kill_9_anywhere_in_a_change_of_keys_leaves_one_key_in_use_and_every_named_one_there(site, tmp_path):
    program = [site.site.programs / "postern", "--data", site.site.data, "list", "key-rotate", LIST, "openpgp", "--overlap-days"]
    started = time.time()
    subprocess.run([*program, "1"], check=True, capture_output=True)
    whole = time.time() - started
    changed = 0
    for step in range(ROUNDS):
        before = keys_of(site)["openpgp"]["fingerprint"]
        # Every other former key ends at once, so that its destruction is in the way of the kill too.
        order = subprocess.Popen([*program, str(step % 2)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1.2 * whole * step / ROUNDS)
        site.site.kill("postern-listd")
        order.wait(60)
        site.site.wait_ready()
        now = keys_of(site)["openpgp"]["fingerprint"]
        changed += now != before

        def whole_again():
            stored, named = private_keys(site)
            return named <= stored and len(stored - named) <= step + 1
        wait_until(whole_again, f"every key that is named is there after step {step}: {private_keys(site)}")
    assert 0 < changed, "no kill came after the change"
    ann = GnuPg(ANN, "rsa3072", "rsa3072")
    ann.run("--import", input=export(site, tmp_path, "openpgp").read_bytes())
    site.site.cli("key", "import", ANN, str(ann.public))
    site.site.cli("list", "protect", LIST, "--ladder", "openpgp,smime")
    sealed = ann.run("--armor", "--sign", "--encrypt", "--recipient", LIST, input=b"after all kills\n")
    since = send(site, make_message(ANN, LIST, "...", sealed.decode().replace("\n", "\r\n")))
    copy_with(site, site.people[BOB], "after all kills", since)
    # Each change was told to the members, whichever step it was cut off at.
    untold = [row for row in site.site.cli("list", "key-history", LIST)["items"] if not row["announcedAt"]]
    assert untold == []
    # A clock that jumps destroys no key that nothing names: that takes thirty days of running (ListKeysTest).
    strays = private_keys(site)[0] - private_keys(site)[1]
    site.site.at_offset(400 * 86400)
    time.sleep(2)
    assert strays <= private_keys(site)[0]
    site.site.at_offset(0)


def mail_of_keys(stage, address, since):
    answer = stage.sink.wait(address, since=since)[0].message
    assert answer["Subject"] == "The keys of a list" and answer["Auto-Submitted"] == "auto-generated"
    return answer.get_content()


def test_keys_are_published_by_directory_page_and_mail_only_when_that_is_said(site, tmp_path):
    ask = "From: eve@else.example\r\nTo: keys-request@lists.example\r\nSubject: key\r\nMessage-ID: <1@else.example>\r\n\r\n"
    gpg = GnuPg("eve@else.example", "ed25519", "cv25519")
    (gpg.home / "dirmngr.conf").write_text("standard-resolver\ndisable-ipv6\n")
    names = ["openpgpkey.lists.example", "lists.example"]
    command = ["gpg", "--homedir", gpg.home, "--batch", "--auto-key-locate", "clear,wkd,nodefault", "--locate-external-keys"]

    def locate(folder, address):
        for attempt in range(3):  # a dirmngr that is still ending answers the next gpg with "End of file"
            done = privatenet.run_inside(tmp_path / f"{folder}-{attempt}", names, site.site.web_port, [*command, address])
            subprocess.run(["gpgconf", "--homedir", gpg.home, "--kill", "all"])
            if b"End of file" not in done.stderr:
                break
        return done

    since = send(site, ask, "eve@else.example", "keys-request@lists.example")
    hidden = locate("hidden", LIST)
    assert b"via WKD: No data" in hidden.stderr and not hidden.stdout, hidden.stderr.decode()
    with pytest.raises(OSError):
        site.site.web(f"/lists/{LIST}/key")
    assert not site.sink.of("eve@else.example", since)

    site.site.cli("list", "key-publish", LIST, "yes")
    fingerprint = keys_of(site)["openpgp"]["fingerprint"]
    found = locate("shown", LIST)
    assert fingerprint.upper().encode() in found.stdout, found.stderr.decode()
    assert b"via WKD: No data" in locate("nobody", "nobody@lists.example").stderr
    sealed = gpg.run("--armor", "--encrypt", "--recipient", LIST, input=b"to the key of the directory\n")
    assert b"BEGIN PGP MESSAGE" in sealed

    page = site.site.web(f"/lists/{LIST}/key").read().decode()
    assert fingerprint[-4:].upper() in page.upper()
    (tmp_path / "page.pem").write_bytes(site.site.web(f"/lists/{LIST}/key/certificate").read())
    assert fingerprint_of(tmp_path / "page.pem") == keys_of(site)["smime"]["fingerprint"]

    since = send(site, ask, "eve@else.example", "keys-request@lists.example")
    text = mail_of_keys(site, "eve@else.example", since)
    (tmp_path / "mail.pem").write_text(text)
    assert fingerprint_of(tmp_path / "mail.pem") == keys_of(site)["smime"]["fingerprint"]
    fresh = GnuPg("zoe@else.example", "ed25519", "cv25519")
    fresh.run("--import", input=text.encode())
    assert fingerprint.upper().encode() in fresh.run("--with-colons", "--list-keys", LIST)
    assert "PRIVATE" not in text


def test_members_get_the_keys_of_their_list_by_mail_whether_it_publishes_them_or_not(site, tmp_path):
    since = send(site, f"From: {ANN}\r\nTo: keys-request@lists.example\r\nSubject: Keys\r\nMessage-ID: <2@example.org>\r\n\r\n",
                 ANN, "keys-request@lists.example")
    assert "-----BEGIN CERTIFICATE-----" in mail_of_keys(site, ANN, since)
