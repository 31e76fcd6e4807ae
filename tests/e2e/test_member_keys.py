"""Keys of members by every door: command line, API, the page behind a mailed link, mail to LIST-request. What is bad is told
so at each, with the reason; what is hostile costs nothing (attack 21); and what ends is renewed, or nothing goes out clear."""
import base64
import html
import json
import os
import re
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import badkeys
import pytest
from recipient import Recipient
from sitekit import Person, Refused, files_with, make_message, wait_until
from staff import Staff
from test_ladder import GnuPg
from test_list_keys import send

LIST, OTHER = "doors@lists.example", "else@lists.example"
REQUEST = "doors-request@lists.example"
DAY = 86400
CANARY = "Kanarienvogel-6d20-singt"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    from conftest import Stage
    stage = Stage(tmp_path_factory.mktemp("doors"))
    stage.site.set("web.url", f'"https://localhost:{stage.site.web_port}"')
    stage.open()
    stage.bad = badkeys.bad_keys(tmp_path_factory.mktemp("bad"))
    stage.make_list(LIST, [Person(stage.folder, address) for address, _, _ in stage.bad.values()], ladder="smime,openpgp")
    stage.admin = Staff(stage.site, "ada", "admin", ["key:read", "key:write"])
    yield stage
    assert not files_with(stage.site.data, CANARY.encode())
    assert all(CANARY.encode() not in mail.raw for mail in stage.sink.received)
    stage.close()


