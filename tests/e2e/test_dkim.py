"""What Postern signs verifies elsewhere: by dkimpy, by opendkim and by ourselves, sealed and plain, in a DNS of its own."""
import email
import json
import re

import pytest
from authworld import AuthWorld
from sitekit import Refused, make_message, swaks, wait_until
from test_ladder import GnuPg

BOARD, OPEN, STRICT = "board@lists.example", "open@lists.example", "strict@strict.example"
ANN, SAM, OTTO, NORA = "ann@members.example", "sam@members.example", "otto@members.example", "nora@members.example"
HOST = "postern.lists.example"
BOTH = ["ed25519-sha256", "rsa-sha256"]


def publish(world, keys):
    world.publish(records={key["name"]: key["record"] for key in keys})


class Scene:
    def __init__(self, stage, world):
        self.stage, self.site, self.world = stage, stage.site, world
        stage.site.set("web.url", f'"https://localhost:{stage.site.web_port}"')
        world.publish()
        stage.open()
        stage.make_list(BOARD, [stage.person(ANN), stage.person(SAM, "rsa")], ladder="smime,openpgp,pickup")
        self.otto = GnuPg(OTTO, "ed25519", "cv25519")
        for address in (OTTO, NORA):
            self.site.cli("member", "add", BOARD, address)
        self.site.cli("key", "import", OTTO, str(self.otto.public))
        stage.make_list(OPEN, [stage.person(ANN), stage.person(SAM)], secure=False)
        self.site.cli("domain", "add", "strict.example")
        stage.make_list(STRICT, [stage.person(ANN), stage.person(SAM)])
        self.keys = [self.site.cli("dkim", "add", domain, "--kind", kind)
                     for domain in ("lists.example", HOST) for kind in ("rsa", "ed25519")]
        assert {key["state"] for key in self.keys} == {"waiting"}
        self.take_into_use(self.keys)

    def take_into_use(self, keys):
        publish(self.world, keys)
        names = {key["name"] for key in keys}
        wait_until(lambda: {key["state"] for key in self.site.cli("dkim", "check")["items"] if key["name"] in names} ==
                   {"active"}, "the keys are in use", 60)

    def post(self, to, subject="numbers", body="  two  blanks \t\r\n\r\nand an end\r\n\r\n\r\n"):
        code, talk = swaks(self.site.smtp_port, ANN, [to], make_message(ANN, to, subject, body))
        assert code == 0, talk

    def ours(self, raw):
        file = self.world.folder / "ours.eml"
        file.write_bytes(raw)
        done = self.site.run_cli("--json", "mail", "check", str(file), "--ip", "192.0.2.1", "--mail-from", "a@b.example")
        return json.loads(done.stdout)["dkim"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    from conftest import Stage
    world = AuthWorld(tmp_path_factory.mktemp("dns") / "world")
    stage = Stage(tmp_path_factory.mktemp("dkim"), {**world.settings(), "gateway.sender_checks": '"off"'})
    try:
        yield Scene(stage, world)
    finally:
        stage.close()
        world.stop()


def changed(raw):
    """The message with one letter of its body changed."""
    head, body = raw.split(b"\r\n\r\n", 1)
    at = next(i for i in range(len(body) // 2, len(body)) if body[i:i + 1].isalpha())
    return head + b"\r\n\r\n" + body[:at] + (b"A" if body[at:at + 1] != b"A" else b"B") + body[at + 1:]


def assert_signed(scene, raw):
    author = email.utils.parseaddr(email.message_from_bytes(raw)["From"])[1].split("@")[1]
    found = scene.world.dkimpy(raw)
    assert sorted(algorithm for _, algorithm, _ in found) == BOTH and {domain for domain, _, _ in found} == {author}
    assert all(good for _, _, good in found)
    code, text = scene.world.opendkim(raw, "rsa-sha256")
    assert code == 0 and "dkim=pass" in text, text
    assert [one["result"] for one in scene.ours(raw)] == ["pass", "pass"]
    # Each of the three sees a change of the body, and a second Subject or From put above.
    assert not any(good for _, _, good in scene.world.dkimpy(changed(raw)))
    assert "dkim=pass" not in scene.world.opendkim(changed(raw), "rsa-sha256")[1]
    for forged in (changed(raw), b"Subject: another\r\n" + raw, b"From: evil@evil.example\r\n" + raw):
        assert "pass" not in [one["result"] for one in scene.ours(forged)]
    for field in (b"Subject: another\r\n", b"From: evil@evil.example\r\n"):
        assert "dkim=pass" not in scene.world.opendkim(field + raw, "rsa-sha256")[1]


def problems(scene):
    return " ".join(one["what"] for one in scene.site.cli("status")["problems"])


def test_a_list_that_demands_signatures_sends_nothing_before_a_key_is_in_the_dns(scene):
    since = len(scene.stage.sink.received)
    scene.site.cli("dkim", "set", STRICT, "required")
    scene.post(STRICT, "waits")
    wait_until(lambda: "is stuck: this mail must be signed" in problems(scene), "status says why the post waits")
    keys = [scene.site.cli("dkim", "add", "strict.example", "--kind", kind) for kind in ("rsa", "ed25519")]
    scene.site.cli("dkim", "check", "strict.example")
    assert "strict.example does not sign mail yet" in problems(scene)
    assert [mail for mail in scene.stage.sink.received[since:] if b"strict" in mail.raw] == []
    scene.take_into_use(keys)

    def copies():
        return [mail.raw for mail in scene.stage.sink.received[since:] if b"strict" in mail.raw and SAM in mail.recipients]
    assert_signed(scene, wait_until(copies, "the copy that waited", 60)[0])
    assert "must be signed" not in problems(scene)


def test_smime_openpgp_and_pick_up_copies_verify_everywhere(scene):
    since = len(scene.stage.sink.received)
    scene.post(BOARD)
    for address, kind in ((SAM, "pkcs7-mime"), (OTTO, "multipart/encrypted"), (NORA, "")):
        def mine():
            return [mail for mail in scene.stage.sink.received[since:] if address in mail.recipients]
        raw = wait_until(mine, f"a copy for {address}", 60)[-1].raw
        assert kind in email.message_from_bytes(raw)["Content-Type"]
        assert_signed(scene, raw)


def test_plain_copies_of_an_open_list_share_one_signature(scene):
    scene.site.cli("subscription", "set", OPEN, "--one-click", "no")
    since = len(scene.stage.sink.received)
    scene.post(OPEN, "the plain one")
    def copies():
        found = [mail.raw for mail in scene.stage.sink.received[since:] if b"the plain one" in mail.raw]
        return found if len(found) == 2 else None
    one, two = wait_until(copies, "two plain copies", 60)
    assert_signed(scene, one)
    assert re.findall(rb"b=[^;]+\r\n(?=\S)", one)[:2] == re.findall(rb"b=[^;]+\r\n(?=\S)", two)[:2]


def test_reports_to_authors_are_signed_too(scene):
    since = len(scene.stage.sink.received)
    message = make_message("stranger@members.example", BOARD, "hello", "hello")
    swaks(scene.site.smtp_port, "stranger@members.example", [BOARD], message)
    def reports():
        return [mail for mail in scene.stage.sink.received[since:] if "stranger@members.example" in mail.recipients]
    assert_signed(scene, wait_until(reports, "the report to the stranger", 60)[-1].raw)


def test_where_the_next_hop_signs_postern_does_not(scene):
    scene.site.cli("dkim", "set", OPEN, "off")
    since = len(scene.stage.sink.received)
    scene.post(OPEN, "left to the next hop")
    def copies():
        return [mail.raw for mail in scene.stage.sink.received[since:] if b"left to the next hop" in mail.raw]
    assert b"DKIM-Signature" not in wait_until(copies, "a plain copy", 60)[0]
    scene.site.cli("dkim", "set", OPEN, "default")


def test_a_key_is_changed_with_both_records_in_the_dns(scene):
    new = scene.site.cli("dkim", "rotate", "lists.example")["items"]
    assert {key["kind"] for key in new} == {"rsa", "ed25519"}
    publish(scene.world, new)

    def rotated():
        states = {key["selector"]: key["state"] for key in scene.site.cli("dkim", "check", "lists.example")["items"]}
        return {states[key["selector"]] for key in new} == {"active"} and sorted(states.values()).count("former") == 2
    wait_until(rotated, "the new keys are in use", 60)
    since = len(scene.stage.sink.received)
    scene.post(OPEN, "by the new keys")
    def copies():
        return [mail.raw for mail in scene.stage.sink.received[since:] if b"by the new keys" in mail.raw]
    raw = wait_until(copies, "a plain copy", 60)[0]
    assert_signed(scene, raw)
    assert all(f"s={key['selector']};".encode() in raw for key in new)
    former = [key for key in scene.site.cli("dkim", "list", "lists.example")["items"] if key["state"] == "former"]
    del scene.world.records[former[0]["name"]]
    scene.world.publish()
    wait_until(lambda: scene.site.cli("dkim", "check") and any(
        "former key" in one["what"] for one in scene.site.cli("status")["problems"]), "status tells of the lost record", 60)


def test_nothing_is_signed_for_a_domain_that_is_not_ours(scene):
    with pytest.raises(Refused, match="no mail of bank.example"):
        scene.site.cli("dkim", "add", "bank.example")
    text = scene.site.run_cli("dkim", "show", "lists.example", scene.keys[0]["selector"]).stdout.decode()
    assert "As a line of a zone file:" in text and "IN TXT (" in text
    assert max(len(part) for part in re.findall(r'"([^"]*)"', text)) <= 255


def test_an_author_of_our_own_stays_in_from_and_is_signed_for_and_others_do_not(scene):
    kim = "kim@own.example"
    scene.site.cli("domain", "add", "own.example")
    scene.take_into_use([scene.site.cli("dkim", "add", "own.example", "--kind", kind) for kind in ("rsa", "ed25519")])
    scene.site.cli("list", "create", "shown@lists.example", "--author", "own", "--prefix", "[Shown]", "--footer", "bye")
    for person in (ANN, kim, SAM):
        scene.site.cli("member", "add", "shown@lists.example", person)
    since = len(scene.stage.sink.received)
    for author in (kim, ANN):
        code, talk = swaks(scene.site.smtp_port, author, ["shown@lists.example"],
                           make_message(author, "shown@lists.example", "by " + author, "text"))
        assert code == 0, talk

    def copies():
        found = {mail.message["Subject"]: mail.raw for mail in scene.stage.sink.received[since:] if SAM in mail.recipients}
        return found if len(found) == 2 else None
    found = wait_until(copies, "both copies", 60)
    own, other = found["[Shown] by " + kim], found["[Shown] by " + ANN]
    assert email.utils.parseaddr(email.message_from_bytes(own)["From"])[1] == kim
    assert email.utils.parseaddr(email.message_from_bytes(other)["From"])[1] == "shown@lists.example"
    for raw in (own, other):
        assert_signed(scene, raw)
        assert raw.rstrip().endswith(b"-- \r\nbye")
