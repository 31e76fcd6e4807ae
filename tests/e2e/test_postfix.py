"""Real Postfix as the org mail server on both sides: it submits over TLS and receives the copies."""
import email
import email.policy

import pytest
from postfix import Postfix
from sitekit import files_with, make_message, wait_until

BOARD, SOCIAL = "board@lists.example", "social@lists.example"
CANARY = "Rotkehlchen-55e1"


@pytest.fixture(scope="module")
def org(stage):
    """A Postfix for example.org that relays through the site, and lists with its people."""
    postfix = Postfix(stage.site.smtp_port, stage.site.data / "tls/cert.pem", stage.site.data / "tls/key.pem").start()
    stage.site.cli("route", "add", "example.org", "127.0.0.1", "--port", str(postfix.port), "--tls", "required")
    members = [stage.person("ann@example.org", "rsa"), stage.person("bob@example.org", "p256"),
               stage.person("cid@example.org")]
    stage.make_list(BOARD, members)
    stage.make_list(SOCIAL, members, secure=False)
    stage.postfix = postfix
    yield stage
    postfix.stop()


def test_a_post_goes_from_postfix_through_the_list_into_the_mailboxes_and_opens_there(org):
    org.postfix.send("ann@example.org", [BOARD], make_message("Ann <ann@example.org>", BOARD, "Secure: plan", CANARY))
    for name in ("ann", "bob"):
        copy = wait_until(lambda: [m for m in org.postfix.box(name) if b"application/pkcs7-mime" in m],
                          f"the copy for {name}")[-1]
        inner = email.message_from_bytes(org.people[f"{name}@example.org"].read(copy), policy=email.policy.default)
        assert inner["Subject"] == "Secure: plan" and CANARY in inner.get_content()
    notice = org.postfix.wait_box("cid")[-1]
    assert CANARY.encode() not in notice
    assert "TLS connection established to 127.0.0.1" in org.postfix.maillog()
    assert files_with(org.postfix.boxes, CANARY.encode()) == []


def test_a_transaction_with_an_open_list_is_refused_whole_and_the_author_reads_why(org):
    canary = "Blaumeise-0c77"
    before = {name: len(org.postfix.box(name)) for name in ("bob", "cid")}
    sent = len(org.sink.received)
    org.postfix.send("ann@example.org", [BOARD, SOCIAL],
                     make_message("ann@example.org", f"{BOARD}, {SOCIAL}", "Secure: both", canary))
    bounce = wait_until(lambda: [m for m in org.postfix.box("ann") if b"Mail Delivery System" in m], "the bounce", 60)[-1]
    text = email.message_from_bytes(bounce, policy=email.policy.default).get_body(("plain",)).get_content()
    text = " ".join(text.split())
    assert "social@lists.example" in text and "http" in text
    assert "delivered to" in text or "not delivered" in text or "nothing was delivered" in text.lower(), text
    posts = org.site.cli("post", "list", BOARD)["items"]
    assert len([p for p in posts]) == 1, "the secure half of the transaction was taken"
    assert {name: len(org.postfix.box(name)) for name in ("bob", "cid")} == before
    assert len(org.sink.received) == sent
    assert files_with(org.site.data, canary.encode()) == []


def test_an_unknown_recipient_at_the_receiving_hop_ends_as_a_report_without_content(org):
    ghost = org.person("ghost@nowhere.example", "rsa")
    org.sink.answer = lambda address: "550 5.1.1 no such user" if address == "ghost@nowhere.example" else "250 OK"
    org.site.cli("member", "add", BOARD, ghost.address)
    canary = "Goldammer-17d0"
    before = len(org.postfix.box("ann"))
    org.postfix.send("ann@example.org", [BOARD], make_message("ann@example.org", BOARD, "Secure: again", canary))

    def report():
        return [m for m in org.postfix.box("ann")[before:] if b"report-type=delivery-status" in m.replace(b'"', b"")]

    message = wait_until(report, "the delivery report", 60)[-1]
    assert canary.encode() not in message and b"Secure: again" not in message
    assert b"ghost@nowhere.example" not in message, "a report to an author names a member"
    org.sink.answer = None
