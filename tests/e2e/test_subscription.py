"""Joining and leaving lists by real mail with DKIM, by pages, and by one click (attack 17), through the real programs."""
import os
import re
import time

import pytest
from authworld import AuthWorld, Signer
from recipient import Recipient
from sitekit import Refused, make_message, swaks, wait_until

OPEN, SECURE, HIDDEN = "news@lists.example", "board@lists.example", "quiet@lists.example"
ANN, BEA, CEM, DAN, EVE = (f"{name}@members.example" for name in ("ann", "bea", "cem", "dan", "eve"))


class Scene:
    def __init__(self, stage, world):
        self.stage, self.site, self.sink = stage, stage.site, stage.sink
        self.members = Signer(world, "members.example")
        world.publish(records={"members.example": "v=spf1 -all", "_dmarc.members.example": "v=DMARC1; p=reject",
                               "evil.example": "v=spf1 -all"})
        stage.site.set("web.url", f'"https://localhost:{stage.site.web_port}"')
        stage.open()
        stage.make_list(OPEN, [], secure=False)
        stage.make_list(HIDDEN, [], secure=False)
        stage.make_list(SECURE, [])
        self.site.cli("subscription", "set", OPEN, "--advertised", "yes")

    def send(self, sender, to, subject="hello", body="hello", sign=True, **fields):
        """Mail of a person with its DKIM signature; when it was sent."""
        since = time.time()
        raw = make_message(sender, to, subject, body, **fields)
        code, talk = swaks(self.site.smtp_port, sender, [to], self.members.sign(raw) if sign else raw)
        assert code == 0, talk
        return since

    def answer(self, address, since):
        return self.sink.wait(address, since=since)[0]

    def link(self, address, page, since):
        """The link to a page in a mail since then, whatever other mail came meanwhile."""
        return wait_until(lambda: next(filter(None, (link_of(m, page) for m in self.sink.of(address, since))), None),
                          f"a mail to {address} with a link to the page {page}")

    def copy(self, address, subject):
        """The copy of a post, whatever other mail came meanwhile."""
        def found():
            return [m for m in self.sink.of(address) if subject in m.message["Subject"]]
        wait_until(found, f"the copy for {address}")
        return found()[0]

    def members_of(self, address):
        return {member["address"] for member in self.site.cli("member", "list", address)["items"]}


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    from conftest import Stage
    world = AuthWorld(tmp_path_factory.mktemp("dns") / "world")
    stage = Stage(tmp_path_factory.mktemp("joining"), {**world.settings()})
    try:
        yield Scene(stage, world)
    finally:
        stage.close()
        world.stop()


def link_of(received, page="confirm"):
    text = "".join(p.get_content() for p in received.message.walk() if p.get_content_type() == "text/plain")
    found = re.search(rf"https://\S+/lists/{page}\?token=\S+", text)
    return found and found.group(0)


def test_join_and_leave_by_mail_and_by_answers_to_it(scene):
    since = scene.send(ANN, "news-join@lists.example")
    mail = scene.answer(ANN, since)
    assert mail.message["Auto-Submitted"] == "auto-generated" and OPEN in mail.message.get_content()
    answers_to = mail.message["Reply-To"].strip("<>")
    assert answers_to.startswith("news-confirm+")
    # A vacation responder answers the same address, and confirms nothing.
    since = scene.send(ANN, answers_to, "Out of office", "Back soon.", **{"Auto-Submitted": "auto-replied"})
    scene.send(EVE, answers_to, "Re: Please confirm", "yes")
    scene.send("gil@members.example", "news-request@lists.example", "help")
    scene.answer("gil@members.example", since)  # handled behind the others
    assert ANN not in scene.members_of(OPEN) and EVE not in scene.members_of(OPEN)
    since = scene.send(ANN, answers_to, "Re: " + mail.message["Subject"], "yes, please")
    wait_until(lambda: ANN in scene.members_of(OPEN), "ann is on the list")
    assert "on a mailing list now" in scene.answer(ANN, since).message["Subject"]


def test_who_is_not_proven_gets_no_answer(scene):
    since = scene.send("zoe@evil.example", "news-join@lists.example", sign=False)
    scene.send(BEA, "news-request@lists.example", "help")
    scene.answer(BEA, since)  # handled behind the other one
    assert not scene.sink.of("zoe@evil.example", since)


def test_a_secure_list_asks_the_mailbox_then_an_owner_and_scanners_change_nothing(scene):
    since = scene.send(CEM, "board-request@lists.example", "", "subscribe\r\nend\r\n")
    link = scene.link(CEM, "confirm", since)
    visitor = Recipient(scene.site)
    for _ in range(3):  # a mail scanner follows the link
        page = visitor.get(link)
        assert page.status == 200 and CEM in page.text and "Join this list?" in page.text
    assert scene.site.cli("subscription", "list")["items"] == []
    done = visitor.send(page, "/lists/confirm")
    assert "decide now" in done.text
    waiting = scene.site.cli("subscription", "list")["items"]
    assert [(one["address"], one["list"]) for one in waiting] == [(CEM, SECURE)]
    assert CEM not in scene.members_of(SECURE)
    again = visitor.ask("POST", "/lists/confirm", {"token": link.split("token=")[1]})
    assert again.status == 403  # without the token of the form
    since = time.time()
    scene.site.cli("subscription", "decide", waiting[0]["id"], "refuse", "--reason", "Only for the board.")
    refused = scene.answer(CEM, since)
    assert "Only for the board" not in refused.message.get_content()
    assert "Only for the board." in visitor.get(link_of(refused)).text


