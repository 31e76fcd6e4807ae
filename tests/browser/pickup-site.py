"""A real site with a secure list whose members have no key, so that posts wait for pick-up. As site.py: prints what the
tests need, then takes orders as lines of JSON."""
import json
import os
import pathlib
import re
import sqlite3
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
sys.path.insert(0, str(ROOT / "tests/e2e"))

from sitekit import Person, Sink, Site, files_with, swaks, wait_until  # noqa: E402
from staff import Staff  # noqa: E402

BOARD, OTHER = "board@lists.example", "other@lists.example"
MEMBERS = ["bob@example.org", "noa@example.org", "eve@example.org", "pat@example.org", "flo@file.example"]

HOSTILE = """<p>Visible words {canary}</p><script>document.title='ran';fetch('https://evil.example/s')</script>
<img src="https://evil.example/i.png" onerror="document.title='ran'"><svg onload="document.title='ran'"></svg>
<iframe src="https://evil.example/f"></iframe><link rel=stylesheet href="https://evil.example/c.css">
<style>@import 'https://evil.example/d.css';p{{background:url(https://evil.example/b)}}</style>
<form action="https://evil.example/p"><button>press</button></form><a href="javascript:document.title='ran'">link</a>
<object data="https://evil.example/o"></object><meta http-equiv=refresh content="0;url=https://evil.example/r">
<p style="position:fixed;top:0" onclick="document.title='ran'">overlay</p>"""


PEOPLE = {}


def post(site, canary, to=BOARD):
    """A post of Ann's with hostile HTML and an attachment; the ladder lets it wait for members without a key."""
    message = (f"From: Ann <ann@example.org>\r\nTo: {to}\r\nSubject: Results {canary}\r\n"
               f"Date: Mon, 02 Mar 2026 10:00:00 +0000\r\nMessage-ID: <{os.urandom(8).hex()}@example.org>\r\n"
               "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
               "Content-Type: text/html; charset=utf-8\r\n\r\n" + HOSTILE.format(canary=canary).replace("\n", "\r\n") +
               "\r\n--b\r\nContent-Type: text/html; name=page.html\r\n"
               "Content-Disposition: attachment; filename=\"page.html\"\r\n\r\n<script>document.title='ran'</script>\r\n--b--\r\n")
    database = site.data / "listd/site.db"

    def newest(where):
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
            return db.execute(f"SELECT coalesce(max(id), 0) FROM posts WHERE {where}").fetchone()[0]

    seen = newest("1")
    code, dialogue = swaks(site.smtp_port, "ann@example.org", [to], message)
    if code != 0:
        raise RuntimeError(dialogue)
    wait_until(lambda: newest("verdict = 'accepted' AND state <> 'planned'") > seen, "the plan of the post")
    planned = newest("verdict = 'accepted' AND state <> 'planned'")
    return planned


def envelopes(sink, address, count=1):
    """Envelope mails, whatever else came."""
    def found():
        return [m for m in sink.of(address) if m.message["Subject"] == "A secure message waits for you"]
    wait_until(lambda: len(found()) >= count, f"{count} envelope mail(s) for {address}")
    return found()


def link_of(message):
    return re.search(r"https://\S+/pickup/open\?token=\S+", message.get_body(("plain",)).get_content()).group(0)


def answer(site, sink, words):
    if words[0] == "cli":
        return site.cli(*words[1:])
    if words[0] == "text":  # as a person reads it
        done = site.run_cli(*words[1:])
        if done.returncode != 0:
            raise RuntimeError(done.stderr.decode())
        return done.stdout.decode()
    if words[0] == "clock":
        site.stop()
        site.set("testing.clock_offset", words[1])
        site.start()
        return "started"
    if words[0] == "post":
        return post(site, *words[1:])
    if words[0] == "staff":  # the secret of a session of somebody with that role, who owns the lists named besides
        staff = PEOPLE.get(words[1]) or Staff(site, words[1], words[2], ["account:read"])
        PEOPLE[words[1]] = staff
        if words[3:]:
            PEOPLE["ada"].sign_in().web("account.set", name=words[1], lists=words[3:], mail=words[1] + "@example.org",
                                        reason="owns it")
        return staff.session
    if words[0] == "mail":
        def mail():
            return [m.message for m in sink.of(words[1]) if m.message["Subject"] == words[2]]
        wait_until(mail, words[2])
        return mail()[-1].get_body(("plain",)).get_content()
    if words[0] == "link":
        return link_of(envelopes(sink, words[1])[-1].message)
    if words[0] == "asked":
        def asked():
            return [m.message for m in sink.of(words[1]) if m.message["Subject"] == "Your link to secure mail"]
        wait_until(asked, "the link that was asked for")
        return link_of(asked()[-1])
    if words[0] == "raw":
        return envelopes(sink, words[1], int(words[2]) if len(words) > 2 else 1)[-1].raw.decode("latin-1")
    if words[0] == "sealed":
        def sealed():
            return [m.raw.decode("latin-1") for m in sink.of(words[1]) if b"application/pkcs7-mime" in m.raw]
        wait_until(lambda: len(sealed()) >= int(words[2]), "sealed mail")
        return sealed()
    if words[0] == "file":
        part = next(p for p in envelopes(sink, words[1])[-1].message.iter_attachments())
        path = site.data.parent / "SecureMessageATT.html"
        path.write_text(part.get_content())
        return str(path)
    if words[0] == "canary":
        return [str(path) for path in files_with(site.data, words[1].encode())]
    raise ValueError(words[0])


def main():
    with tempfile.TemporaryDirectory(prefix="postern-pickup-") as folder:
        folder = pathlib.Path(folder)
        site = Site(folder / "site", os.environ.get("POSTERN_PROGRAMS", ROOT / "build/dev/bin"))
        site.init()
        url = f"https://localhost:{site.web_port}"
        site.set("web.url", f'"{url}"')
        sink = Sink(site.data / "tls/cert.pem", site.data / "tls/key.pem")
        try:
            site.start()
            site.cli("domain", "add", "lists.example")
            site.cli("route", "add", "*", "127.0.0.1", "--port", str(sink.port))
            ann = Person(folder, "ann@example.org", "p256")
            site.cli("key", "import", ann.address, str(ann.certificate))
            site.cli("list", "create", BOARD, "--secure")
            for address in [ann.address, *MEMBERS]:
                site.cli("member", "add", BOARD, address)
            site.cli("list", "create", OTHER, "--secure")
            for address in (ann.address, "bob@example.org"):
                site.cli("member", "add", OTHER, address)
            site.cli("pickup", "domain", "file.example", "--limit", "1000000")
            print(json.dumps({"url": url, "setupLink": site.cli("user", "setup-link")["url"], "log": str(site.log)}),
                  flush=True)
            for line in sys.stdin:
                try:
                    result = {"ok": answer(site, sink, json.loads(line))}
                except Exception as error:  # the test says what it expected
                    result = {"error": repr(error)}
                print(json.dumps(result), flush=True)
        finally:
            site.stop()
            sink.stop()


main()
