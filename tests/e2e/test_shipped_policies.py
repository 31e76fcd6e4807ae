"""The shipped policies in real processes: what each refuses, passes and notes on a new site, and what a site can set; mail in
the wrappings that mail comes in (base64, quoted-printable, HTML, other character sets, nested parts, encoded words)."""
import base64
import pathlib
import quopri
import re
from email.header import Header

import pytest
from authworld import AuthWorld
from conftest import Stage
from sitekit import Refused, make_message, swaks, wait_until
from wire import Wire

SOCIAL, BOARD = "social@lists.example", "board@lists.example"
ANN, BEN, PAT = "ann@home.example", "ben@home.example", "pat@partner.example"
HOME, STRANGER = "127.0.0.9", "127.0.0.66"  # of partner.example's SPF record, and of nobody
EVE, CID, DESK = "eve@elsewhere.example", "cid@other.example", "desk@lists.example"
SSN, CARD, AHV = "536-90-4399", "4111 1111 1111 1111", "756.9217.0769.85"


class Scene:
    def __init__(self, stage, world):
        self.stage, self.site = stage, stage.site
        world.publish(records={"partner.example": f"v=spf1 ip4:{HOME} -all", "home.example": "v=spf1 ip4:127.0.0.1 -all"})
        stage.open()
        ben = stage.person(BEN, "p256")
        stage.make_list(SOCIAL, [ben], secure=False, posting="anyone")
        stage.make_list(BOARD, [ben], posting="anyone")
        wait_until(lambda: self.site.cli("policy", "history")["items"], "the set of the folder is taken over")

    def put(self, raw, to=SOCIAL, sender=ANN, *more, tls=True):
        """The reply that ends it: to the content, or to what was refused before."""
        code, talk = swaks(self.site.smtp_port, sender, [to], raw, *more, tls=tls)
        replies = [line[3:].strip() for line in talk.splitlines() if line.startswith(("<", "<~", "<-", "<*"))]
        replies = [line for line in replies if re.match(r"[245]\d\d", line) and not line.startswith("221")]
        bad = " ".join(line for line in replies if line[0] in "45")
        assert (code == 0) == (not bad), talk
        return bad or replies[-1]

    def passes(self, raw, to=SOCIAL, sender=ANN, *more, tls=True):
        reply = self.put(raw, to, sender, *more, tls=tls)
        assert reply.startswith("250"), reply
        return reply

    def refused(self, why, raw, to=SOCIAL, sender=ANN, *more, tls=True):
        reply = self.put(raw, to, sender, *more, tls=tls)
        assert re.search(why, reply), reply
        return reply

    def explained(self, raw, to=SOCIAL, *more):
        """Verdict and notes of the policies, as they judge this message."""
        file = self.stage.folder / "asked.eml"
        file.write_bytes(raw.encode() if isinstance(raw, str) else raw)
        asked = self.site.cli("policy", "explain", str(file), "--rcpt", to, "--mail-from", ANN, *more)
        notes = {note["key"]: note["value"] for hook in asked["hooks"] for step in hook["steps"]
                 for note in step.get("notes", [])}
        return asked["recipients"][0], notes

    def say(self, settings):
        """These settings of the site, in force; without any, the defaults."""
        folder = self.site.data / "policies"
        (folder / "settings.lua").write_text("return {" + settings + "}")
        done = self.site.cli("policy", "reload", "--reason", "for a test")
        assert done["state"] == "in-force" and done.get("atGateway", True), done


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    world = AuthWorld(tmp_path_factory.mktemp("dns") / "world")
    stage = Stage(tmp_path_factory.mktemp("shipped"), world.settings())
    try:
        yield Scene(stage, world)
    finally:
        stage.close()
        world.stop()


def mail(subject="lunch on Friday", body="Bring 5 chairs.", **more):
    return make_message(ANN, SOCIAL, subject, body, **more)


def part(kind, content, encoding="base64", **more):
    """A MIME part, encoded."""
    if encoding == "base64":
        content = base64.encodebytes(content).replace(b"\n", b"\r\n")
    elif encoding == "quoted-printable":
        content = quopri.encodestring(content).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    fields = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in more.items())
    return f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n{fields}\r\n".encode() + content + b"\r\n"


def multipart(*parts, kind="mixed", boundary="b1"):
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + one for one in parts)
    return (f"Content-Type: multipart/{kind}; boundary={boundary}\r\n\r\n".encode() + body
            + b"--" + boundary.encode() + b"--\r\n")


def whole(entity, subject="lunch on Friday"):
    return (f"From: {ANN}\r\nTo: {SOCIAL}\r\nSubject: {subject}\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\n"
            "MIME-Version: 1.0\r\n").encode() + entity


