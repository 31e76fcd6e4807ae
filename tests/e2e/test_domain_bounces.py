"""Bounces of domain mail: what comes back is in the ledger, and its author is told who has not got it and why; nothing of
the mail is in the report. Where the list's domain is not of the author's organisation, bounces go to the author."""
import os
import smtplib

import pytest
from sitekit import files_with, make_message, swaks, wait_until

OUT = "outbound@lists.example.org"
ANN, SAM, TIM, NORA = "ann@example.org", "sam@smime.example", "tim@smime.example", "nora@nothing.example"
CANARY, WORD = "Kanarienvogel-" + os.urandom(4).hex(), "Rohrsaenger-" + os.urandom(4).hex()
REPORT = "Your message did not reach everybody on "


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    from conftest import Stage
    made = Stage(tmp_path_factory.mktemp("bounces")).open()
    try:
        made.site.cli("domain", "add", "lists.example.org")
        made.make_list(OUT, [], ladder="smime,pickup")
        made.site.cli("relay", "add", "127.0.0.1", "example.org", OUT)
        for address in (SAM, TIM):
            made.person(address, "rsa")
        yield made
        for word in (CANARY, WORD):
            assert files_with(made.site.data, word.encode()) == []
            assert all(word.encode() not in mail.raw for mail in made.sink.received)
    finally:
        made.close()


def send(scene, *people):
    known = {item["id"] for item in scene.site.cli("post", "list", OUT)["items"]}
    code, dialogue = swaks(scene.site.smtp_port, ANN, list(people), make_message(ANN, people[0], f"Secure: {WORD}", CANARY))
    assert code == 0, dialogue
    return wait_until(lambda: next((item["id"] for item in scene.site.cli("post", "list", OUT)["items"]
                                    if item["id"] not in known), None), "the post")


def row(scene, post, address, state):
    def found():
        rows = scene.site.cli("trace", str(post))["recipients"]
        return next((one for one in rows if one["address"] == address and one["state"] == state), None)
    return wait_until(found, f"{address} is {state}")


def reports(scene):
    return [mail for mail in scene.sink.of(ANN) if mail.message["Subject"].startswith(REPORT)]


def report_text(mail):
    parts = list(mail.message.walk())
    assert mail.message.get_content_type() == "multipart/report" and mail.sender in ("", "<>")
    return parts[1].get_content() + str(parts[2])


def bounce(scene, address, diagnostic):
    """A report as other servers write it, by the null sender."""
    text = (f"From: MAILER-DAEMON@smime.example\r\nTo: {address}\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nSorry.\r\n--b\r\n"
            "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.smime.example\r\n\r\n"
            f"Final-Recipient: rfc822; {SAM}\r\nAction: failed\r\nStatus: 5.2.1\r\nDiagnostic-Code: smtp; {diagnostic}\r\n--b--\r\n")
    with smtplib.SMTP("127.0.0.1", scene.site.smtp_port) as client:
        client.sendmail("", [address], text)


def test_a_recipient_who_is_refused_at_once_is_named_to_the_author(scene):
    scene.sink.answer = lambda address: "550 5.1.1 no such user here" if address == TIM else "250 OK"
    post = send(scene, SAM, TIM)
    row(scene, post, SAM, "delivered")
    row(scene, post, TIM, "failed")
    wait_until(lambda: reports(scene), "the report")
    text = report_text(reports(scene)[-1])
    assert TIM in text and "there is no such mailbox" in text and "5.1.1" in text and "Action: failed" in text
    assert SAM not in text
    scene.sink.answer = None


@pytest.mark.parametrize("recipient, diagnostic", [(SAM, "552 5.2.1 not for 'quoted words'"), (NORA, "550 5.2.1 gone away")])
def test_what_bounces_later_is_in_the_ledger_and_told_once(scene, recipient, diagnostic):
    post = send(scene, recipient)
    row(scene, post, recipient, "delivered")
    before = len(reports(scene))
    sender = scene.sink.of(recipient)[-1].sender
    assert sender.startswith("outbound-bounces+") and sender.endswith("@lists.example.org")
    bounce(scene, sender, diagnostic)
    failed = row(scene, post, recipient, "failed")
    assert failed["attempts"][-1]["outcome"] == "bounced" and "5.2.1" in failed["attempts"][-1]["replyText"]
    wait_until(lambda: len(reports(scene)) == before + 1, "the report")
    text = report_text(reports(scene)[-1])
    assert recipient in text and "5.2.1" in text and diagnostic[10:] not in text
    # Again, and one that nobody's key has made: nothing more is said or counted.
    bounce(scene, sender, diagnostic)
    bounce(scene, "outbound-bounces+" + "a" * 24 + "@lists.example.org", diagnostic)
    send(scene, SAM)  # comes behind them
    assert len(reports(scene)) == before + 1
    counts = next(item for item in scene.site.cli("post", "list", OUT)["items"] if item["id"] == post)
    assert (counts["delivered"], counts["failed"]) == (0, 1)


def test_another_organisation_keeps_the_author_as_envelope_sender(scene):
    scene.site.cli("domain", "add", "lists.other.example")
    other = "outbound@lists.other.example"
    scene.make_list(other, [], ladder="smime,pickup")
    scene.site.cli("relay", "add", "127.0.0.2", "clinic.example", other)
    with smtplib.SMTP("127.0.0.1", scene.site.smtp_port, source_address=("127.0.0.2", 0)) as client:
        client.sendmail("cid@clinic.example", [SAM], make_message("cid@clinic.example", SAM, f"Secure: {WORD}", CANARY))
    wait_until(lambda: any(mail.sender == "cid@clinic.example" for mail in scene.sink.of(SAM)), "the copy")