def test_pages_say_the_same_of_everybody_and_show_advertised_lists_alone(scene):
    visitor = Recipient(scene.site)
    index = visitor.get("/lists/")
    assert OPEN in index.text and HIDDEN not in index.text and SECURE not in index.text
    page = visitor.get(f"/lists/{OPEN}/subscribe")
    texts = []
    for address in (ANN, DAN):
        for action in ("join", "leave", "member"):
            answer = visitor.ask("POST", f"/lists/{OPEN}/subscribe", {
                "csrf": re.search(r'name="csrf" value="([^"]+)"', page.text).group(1), "action": action, "address": address})
            assert answer.status == 200
            texts.append(re.sub(r"\d\d:\d\d:\d\d", "", answer.text))
    assert len(set(texts)) == 1


def test_one_click_leaves_and_forged_tokens_do_not(scene):
    scene.site.cli("member", "add", OPEN, DAN)
    scene.site.cli("member", "add", OPEN, BEA)
    subject = "numbers " + os.urandom(4).hex()
    scene.send(DAN, OPEN, subject, "of the year")
    copies = {who: scene.copy(who, subject) for who in (DAN, BEA)}
    links = {}
    for who, copy in copies.items():
        field = re.sub(r"\s+", " ", copy.message["List-Unsubscribe"])
        links[who] = re.search(r"<(https://[^>]+/lists/unsubscribe\?token=[a-z2-7]{24})>", field).group(1)
        assert "<mailto:news-leave@lists.example>" in field
        assert copy.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert links[DAN] != links[BEA]
    visitor = Recipient(scene.site)
    assert "Leave this list?" in visitor.get(links[BEA]).text  # a scanner
    path = links[BEA][links[BEA].index("/lists/"):]
    forged = path[:-1] + ("a" if path[-1] != "a" else "b")
    assert Recipient(scene.site).ask("POST", forged, {"List-Unsubscribe": "One-Click"}).status == 410
    assert Recipient(scene.site).ask("POST", path, {"x": "y"}).status == 403
    assert BEA in scene.members_of(OPEN)
    assert Recipient(scene.site).ask("POST", path, {"List-Unsubscribe": "One-Click"}).status == 200
    assert BEA not in scene.members_of(OPEN) and DAN in scene.members_of(OPEN)


def test_members_pause_and_get_no_copies_meanwhile(scene):
    scene.site.cli("member", "add", HIDDEN, ANN)
    scene.site.cli("member", "add", HIDDEN, DAN)
    since = scene.send(DAN, "quiet-request@lists.example", "set")
    link = scene.link(DAN, "membership", since)
    visitor = Recipient(scene.site)
    page = visitor.get(link)
    assert "Gets" not in page.text and "Each message as it comes" in page.text
    assert "Your settings were saved" in visitor.send(page, "/lists/membership", delivery="none").text
    subject = "who reads " + os.urandom(4).hex()
    since = scene.send(DAN, HIDDEN, subject)
    scene.copy(ANN, subject)
    assert not scene.sink.of(DAN, since)


def test_a_flood_of_joins_gives_each_victim_one_mail(scene):
    since = time.time()
    for _ in range(5):
        scene.send("vic@members.example", "quiet-join@lists.example")
    scene.send("last@members.example", "quiet-join@lists.example")
    scene.answer("last@members.example", since)
    assert len(scene.sink.of("vic@members.example", since)) == 1


def test_bans_and_the_report_of_an_import(scene, tmp_path):
    scene.site.cli("ban", "add", "@spam.example", "--list", OPEN, "--reason", "spam")
    file = tmp_path / "people.csv"
    file.write_text(f"address,name\nfay@members.example,Fay\n{ANN},Ann\nx@sub.spam.example,X\nnobody\n")
    report = scene.site.cli("member", "import", OPEN, str(file), "--dry-run")
    assert [row["outcome"] for row in report["rows"]] == ["added", "already", "banned", "bad-address"]
    assert "fay@members.example" not in scene.members_of(OPEN)
    assert scene.site.cli("member", "import", OPEN, str(file))["added"] == 1
    assert "fay@members.example" in scene.members_of(OPEN)


def test_mail_about_a_list_is_in_the_language_of_the_list(scene):
    scene.stage.make_list("schach@lists.example", [], secure=False)
    assert scene.site.cli("list", "set", "schach@lists.example", "--language", "de")["language"] == "de"
    since = scene.send(DAN, "schach-join@lists.example")
    mail = scene.answer(DAN, since)
    assert mail.message["Subject"] == "Bitte bestätigen: eine Mailingliste"
    assert "Waren Sie es nicht" in mail.message.get_content()
    since = scene.send(DAN, mail.message["Reply-To"].strip("<>"), "AW: " + mail.message["Subject"], "ja, bitte")
    wait_until(lambda: DAN in scene.members_of("schach@lists.example"), "dan is on the list")
    assert scene.answer(DAN, since).message["Subject"] == "Sie sind jetzt auf einer Mailingliste"
    with pytest.raises(Refused, match="invalid"):
        scene.site.cli("list", "set", "schach@lists.example", "--language", "tlh")
    assert scene.site.cli("list", "set", "schach@lists.example", "--language", "site")["language"] == ""