TEXT = part("text/plain; charset=utf-8", b"see the file")


def test_a_new_site_runs_all_of_them_and_takes_ordinary_mail(scene):
    tested = scene.site.cli("policy", "test")
    shipped = {one["name"] for one in tested["check"]["policies"]}
    assert tested["ok"] and len(tested["cases"]) > 600
    folder = pathlib.Path(__file__).parents[2] / "lua-policies"
    assert shipped == {file.stem for file in folder.glob("*.lua")} and len(shipped) == 12
    assert not scene.site.cli("config", "drift")["items"] or all(
        not item["what"].startswith("policy") for item in scene.site.cli("config", "drift")["items"])
    scene.passes(mail("an ordinary letter"))
    scene.passes(mail("an ordinary letter"), BOARD)
    copy = scene.stage.sink.wait(BEN, 2)
    assert any(b"Bring 5 chairs." in one.raw for one in copy)


def test_marks_and_slips_in_the_mark(scene):
    scene.refused(r"550[- ]5\.7\.1.*marks this message as secure", mail("Secure: the budget"))
    scene.refused(r"550[- ]5\.7\.1.*write Secure: \(with the colon\)", mail("Secured: the budget"))
    scene.refused("write Secure:", mail(Header("[Verschlüsselt] [encrypted] das Budget", "utf-8").encode()))
    scene.passes(mail("a secured loan"))
    scene.passes(mail("Secure: the budget"), BOARD)


EXE = b"MZ" + bytes(200)


@pytest.mark.parametrize("fields", [
    {"Content_Disposition": 'attachment; filename="setup.exe"'},
    {"Content_Disposition": 'attachment; filename="report.pdf                      .SCR"'},
    {"Content_Disposition": "attachment; filename*=utf-8''setup%E2%80%8B.e%C2%ADxe"},
    {"Content_Disposition": "attachment; filename*0=\"set\"; filename*1=\"up.e\"; filename*2=\"xe\""},
    {"Content_Disposition": "attachment; filename=\"=?utf-8?B?" + base64.b64encode("Übung.exe".encode()).decode() + "?=\""},
    {"Content_Disposition": 'inline; filename="setup.exe."'},
], ids=lambda fields: fields["Content_Disposition"][:40])
def test_programs_do_not_come_under_any_name(scene, fields):
    program = part("application/octet-stream", EXE, **fields)
    scene.refused(r"550[- ]5\.7\.1.*(files of the type)", whole(multipart(TEXT, program)))
    nested = multipart(TEXT, multipart(TEXT, program, boundary="b2"))
    scene.refused("files of the type", whole(nested))


def test_other_attachments_come_and_turned_names_do_not(scene):
    pdf = part("application/pdf", b"%PDF-1.4", Content_Disposition='attachment; filename="report.exe.pdf"')
    scene.passes(whole(multipart(TEXT, pdf), "a report"))
    turned = part("application/pdf", b"%PDF", Content_Disposition="attachment; filename*=utf-8''report%E2%80%AEfdp.exe")
    scene.refused("turn the direction", whole(multipart(TEXT, turned)))
    typed = part("application/x-msdownload; name=x.pdf", EXE)
    scene.refused("application/x-msdownload", whole(multipart(TEXT, typed)))


def test_circles_and_machines(scene):
    scene.refused("has been here before", mail(List_Id=f"<{SOCIAL.replace('@', '.')}>"))
    scene.refused("a machine sends", mail("Re: lunch", Auto_Submitted="auto-replied"))
    scene.passes(mail(List_Id="<another.example.net>", Auto_Submitted="no"))


def wrappings(secret):
    """The secret as mail programs wrap it."""
    plain = secret.encode()
    html = b"<p>My number is <b>" + plain[:5] + b"</b><i></i>" + plain[5:] + b"</p>"
    return {
        "as it is": mail(body=f"my number: {secret}").encode(),
        "in the subject": mail(f"my number: {secret}").encode(),
        "in an encoded subject": mail(Header(f"Nümmer {secret}", "utf-8").encode()).encode(),
        "base64": whole(part("text/plain", b"my number: " + plain)),
        "quoted-printable, a soft line end within": whole(
            b"Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nmy: "
            + plain[:4] + b"=\r\n" + plain[4:] + b"\r\n"),
        "UTF-16": whole(part("text/plain; charset=utf-16le", f"my number: {secret}".encode("utf-16le"))),
        "HTML alone, marks within": whole(part("text/html; charset=utf-8", html)),
        "HTML entities": whole(part("text/html", "".join(f"&#{ord(c)};" for c in secret).encode(), "7bit")),
        "HTML of two alternatives": whole(multipart(TEXT, part("text/html", html, "quoted-printable"), kind="alternative")),
        "deep inside": whole(multipart(TEXT, multipart(TEXT, multipart(TEXT, part("text/plain", plain), boundary="b3"),
                                                       boundary="b2"))),
        "full-width digits": mail(body=secret.translate({48 + i: 0xFF10 + i for i in range(10)})).encode(),
        "signs between that cannot be seen": mail(body="\u200b".join(secret)).encode(),
    }