def by_api(stage, address, key):
    """The answer of the API: (status, JSON)."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    text = key.decode() if key.startswith(b"-----") else base64.b64encode(key).decode()
    request = urllib.request.Request(
        f"https://127.0.0.1:{stage.site.web_port}/api/v1/keys", json.dumps({"address": address, "certificate": text}).encode(),
        {"Authorization": "Bearer " + stage.admin.token.read_text().strip(), "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, context=context, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def link_of(received):
    text = received.message.get_content()
    return re.search(r"https://\S+/lists/my-keys/open\?token=\S+", text).group(0)


def ask_for_link(stage, address):
    since = time.time()
    visitor = Recipient(stage.site)
    page = visitor.send(visitor.get("/lists/my-keys"), "/lists/my-keys", list=LIST, address=address)
    assert "a mail with a link is on its way" in page.text
    return link_of(stage.sink.wait(address, since=since)[0])


def alert_of(page):
    return html.unescape(re.sub(r"<[^>]+>", " ", re.search(r'role="alert".*?</(?:div|section)>', page.text, re.S).group(0)))


def by_page(stage, address, key):
    """Gives the key on the page behind a mailed link: (status, what the page says)."""
    visitor = Recipient(stage.site)
    page = visitor.get(ask_for_link(stage, address))
    assert "Give a key" in page.text and "This link works once, until" in page.text
    text = key.decode() if key.startswith(b"-----") else base64.b64encode(key).decode()
    done = visitor.send(page, "/lists/my-keys/open", certificate=text)
    return done.status, done.text if done.status == 200 else alert_of(done)


def with_key(address, key, subject="My key"):
    kind = "application/pgp-keys" if b"PGP" in key[:30] or key[:1] >= b"\x80" else "application/pkix-cert"
    lines = base64.encodebytes(key).decode().replace("\n", "\r\n")
    return (f"From: {address}\r\nTo: {REQUEST}\r\nSubject: {subject}\r\nMessage-ID: <{os.urandom(8).hex()}@members.example>\r\n"
            "Date: Mon, 02 Mar 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
            f"--b\r\nContent-Type: text/plain\r\n\r\nHere it is.\r\n--b\r\nContent-Type: {kind}\r\n"
            f"Content-Transfer-Encoding: base64\r\n\r\n{lines}--b--\r\n")


def by_mail(stage, address, key, subject="My key"):
    """Mails the key to LIST-request; the subject of the answer and its link."""
    since = send(stage, with_key(address, key, subject), address, REQUEST)
    answer = stage.sink.wait(address, since=since)[0]
    return answer.message["Subject"], link_of(answer)


def keys_of(stage, address):
    return {key["fingerprint"]: key["state"] for key in stage.site.cli("key", "list", address)["items"]}


def cost(stage):
    """CPU seconds of listd so far, and its resident memory in MB."""
    process = stage.site.pids()["postern-listd"]
    fields = open(f"/proc/{process}/stat").read().rsplit(")", 1)[1].split()
    resident = int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{process}/status").read()).group(1)) / 1024
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), resident


NAMES = ("expired notyet others signing rsa1024 sha1 rsa16384 exponent oddcurve manynames toolarge cut pkcs8 pgpexpired "
         "pgpothers pgpsigning pgprsa1024 pgpsha1 pgpuserids pgpsubkeys pgpsignatures pgpversion3 pgpversion5 pgpversion6 "
         "pgptoolarge pgplength").split()


def says(text, words):
    return any(word.lower() in text.lower() for word in words)


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_key_is_refused_with_its_reason_at_every_door_and_costs_next_to_nothing(site, name, tmp_path):
    address, key, words = site.bad[name]
    (tmp_path / "key").write_bytes(key)
    before, memory = cost(site)
    answers = {}
    try:
        answers["command line"] = json.dumps(site.site.cli("key", "import", address, str(tmp_path / "key")))
    except Refused as refused:
        answers["command line"] = refused.error
    answers["api"] = json.dumps(by_api(site, address, key)[1])
    answers["page"] = by_page(site, address, key)[1]
    subject, link = by_mail(site, address, key)
    answers["mail"] = alert_of(Recipient(site.site).get(link)) if subject == "A key that cannot be used" else subject
    for door, answer in answers.items():
        assert says(answer, words), f"{door}: {answer}"
    after, grown = cost(site)
    assert after - before < 3, f"{after - before} s of CPU"
    assert grown - memory < 64, f"{grown - memory} MB"


def standing_of(stage, address, list_=LIST):
    return next(m for m in stage.site.cli("member", "list", list_, "--limit", "1000")["items"] if m["address"] == address)


def test_no_member_with_a_bad_key_gets_a_copy_and_nothing_goes_out_clear(site):
    author = Person(site.folder, "author@members.example", "rsa")
    site.site.cli("member", "add", LIST, author.address)
    site.site.cli("key", "import", author.address, str(author.certificate))
    standings = {name: standing_of(site, address)["protection"] for name, (address, _, _) in site.bad.items()}
    assert set(standings.values()) == {"withheld"}, standings
    since = send(site, make_message(author.address, LIST, CANARY, CANARY), author.address, LIST)
    wait_until(lambda: site.sink.of(author.address, since), "the author's own copy")
    for address, _, _ in site.bad.values():
        notice = wait_until(lambda: site.sink.of(address, since), f"a notice for {address}")[0]
        assert "could not be sent to you" in notice.message["Subject"]


def member(stage, name, **person):
    made = Person(stage.folder / "good", f"{name}@members.example", **person)
    stage.site.cli("member", "add", LIST, made.address)
    return made


def test_a_good_key_comes_in_by_every_door(site):
    people = {door: member(site, "good-" + door, kind="p256") for door in ("api", "page", "mail", "command")}
    keys = {door: person.certificate.read_bytes() for door, person in people.items()}
    site.site.cli("key", "import", people["command"].address, str(people["command"].certificate))
    assert by_api(site, people["api"].address, keys["api"])[0] == 200
    status, text = by_page(site, people["page"].address, keys["page"])
    assert status == 200 and "The key is in use" in text
    subject, link = by_mail(site, people["mail"].address, keys["mail"])
    assert subject == "A key for your address"
    assert keys_of(site, people["mail"].address) == {}
    visitor = Recipient(site.site)
    for _ in range(3):  # a mail scanner that follows links changes nothing
        visitor.ask("GET", link)
    assert keys_of(site, people["mail"].address) == {}
    done = visitor.send(visitor.get(link), "/lists/my-keys/open")
    assert "The key is in use" in done.text
    assert Recipient(site.site).get(link).status == 410
    for person in people.values():
        assert standing_of(site, person.address)["protection"] == "smime"
        assert list(keys_of(site, person.address).values()) == ["confirmed"]


def test_a_subject_key_with_a_key_in_it_brings_the_key(site):
    person = member(site, "subject", kind="p256")
    assert by_mail(site, person.address, person.certificate.read_bytes(), "key")[0] == "A key for your address"


def test_an_openpgp_key_comes_in_by_mail_as_binary_and_as_armor(site):
    for name, armor in (("binary", False), ("armor", True)):
        person = member(site, "pgp-" + name)
        gpg = GnuPg(person.address, "ed25519", "cv25519")
        key = gpg.public.read_bytes() if armor else gpg.run("--export", person.address)
        subject, link = by_mail(site, person.address, key)
        assert subject == "A key for your address"
        visitor = Recipient(site.site)
        visitor.send(visitor.get(link), "/lists/my-keys/open")
        assert keys_of(site, person.address) == {gpg.fingerprint: "confirmed"}


def signed(person, text):
    done = subprocess.run(["openssl", "cms", "-sign", "-signer", person.certificate, "-inkey", person.key, "-outform", "SMIME"],
                          input=f"Content-Type: text/plain\r\n\r\n{text}\r\n".encode(), capture_output=True, check=True)
    return (f"From: {person.address}\r\nTo: {LIST}\r\nSubject: Signed\r\nMessage-ID: <{os.urandom(8).hex()}@members.example>\r\n"
            "Date: Mon, 02 Mar 2026 10:00:00 +0000\r\n").encode() + re.sub(rb"\r?\n", b"\r\n", done.stdout)


def test_a_key_on_signed_mail_to_the_list_is_proposed_and_does_not_replace_the_confirmed_one(site):
    person = member(site, "harvest", kind="rsa")
    site.site.cli("key", "import", person.address, str(person.certificate))
    confirmed = keys_of(site, person.address)
    other = Person(site.folder / "second", person.address, kind="rsa")
    send(site, signed(other, "from a new machine"), person.address, LIST)
    both = wait_until(lambda: len(keys_of(site, person.address)) == 2 and keys_of(site, person.address), "the proposal")
    new, = set(both) - set(confirmed)
    assert both == {**confirmed, new: "proposed"}
    shown = next(k for k in site.site.cli("key", "list", person.address)["items"] if k["fingerprint"] == new)
    assert shown["origin"] == "signed-mail"
    assert standing_of(site, person.address)["protection"] == "smime"
    site.site.cli("key", "confirm", new, person.address)
    assert keys_of(site, person.address) == {**confirmed, new: "confirmed"}


def reissued(person, folder, days):
    """A new certificate for the same private key, as an authority gives at a renewal."""
    path = folder / f"renewed-{days}.pem"
    subprocess.run(["openssl", "req", "-x509", "-new", "-key", person.key, "-out", path, "-days", str(days), "-subj", "/CN=renewed",
                    "-addext", f"subjectAltName=email:{person.address}", "-addext", "extendedKeyUsage=emailProtection",
                    "-addext", "keyUsage=digitalSignature,keyEncipherment,keyAgreement"], check=True, capture_output=True)
    return path


def test_a_reminder_leads_to_renewal_in_one_step_and_what_ended_is_never_sent_to_in_clear(make_stage, tmp_path):
    stage = make_stage()
    stage.site.set("web.url", f'"https://localhost:{stage.site.web_port}"')
    stage.open()
    renews = Person(tmp_path, "renews@members.example", "p256", days=20)
    gpg = GnuPg("renews-pgp@members.example", "ed25519", "cv25519")
    gpg.run("--quick-set-expire", gpg.fingerprint, "20d")
    gpg.run("--quick-set-expire", gpg.fingerprint, "20d", "*")
    gpg.public.write_bytes(gpg.run("--armor", "--export", gpg.fingerprint))
    ends, steps_down = Person(tmp_path, "ends@members.example", "p256", days=20), Person(tmp_path, "steps@members.example", "p256", days=20)
    second = GnuPg(steps_down.address, "ed25519", "cv25519")
    author = Person(tmp_path, "author@members.example", "p256", days=300)
    revoked = Person(tmp_path, "revoked@members.example", "p256", days=300)
    stage.make_list(LIST, [renews, Person(tmp_path, "renews-pgp@members.example"), ends, steps_down, author, revoked], ladder="smime,openpgp")
    for person in (renews, ends, steps_down, author, revoked):
        stage.site.cli("key", "import", person.address, str(person.certificate))
    stage.site.cli("key", "import", steps_down.address, str(second.public))
    stage.site.cli("key", "import", "renews-pgp@members.example", str(gpg.public))
    since = time.time()
    stage.site.cli("key", "check-all")
    reminders = {address: link_of(next(m for m in stage.sink.wait(address, since=since) if m.message["Subject"] == "Your key ends soon"))
                 for address in (renews.address, "renews-pgp@members.example")}
    # The link works when the mail was read late, days after the three of other links.
    stage.site.at_offset(10 * DAY)
    visitor = Recipient(stage.site)
    page = visitor.get(reminders[renews.address])
    assert "This link works once, until" in page.text and page.status == 200
    done = visitor.send(page, "/lists/my-keys/open", certificate=reissued(renews, tmp_path, 300).read_text())
    assert "The key is in use" in done.text
    gpg.run("--quick-set-expire", gpg.fingerprint, "1y")
    gpg.run("--quick-set-expire", gpg.fingerprint, "1y", "*")
    visitor = Recipient(stage.site)
    done = visitor.send(visitor.get(reminders["renews-pgp@members.example"]), "/lists/my-keys/open",
                        certificate=gpg.run("--armor", "--export", gpg.fingerprint).decode())
    assert "The key is in use" in done.text
    assert Recipient(stage.site).get(reminders[renews.address]).status == 410  # once

    stage.site.cli("key", "revoke", keys_of(stage, revoked.address).popitem()[0])
    stage.site.at_offset(25 * DAY)
    addresses = {renews.address: "smime", "renews-pgp@members.example": "openpgp", author.address: "smime",
                 steps_down.address: "openpgp", ends.address: "withheld", revoked.address: "withheld"}
    wait_until(lambda: standing_of(stage, ends.address)["protection"] == "withheld", "the end of the certificate")
    since = send(stage, make_message(author.address, LIST, "Minutes", CANARY), author.address, LIST)
    post = str(wait_until(lambda: stage.site.cli("post", "list", LIST)["items"], "the post in the list")[0]["id"])
    rows = wait_until(lambda: (lambda rows: all(r["state"] in ("delivered", "withheld") for r in rows) and rows)(
        stage.site.cli("trace", post)["recipients"]), "all copies are final")
    assert {r["address"]: r["protection"] for r in rows} == addresses
    assert CANARY.encode() in gpg.run("--decrypt", input=next(
        m for m in stage.sink.of("renews-pgp@members.example", since)).message.get_payload()[1].get_payload(decode=True))
    assert all(CANARY.encode() not in m.raw for m in stage.sink.received)
