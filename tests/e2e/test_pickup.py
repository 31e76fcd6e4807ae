"""Pick-up from end to end: a real Postfix holds the mailboxes, and who has no key reads on our pages. Attack 22."""
import email
import email.policy
import os

import pytest
from postfix import Postfix
from recipient import PASSWORD, Recipient, link_in
from sitekit import Refused, files_with, make_message, wait_until
from staff import Staff

BOARD = "board@lists.example"
ANN, BOB, CID, DORA = (f"{name}@example.org" for name in ("ann", "bob", "cid", "dora"))
ENVELOPE = b"Subject: A secure message waits for you"
ATTACHED = bytes(range(256)) * 700  # more than one record of the encrypted content


@pytest.fixture(scope="module")
def org(tmp_path_factory):
    """A Postfix for example.org behind the site; Ann has a certificate, the others nothing."""
    from conftest import Stage
    stage = Stage(tmp_path_factory.mktemp("pickup"), {"delivery.first_retry": "1", "delivery.max_retry": "5"})
    stage.site.set("web.url", f'"https://localhost:{stage.site.web_port}"')
    stage.open()
    stage.postfix = Postfix(stage.site.smtp_port, stage.site.data / "tls/cert.pem",
                            stage.site.data / "tls/key.pem").start()
    stage.site.cli("route", "add", "example.org", "127.0.0.1", "--port", str(stage.postfix.port), "--tls", "required")
    members = [stage.person(ANN, "rsa"), stage.person(BOB), stage.person(CID), stage.person(DORA)]
    stage.make_list(BOARD, members, ladder="smime,pickup")
    stage.admin = Staff(stage.site, "ada", "admin", ["account:read"])
    yield stage
    stage.postfix.stop()
    stage.close()


def mails(org, name, subject=ENVELOPE):
    return [m for m in org.postfix.box(name) if subject in m]


def post(org, subject, body, sender=ANN):
    """Sends a post from Ann's mailbox; gives its number and the new envelope mails of Bob, Cid and Dora."""
    before = {name: len(mails(org, name)) for name in ("bob", "cid", "dora")}
    known = {str(p["id"]) for p in org.site.cli("post", "list", BOARD)["items"]}
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"], message["Subject"] = f"Ann <{sender}>", BOARD, subject
    message["Date"], message["Message-ID"] = "Mon, 02 Mar 2026 10:00:00 +0000", f"<{os.urandom(8).hex()}@example.org>"
    message.set_content(body)
    message.add_attachment(ATTACHED, maintype="application", subtype="octet-stream", filename="Bericht äöü.bin")
    org.postfix.send(sender, [BOARD], message.as_bytes().decode())
    wait_until(lambda: all(len(mails(org, name)) > count for name, count in before.items()), "the envelope mails", 60)
    number = next(str(p["id"]) for p in org.site.cli("post", "list", BOARD)["items"] if str(p["id"]) not in known)
    return number, {name: mails(org, name)[-1] for name in before}


def row_of(org, number, address):
    return next(r for r in org.site.cli("trace", number)["recipients"] if r["address"] == address)


def items_of(org, number, address):
    return [i for i in org.site.cli("pickup", "list")["items"] if i["post"] == number and i["recipient"] == address]


def test_a_recipient_with_nothing_gets_an_envelope_reads_keeps_and_answers(org):
    canary, subject = "Zaunkönig-4f1e-wacht", "Zeisig-9a02 Bericht"
    number, letters = post(org, subject, canary)
    for name, letter in letters.items():
        text = letter.decode("latin-1")
        assert all(word not in text for word in ("4f1e-wacht", "Zeisig-9a02", ANN, "Bericht")), name
    assert row_of(org, number, BOB)["pickup"]["openedAt"] == 0
    assert all(files_with(folder, b"4f1e-wacht") == [] for folder in (org.site.data, org.postfix.boxes))

    bob = Recipient(org.site)
    inbox = bob.first_visit(link_in(letters["bob"]))
    assert "Your secure mail" in inbox.text and "no-store" in inbox.headers["Cache-Control"]
    path = bob.subjects()[subject]
    closed = bob.get(path)
    assert canary not in closed.text, "nothing is shown before the receipt is written"
    assert row_of(org, number, BOB)["pickup"]["openedAt"] == 0
    assert canary in bob.send(closed, path + "/open").text

    row = row_of(org, number, BOB)
    assert row["protection"] == "pickup" and row["pickup"]["openedAt"] > 0, "the receipt stands in the trace"
    item = items_of(org, number, BOB)[0]
    assert item["openedHow"] == "page" and item["openedNetwork"] == "local" and item["opens"] >= 1
    assert row_of(org, number, CID)["pickup"]["openedAt"] == 0, "a receipt is of one recipient"

    kept = email.message_from_bytes(bob.get(path + "/message.eml").body, policy=email.policy.default)
    assert kept["Subject"] == subject and str(kept["From"]).startswith("Ann via") and ANN in kept["Reply-To"]
    assert kept.get_body(("plain",)).get_content().strip() == canary
    attachment = next(kept.iter_attachments())
    assert (attachment.get_filename(), attachment.get_content()) == ("Bericht äöü.bin", ATTACHED)

    sealed = len(mails(org, "ann", b"application/pkcs7-mime"))
    answer = "Blaukehlchen-77d0 antwortet"
    assert "on its way" in bob.send(bob.get(path), path + "/reply", text=answer).text
    copy = wait_until(lambda: mails(org, "ann", b"application/pkcs7-mime")[sealed:], "the sealed reply")[-1]
    assert b"77d0 antwortet" not in copy
    inner = email.message_from_bytes(org.people[ANN].read(copy), policy=email.policy.default)
    assert answer in inner.get_content() and inner["Subject"] == "Re: " + subject
    for needle in (b"4f1e-wacht", b"77d0 antwortet"):
        assert all(files_with(folder, needle) == [] for folder in (org.site.data, org.postfix.boxes)), needle