def test_sensitive_mail_is_noted_on_a_new_site_and_passes(scene):
    for name, raw in wrappings(SSN).items():
        verdict, notes = scene.explained(raw)
        assert verdict["verdict"] == "pass" and notes["sensitive"] == "Social Security numbers", name
    verdict, notes = scene.explained(mail(body=f"{CARD} and {AHV}"))
    assert notes["sensitive"] == "national ids, card numbers"
    assert "sensitive" not in scene.explained(mail(body="Call +1 555 010 4477 about order 112-1234567-1234567."))[1]
    scene.passes(mail("noted only", f"my number is {SSN}"))
    log = scene.site.log.read_bytes()
    assert SSN.encode() not in log


def test_sensitive_mail_is_refused_for_open_lists_by_setting(scene):
    scene.site.cli("policy", "set-add", "sensitive_words", "blue herring")
    scene.site.cli("policy", "set-add", "sensitive_words", "red herring")
    scene.say("sensitive_content = { only_note = false }")
    try:
        for secret, what in ((SSN, "Social Security numbers"), (CARD, "card numbers"), (AHV, "national ids")):
            for name, raw in wrappings(secret).items():
                verdict, _ = scene.explained(raw)
                assert verdict["verdict"] == "reject" and what in verdict["text"], (name, secret)
        # At the door, too.
        chosen = wrappings(CARD)
        for name in ("base64", "HTML of two alternatives", "in an encoded subject"):
            reply = scene.refused(r"550[- ]5\.7\.1.*seems to hold card numbers", chosen[name])
            assert CARD not in reply
        scene.refused("sensitive words", mail("herrings", "a BLUE-herring and a réd herring"))
        scene.passes(mail("herrings", "two blue herrings, a blue herring"))
        scene.passes(mail("a parcel", "9400 1000 0000 0000 0000 00"))
        # A secure list takes it, sealed.
        scene.passes(chosen["as it is"], BOARD)

        def arrived():
            sealed = [one.raw for one in scene.stage.sink.of(BEN) if b"pkcs7-mime" in one.raw]
            return [raw for raw in sealed if CARD.encode() in scene.stage.people[BEN].decrypt(raw)]
        wait_until(arrived, "the sealed copy arrives")
        assert not [one for one in scene.stage.sink.of(BEN) if CARD.encode() in one.raw]
    finally:
        scene.say("")
    scene.passes(chosen["base64"])


def test_limits_of_size_and_rate(scene):
    scene.say('size_limits = { open_list_bytes = 3000, secure_list_bytes = 9000 }, '
              'rate_limits = { sender_posts = 2, seconds = 3600 }')
    try:
        large = mail("large", "a long letter\r\n" * 400)
        scene.refused("at most 3000", large, SOCIAL, "one@home.example")
        with Wire(scene.site.smtp_port) as wire:
            assert wire.say(b"EHLO mail.home.example\r\n")[0] == 250
            assert wire.say(b"MAIL FROM:<one@home.example> SIZE=5000\r\n")[0] == 250
            assert wire.say(f"RCPT TO:<{SOCIAL}>\r\n".encode())[0] == 552
            assert wire.say(f"RCPT TO:<{BOARD}>\r\n".encode())[0] == 250
        scene.passes(large, BOARD, "two@home.example")
        for _ in range(2):
            scene.passes(mail(), SOCIAL, "cat@home.example")
        reply = scene.refused(r"451[- ]4\.7\.1.*at most 2 in 3600 seconds", mail(), SOCIAL, "Cat+x@home.example")
        assert reply.count("451") >= 1
        scene.passes(mail(), BOARD, "cat@home.example")
        scene.passes(mail(), SOCIAL, "dan@home.example")
    finally:
        scene.say("")
    scene.passes(mail(), SOCIAL, "cat@home.example")


