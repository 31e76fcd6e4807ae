"""Starts a site on loopback and shows the main job on real mail. Called by tools/run."""
import argparse
import email
import email.policy
import pathlib
import re
import signal
import sys
import time

from sitekit import Failure, Person, Refused, Sink, Site, make_message, swaks, wait_until

BOARD, SOCIAL = "board@lists.example", "social@lists.example"
AUTHOR = "ann@example.org"


def heading(text):
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}")


def require(truth, what):
    if not truth:
        raise Failure(what)


def ensure(site, *arguments):
    """Gives an order that may have been given at an earlier start."""
    try:
        site.cli(*arguments)
    except Refused as refused:
        if '"exists"' not in refused.error:
            raise


def people(data):
    folder = data / "people"
    return [Person(folder, AUTHOR, "rsa"), Person(folder, "bob@example.org", "p256"), Person(folder, "cid@example.net")]


def make_lists(site, members, sink):
    ensure(site, "domain", "add", "lists.example")
    for address, secure in ((BOARD, ["--secure"]), (SOCIAL, [])):
        ensure(site, "list", "create", address, *secure)
        if secure:
            site.cli("list", "protect", address, "--ladder", "smime")
        for person in members:
            ensure(site, "member", "add", address, person.address)
    for person in members:
        if person.kind:
            ensure(site, "key", "import", person.address, str(person.certificate))
    try:
        site.cli("route", "remove", "*")
    except Refused:
        pass
    site.cli("route", "add", "*", "127.0.0.1", "--port", str(sink.port))


def last_reply(dialogue):
    lines = [line for line in dialogue.splitlines() if re.match(r"^<(~|\*|-)", line)]
    data = [line for line in lines if not line.split(None, 1)[-1].startswith(("221", "354"))]
    reply = []
    for line in reversed(data):
        text = line.split(None, 1)[-1]
        if reply and not re.match(r"^\d{3}-", text):
            break
        reply.insert(0, text)
    return reply


def tls_line(dialogue):
    found = re.search(r"TLS started with cipher (\S+)", dialogue)
    return found.group(1) if found else "no TLS"


def show_posts(site, sink, members, since, fresh):
    secret = f"The merger closes on Friday. (shown at {time.strftime('%H:%M:%S')})"
    heading(f"1. A tagged post to the secure list {BOARD}, by swaks over TLS")
    code, dialogue = swaks(site.smtp_port, AUTHOR, [BOARD], make_message(AUTHOR, BOARD, "Secure: merger", secret))
    reply = last_reply(dialogue)
    print(f"   {tls_line(dialogue)}\n   {reply[0]}")
    require(code == 0 and reply[0].startswith("250"), f"the post to {BOARD} was not accepted:\n{dialogue}")

    heading(f"2. The same post to the open list {SOCIAL}")
    code, dialogue = swaks(site.smtp_port, AUTHOR, [SOCIAL], make_message(AUTHOR, SOCIAL, "Secure: merger", secret))
    reply = last_reply(dialogue)
    print("\n".join("   " + line for line in reply))
    require(code != 0 and reply[0].startswith("550"), f"the tagged post to {SOCIAL} was not refused:\n{dialogue}")
    require("http" in " ".join(reply), "the refusal has no help link")

    heading("3. What each member got")
    for person in members:
        if not person.kind and not fresh and not copies_of(sink, person, since):
            print(f"   {person.address} (no key): withheld; had the notice at an earlier start (one a day)")
            continue
        copy = wait_until(lambda: copies_of(sink, person, since), f"the copy for {person.address}")[-1]
        require(secret.encode() not in copy.raw, f"the copy for {person.address} holds the text in clear")
        if person.kind:
            inner = email.message_from_bytes(person.read(copy.raw), policy=email.policy.default)
            require(secret in inner.get_content(), f"{person.address} does not read what was posted")
            print(f"   {person.address} ({person.kind}): outer Subject {copy.message['Subject']}, openssl cms -decrypt gives\n"
                  f"      Subject: {inner['Subject']}\n      {inner.get_content().strip()}")
        else:
            print(f"   {person.address} (no key): withheld, a notice instead\n"
                  f"      Subject: {copy.message['Subject']}\n"
                  f"      {' '.join(copy.message.get_content().split())[:150]}…")


def copies_of(sink, person, since):
    """What the list sent to the person; reports to the author apart."""
    return [m for m in sink.of(person.address, since) if m.message.get_content_type() != "multipart/report"]


def show_ledger(site):
    heading("4. The ledger of the post")
    post = site.cli("post", "list", BOARD)["items"][0]["id"]
    settled = lambda: all(r["state"] in ("delivered", "withheld") for r in site.cli("trace", str(post))["recipients"])
    wait_until(settled, "every copy is in the ledger")
    for recipient in site.cli("trace", str(post))["recipients"]:
        attempt = (recipient.get("attempts") or [{}])[-1]
        how = f"{attempt.get('replyCode')} {attempt.get('replyText', '')}" if attempt else ""
        print(f"   {recipient['address']:16} {recipient['state']:10} {recipient['protection']:9} {recipient['reason']}  "
              f"{how} {(attempt.get('tls') or {}).get('version') or ''}".rstrip())


def show_records(site):
    heading("5. Records: how long the post is kept, a hold, the audit log")
    post = str(site.cli("post", "list", BOARD)["items"][0]["id"])
    explained = site.cli("retention", "explain", post)
    print(f"   postern retention explain {post}: {explained['sentence']}")
    for line in explained["references"][0]["lines"]:
        print(f"      {line['sentence']}")
    print("   A hold keeps it whatever the rules say; a compliance officer places it, in the web UI or by\n"
          f"   postern --token-file officer.token hold place MATTER NAME scope.json, with {{\"lists\": [\"{BOARD}\"]}} in scope.json")
    site.cli("audit", "anchor")
    verified = site.run_cli("audit", "verify")
    require(verified.returncode == 0, f"the audit log does not verify: {verified.stdout.decode()}{verified.stderr.decode()}")
    print(f"   postern audit verify: {verified.stdout.decode().strip()}")


def show_web(site):
    heading("6. The web UI")
    try:
        print(f"   {site.cli('user', 'setup-link')['url']}\n   (one-time link, makes the first account)")
    except Refused:
        print(f"   https://127.0.0.1:{site.web_port}/")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", required=True)
    parser.add_argument("--data", required=True, type=pathlib.Path)
    parser.add_argument("--once", action="store_true")
    options = parser.parse_args()
    data = options.data.absolute()

    site = Site(data, pathlib.Path(options.programs).absolute())
    fresh = not (data / "postern.toml").exists()
    if not fresh:
        site.reopen()
    else:
        data.mkdir(parents=True, exist_ok=True)
        site.init()
    members = people(data)
    sink = Sink(data / "tls/cert.pem", data / "tls/key.pem")
    since = time.time()
    try:
        site.start()
        make_lists(site, members, sink)
        show_posts(site, sink, members, since, fresh)
        show_ledger(site)
        show_records(site)
        show_web(site)
        print(f"\nSite in {data}, SMTP on 127.0.0.1:{site.smtp_port} (TLS from the start: {site.smtps_port}).")
        if not options.once:
            print("Running until Ctrl-C.", flush=True)
            signal.sigwait([signal.SIGINT, signal.SIGTERM])
    except (Failure, Refused) as failure:
        print(f"\ntools/run: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    finally:
        site.stop()
        sink.stop()
    return 0


sys.exit(main())