def test_scanners_that_follow_the_link_do_not_use_it_up_and_its_person_does(org):
    _, letters = post(org, "Scanners", "nothing")
    link = link_in(letters["cid"])
    for agent in ("Mozilla/5.0 (compatible; LinkScanner/2.1)", "curl/8.4", "", "SafeLinks"):
        scanner = Recipient(org.site, agent)
        for method in ("HEAD", "GET", "GET"):
            assert scanner.ask(method, link).status == 200, (agent, method)
        assert "__Host-postern-pickup" not in scanner.cookies, "a look opens no session"
    cid = Recipient(org.site)
    assert "Your secure mail" in cid.first_visit(link).text
    assert Recipient(org.site).ask("GET", link).status == 410, "used once, it leads nowhere"
    late = Recipient(org.site)
    page = late.get(link_in(post(org, "Another", "nothing")[1]["cid"]))
    assert late.send(page, "/pickup/open").text.count("Password") > 0, "who has a factor signs in with it"
    assert "__Host-postern-pickup" not in late.cookies, "the mailbox alone opens nothing any more"


def test_tokens_are_guessed_in_vain_and_guessing_is_slowed(org):
    _, letters = post(org, "Guess", "nothing")
    link = link_in(letters["dora"])
    start, token = link.split("token=")
    for place in range(0, len(token), 5):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1:]
        assert Recipient(org.site).ask("GET", start + "token=" + changed).status == 410, place
    thief = Recipient(org.site)
    page = thief.get("/pickup/")
    csrf = page.text.split('name="csrf" value="')[1].split('"')[0]
    seen = {thief.ask("POST", "/pickup/open", {"csrf": csrf, "token": os.urandom(41).hex()[:55]}).status
            for _ in range(60)}
    assert seen <= {410, 429} and 429 in seen, seen
    org.site.at_offset(org.site.offset + 3600)  # what was counted against the address is forgotten
    assert "Your secure mail" in Recipient(org.site).first_visit(link).text


def test_nobody_reads_what_is_anothers(org):
    canary = "Neuntöter-30bb"
    post(org, "Only for Bob and Cid", canary)
    officer = Staff(org.site, "oskar", "officer", ["account:read"])
    bob, cid = Recipient(org.site), Recipient(org.site)
    bob.sign_in(BOB)
    cid.sign_in(CID)
    path = bob.subjects()["Only for Bob and Cid"]
    # One content has one number for all who got it: Cid reads it as a recipient, others are refused as for none.
    number, letters = post(org, "Not for Eve", canary)
    own = bob.subjects()["Not for Eve"]
    officer.web("pickup.recall", id=items_of(org, number, CID)[0]["id"], reason="not for Cid")
    eve = Recipient(org.site)
    for visitor, statuses in ((cid, {410}), (eve, {303, 302, 401, 403})):
        for part in ("", "/html", "/content", "/parts/1", "/parts/2", "/message.eml"):
            answer = visitor.ask("GET", own + part)
            assert answer.status in statuses | {404, 409, 410, 403}, (part, answer.status)
            assert b"30bb" not in answer.body and b"Not for Eve" not in answer.body
    for route in ("/open", "/key", "/reply", "/report"):
        assert eve.ask("POST", path + route, {"csrf": "x", "text": "x", "words": "x"}).status == 403, route
    none = cid.ask("GET", "/pickup/messages/4711")
    assert none.status == 404
    foreign = Recipient(org.site)
    foreign.cookies["__Host-postern-pickup"] = "A" * 43
    assert foreign.ask("GET", path).status in (302, 303)
    # Signed out, the cookie opens nothing, wherever it is played back.
    kept = dict(bob.cookies)
    bob.send(bob.get("/pickup/messages"), "/pickup/sign-out")
    played = Recipient(org.site)
    played.cookies = kept
    assert played.ask("GET", own).status in (302, 303)