def test_tls_is_required_of_whom_the_site_names(scene):
    scene.say('tls_required = { senders = { "bank.example" } }')
    try:
        scene.refused(r"550[- ]5\.7\.10.*came with no TLS", mail(), SOCIAL, "a@mail.bank.example", tls=False)
        scene.passes(mail(), SOCIAL, "a@mail.bank.example")
        scene.passes(mail(), SOCIAL, ANN, tls=False)
        forged = mail().replace(f"From: {ANN}", "From: a@bank.example")
        scene.refused("came with no TLS", forged, SOCIAL, "x@other.example", tls=False)
    finally:
        scene.say("")


def test_old_servers_are_noted_then_late_then_refused(scene):
    scene.site.cli("policy", "set-add", "legacy_servers", "old.example.org")
    raw = "Received: from a by old.example.org with ESMTP; Mon, 02 Mar 2026 10:00:00 +0000\r\n" + mail()
    verdict, notes = scene.explained(raw)
    assert verdict["verdict"] == "pass" and notes["legacy-server"] == "old.example.org"
    scene.passes(raw)
    scene.say('legacy_server = { brownout = 3600 }')
    try:
        scene.refused(r"451[- ]4\.7\.1.*late on purpose", mail(), SOCIAL, ANN, "--ehlo", "old.example.org")
        scene.passes(mail(), SOCIAL, ANN, "--ehlo", "old.example.org")
        scene.say('legacy_server = { refuse = true, instead = "smtp.example.org" }')
        scene.refused(r"550[- ]5\.7\.1.*Use smtp\.example\.org", mail(), SOCIAL, ANN, "--ehlo", "OLD.example.org")
        scene.refused("no longer in use", raw)
        scene.passes(mail())
    finally:
        scene.say("")
        scene.site.cli("policy", "set-remove", "legacy_servers", "old.example.org")


def test_secure_lists_can_be_for_trusted_domains_alone(scene):
    scene.site.cli("policy", "set-add", "trusted_domains", "partner.example")
    scene.say("trusted_domains = { secure_lists = true }")
    letter = make_message(PAT, BOARD, "numbers", "of the year")
    strange = make_message("eve@stranger.example", BOARD, "numbers", "of the year")
    try:
        scene.passes(letter, BOARD, PAT, "--local-interface", HOME)
        scene.refused(r"5\.7\.1.*works with only", strange, BOARD, "eve@stranger.example", "--local-interface", HOME)
        scene.refused("works with only", letter, BOARD, PAT, "--local-interface", STRANGER)
        scene.refused(r"or better only\. Use STARTTLS", letter, BOARD, PAT, "--local-interface", HOME, tls=False)
        scene.passes(strange, SOCIAL, "eve@stranger.example", "--local-interface", HOME)
        scene.site.cli("policy", "set-remove", "trusted_domains", "partner.example")
        scene.refused("works with only", letter, BOARD, PAT, "--local-interface", HOME)
    finally:
        scene.say("")


def test_members_outside_get_more_protection_by_setting(scene):
    people = [scene.stage.person(BEN, "p256"), scene.stage.person(PAT), scene.stage.person(EVE, "p256"),
              scene.stage.person(CID)]
    scene.stage.make_list(DESK, people, ladder="pickup,smime", posting="anyone")
    scene.site.cli("policy", "set-add", "internal_domains", "home.example")
    scene.site.cli("policy", "set-add", "trusted_domains", "partner.example")

    def protections(subject="numbers"):
        known = {post["id"] for post in scene.site.cli("post", "list", DESK)["items"]}
        scene.passes(make_message(ANN, DESK, subject, "of the year"), DESK)

        def done():
            return [post for post in scene.site.cli("post", "list", DESK)["items"]
                    if post["id"] not in known and post["state"] == "done"]
        post = wait_until(done, "the post is done")[0]
        rows = scene.site.cli("trace", str(post["id"]))["recipients"]
        return {row["address"]: row["protection"] for row in rows}

    assert protections() == {BEN: "pickup", PAT: "pickup", EVE: "pickup", CID: "pickup"}
    scene.say('external_members = { marked = "smime" }')
    try:
        assert protections() == {BEN: "pickup", PAT: "pickup", EVE: "pickup", CID: "pickup"}
        assert protections("Secure: numbers") == {BEN: "pickup", PAT: "pickup", EVE: "smime", CID: "withheld"}
        scene.say('external_members = { high = "smime", trusted = false }')
        assert protections() == {BEN: "pickup", PAT: "withheld", EVE: "smime", CID: "withheld"}
    finally:
        scene.say("")


def test_settings_that_are_wrong_never_come_into_force(scene):
    folder = scene.site.data / "policies"
    (folder / "settings.lua").write_text("return { rate_limits = { list_post = 1 } }")
    with pytest.raises(Refused):
        scene.site.cli("policy", "reload", "--reason", "a slip of the pen")
    scene.say("")
    scene.passes(mail())