def test_passwords_are_guessed_in_vain(org):
    thief = Recipient(org.site)
    answers = [thief.sign_in(DORA, f"four words somebody {i}") for i in range(12)]
    assert {a.status for a in answers} <= {401, 429}
    unknown = Recipient(org.site).sign_in("nobody@nowhere.example", "four words somebody says")
    words = "address or password is wrong"
    assert words in unknown.text.lower() or unknown.status == 429
    org.site.at_offset(org.site.offset + 3600)
    assert "Your secure mail" in Recipient(org.site).sign_in(DORA).text


def gone_for(visitor, subject, path):
    assert subject not in visitor.subjects()
    answer = visitor.ask("GET", path)
    return answer.status == 410 and visitor.ask("GET", path + "/message.eml").status == 410


def test_the_sender_takes_a_post_back_by_a_link_that_is_asked_for(org):
    subject = "Taken back by Ann"
    number, _ = post(org, subject, "oops")
    bob = Recipient(org.site)
    bob.sign_in(BOB)
    path = bob.subjects()[subject]
    ann = Recipient(org.site)
    ann.send(ann.get("/pickup/"), "/pickup/ask", address=ANN)
    asked = wait_until(lambda: mails(org, "ann", b"Subject: Your link to secure mail"), "the link for the sender")[-1]
    ann.first_visit(link_in(asked))
    sent = ann.get("/pickup/sent")
    assert BOB not in sent.text and CID not in sent.text, "a sender sees numbers, not who"
    assert f'value="{number}"' in sent.text and "by 0 of 3" in sent.text
    done = ann.ask("POST", "/pickup/sent", {"csrf": sent.text.split('name="csrf" value="')[1].split('"')[0],
                                            "post": number, "reason": "wrong list"})
    assert done.status in (302, 303)
    assert gone_for(bob, subject, path)
    assert all(i["state"] == "recalled" and i["keyDestroyed"] for i in items_of(org, number, BOB))
    # Bob is not its sender.
    other, _ = post(org, "Stays", "here")
    page = bob.get("/pickup/sent")
    csrf = page.text.split('name="csrf" value="')[1].split('"')[0]
    assert bob.ask("POST", "/pickup/sent", {"csrf": csrf, "post": other, "reason": "x"}).status == 404
    assert "Stays" in bob.subjects()


@pytest.mark.parametrize("name,roles", [("wanda", "owner"), ("olga", "officer")])
def test_owner_and_incident_officer_take_a_post_back(org, name, roles):
    subject = f"Taken back by {name}"
    number, _ = post(org, subject, "oops")
    bob = Recipient(org.site)
    bob.sign_in(BOB)
    path = bob.subjects()[subject]
    person = Staff(org.site, name, roles, ["account:read"])
    if roles == "owner":
        with pytest.raises(Refused):
            person.web("pickup.recall", post=number, reason="not mine yet")
        org.admin.sign_in().web("account.set", name=name, lists=[BOARD], reason="owns it")
    assert person.web("pickup.recall", post=number, reason="went to the wrong people")["recalled"] == 3
    assert gone_for(bob, subject, path)
    assert row_of(org, number, BOB)["pickup"]["state"] == "recalled"


def test_an_administrator_takes_nothing_back(org):
    number, _ = post(org, "Admins do not recall", "x")
    with pytest.raises(Refused):
        org.admin.sign_in().web("pickup.recall", post=number, reason="x")


def test_what_is_not_fetched_in_time_is_out_of_reach_for_everybody(org):
    subject = "Its time ends"
    number, letters = post(org, subject, "Rohrdommel-6c11-d0a9e4b7")
    bob = Recipient(org.site)
    bob.sign_in(BOB)
    path = bob.subjects()[subject]
    kept = dict(bob.cookies)
    org.site.at_offset(org.site.offset + 31 * 86400)
    late = Recipient(org.site)
    assert late.ask("GET", link_in(letters["dora"])).status == 410, "an unused link ends with its message"
    late.cookies = kept
    assert late.ask("GET", path).status in (302, 303), "a session of a month ago is over"
    page = bob.sign_in(BOB)
    assert "Your secure mail" in page.text, page.text
    assert gone_for(bob, subject, path)
    assert "A message whose time is over" in bob.get("/pickup/messages").text
    wait_until(lambda: all(i["keyDestroyed"] for i in items_of(org, number, BOB)), "the keys are destroyed")
    assert PASSWORD.encode() not in b"".join(p.read_bytes() for p in (org.site.data / "listd").glob("*") if p.is_file())
    assert files_with(org.site.data, b"6c11-d0a9e4b7") == []
