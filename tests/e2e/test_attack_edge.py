"""Attacks on the edge, octet by octet (attacks 2, 7, 8, 9, 14, 16, 19 and 20): what comes in, what goes out, and what it
costs; beside each the same mail made legitimate."""
import os
import pathlib
import tempfile
import time

import pytest
from conftest import Stage
from sitekit import Refused, make_message, swaks, wait_until
from wire import Wire, WireServer, wait_for

ANN, BOB, OPEN = "ann@example.org", "bob@example.net", "open@lists.example"
HEAD = (f"From: {ANN}\r\nTo: {OPEN}\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\n"
        "MIME-Version: 1.0\r\n").encode()
PLAIN = b"Content-Type: text/plain\r\n"


@pytest.fixture(scope="module")
def scene():
    with tempfile.TemporaryDirectory(prefix="postern-e2e-") as folder:
        stage = Stage(folder, {"gateway.max_message_size": str(8 << 20)}).open()
        stage.make_list(OPEN, [stage.person(BOB)], secure=False, posting="anyone")
        yield stage
        stage.close()


def hello(scene):
    wire = Wire(scene.site.smtp_port)
    assert wire.say(b"EHLO mail.example.org\r\n")[0] == 250
    return wire


def envelope(wire, to=OPEN, sender=ANN, more=b""):
    assert wire.say(b"MAIL FROM:<" + sender.encode() + b">" + more + b"\r\n")[0] == 250
    assert wire.say(b"RCPT TO:<" + to.encode() + b">\r\n")[0] == 250


def post(scene, message, pieces=None):
    """The reply to the content."""
    with hello(scene) as wire:
        envelope(wire)
        assert wire.say(b"DATA\r\n")[0] == 354
        wire.send(message + b"\r\n.\r\n", pieces)
        return wire.reply()


def subject_of(mails):
    return [mail.message["Subject"] for mail in mails]


def arrives(scene, mark):
    scene.sink.wait(BOB)
    wait_until(lambda: [m for m in scene.sink.of(BOB) if mark in m.raw], f"{mark} arrives")


# Attack 2 beyond the cases of lua-policies/secure_tag.lua: what only octets on the wire can say.
TAGGED = {
    "folded behind the name": b"Subject:\r\n Secure: x",
    "folded before the colon": b"Subject: Secure\r\n : x",
    "a blank line in the fold": b"Subject: \r\n \r\n Secure: x",
    "encoded word, Q": b"Subject: =?utf-8?q?Secure=3A?= x",
    "encoded word, B": b"Subject: =?UTF-8?B?U2VjdXJlOiB4?=",
    "split over two encoded words": b"Subject: =?utf-8?q?Sec?= =?utf-8?q?ure=3A_x?=",
    "split over lines": b"Subject: =?utf-8?q?Sec?=\r\n =?utf-8?q?ure=3A_x?=",
    "UTF-16": b"Subject: =?utf-16?b?/v8AUwBlAGMAdQByAGUAOgAgAHg=?=",
    "UTF-7": b"Subject: =?utf-7?q?Secure+ADo-_x?=",
    "EBCDIC": b"Subject: =?cp037?q?=E2=85=83=A4=99=85z=40=A7?=",
    "encoded word with a language": b"Subject: =?utf-8*en?q?Secure=3A_x?=",
    "an unknown charset": b"Subject: =?x-nothing?q?Secure=3A_x?=",
    "encoded word within a word": b"Subject: Sec=?utf-8?q?ure?=: x",
    "blank before the colon of the field": b"Subject : Secure: x",
    "two subjects": b"Subject: lunch\r\nSubject: Secure: x",
    "two subjects, the other first": b"Subject: Secure: x\r\nsUBJECT: lunch",
    "raw 8 bit": b"Subject: S\xe9cure: x",
    "a NUL": b"Subject: Sec\x00ure: x",
    "a vertical tab": b"Subject: Secure\x0b: x",
}


@pytest.mark.parametrize("name", TAGGED)
def test_2_no_writing_of_a_marked_subject_reaches_an_open_list(scene, name):
    mark = os.urandom(6).hex().encode()
    code, text = post(scene, HEAD + PLAIN + TAGGED[name] + b"\r\n\r\n" + mark + b"\r\n")
    assert 500 <= code < 600, text
    assert not [m for m in scene.sink.received if mark in m.raw]


def test_2_an_ordinary_subject_reaches_it_however_it_is_written(scene):
    for number, subject in enumerate((b"Subject:\r\n =?utf-8?q?Lunch_on_Fri?=\r\n =?utf-8?q?day?=", b"Subject: secure lunch")):
        mark = f"fair-{number}-{os.urandom(4).hex()}".encode()
        assert post(scene, HEAD + PLAIN + subject + b"\r\n\r\n" + mark + b"\r\n")[0] == 250
        arrives(scene, mark)


ENDS = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n.\r", b"\r\n\x00.\r\n", b"\r\n.\x00\r\n", b"\r\r\n.\r\r\n",
        b"\n\n.\n\n", b"\r\n..\r\n", b"\r\n. \r\n"]


def smuggled(end, mark):
    """A content with what some servers take for its end, and a transaction behind it."""
    return (HEAD + PLAIN + b"Subject: outer\r\n\r\nouter " + mark + end + b"MAIL FROM:<" + ANN.encode() + b">\r\nRCPT TO:<" +
            OPEN.encode() + b">\r\nDATA\r\n" + HEAD + b"Subject: smuggled " + mark + b"\r\n\r\ninner\r\n")


@pytest.mark.parametrize("pieces", [None, 1, 7])
@pytest.mark.parametrize("padding", [0, 65536])
def test_7_only_crlf_dot_crlf_ends_a_message(scene, pieces, padding):
    since = time.time()
    fill = (b"x" * 70 + b"\r\n") * (padding // 72)
    for end in ENDS:
        mark = os.urandom(6).hex().encode()
        message = smuggled(end, mark).replace(b"\r\n\r\nouter", b"\r\n\r\n" + fill + b"outer", 1)
        with hello(scene) as wire:
            envelope(wire)
            assert wire.say(b"DATA\r\n")[0] == 354
            wire.send(message[:-200], None)
            wire.send(message[-200:] + b"\r\n.\r\n", pieces)
            code, text = wire.reply()
            harmless = end in (b"\r\n..\r\n", b"\r\n. \r\n")
            assert (code == 250) if harmless else (500 <= code < 600), (end, text)
            assert wire.silent(), end  # nothing of the inner transaction was answered
            assert wire.say(b"NOOP\r\n")[0] == 250
        if harmless:
            arrives(scene, mark)
    assert not [s for s in subject_of(scene.sink.of(BOB, since)) if s.startswith("smuggled")]


def test_7_nothing_is_smuggled_around_bdat_or_behind_a_message_that_is_too_big(scene):
    since = time.time()
    mark = os.urandom(6).hex().encode()
    message = smuggled(b"\r\n.\r\n", mark)
    with hello(scene) as wire:
        envelope(wire)
        code, text = wire.say(b"BDAT %d LAST\r\n" % len(message) + message)
        assert code == 250 and wire.silent(), text  # the dot is content there
    arrives(scene, mark)
    with hello(scene) as wire:
        envelope(wire)
        wire.send(b"DATA\r\n")
        assert wire.reply()[0] == 354
        wire.send(b"x" * 70 + b"\r\n")
        for _ in range(9 << 4):  # 9 MiB with a limit of 8
            wire.send((b"y" * 1022 + b"\r\n") * 64)
        wire.send(message.replace(b"\r\n.\r\n", b"\n.\r\n") + b"\r\n.\r\n")
        assert wire.reply()[0] in (550, 552) and wire.silent()
        assert wire.say(b"NOOP\r\n")[0] == 250
    assert not [s for s in subject_of(scene.sink.of(BOB, since)) if s.startswith("smuggled")]


def test_8_whatever_the_content_the_wire_shows_whole_lines_and_one_message(scene):
    server = WireServer(["8BITMIME"])
    raw = "raw@raw.example"
    try:
        scene.site.cli("route", "add", "raw.example", "127.0.0.1", "--port", str(server.port), "--tls", "opportunistic")
        scene.site.cli("member", "add", OPEN, raw)
        bodies = [b"..", b".", b".\r\n.", b"a\r\n.\r\nb".replace(b"\r\n.", b"\r\n..").replace(b"....", b".."), b"QUIT\r\nRSET\r\n",
                  b"x" * 998, b"\xc3\xa9" * 400, b" trailing \t", b"From ann\r\n>From bob"]
        for body in bodies:
            stuffed = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in body.split(b"\r\n"))
            assert post(scene, HEAD + PLAIN + b"Subject: raw\r\n\r\n" + stuffed + b"\r\n")[0] == 250
        assert wait_for(lambda: len(server.contents()) >= len(bodies)), server.sessions
        for content in server.contents():
            lines = content.split(b"\r\n")
            assert not any(b"\r" in line or b"\n" in line or b"\0" in line or len(line) > 999 for line in lines)
            assert not any(line == b"." for line in lines)
            head = content.split(b"\r\n\r\n", 1)[0]
            assert head.lower().count(b"\nsubject:") == 1 and head.lower().count(b"\nto:") == 1
        commands = [line for heard in server.sessions for line in bytes(heard).split(b"\r\n") if line.startswith(b"RCPT")]
        assert {line.split(b" ")[1] for line in commands} == {b"TO:<" + raw.encode() + b">"}
    finally:
        scene.site.cli("member", "remove", OPEN, raw)
        server.stop()


def test_9_what_was_sent_before_tls_is_neither_answered_nor_used_behind_it(scene):
    with hello(scene) as wire:
        code, _ = wire.say(b"STARTTLS\r\nMAIL FROM:<" + ANN.encode() + b">\r\nRCPT TO:<" + OPEN.encode() + b">\r\n")
        if code == 220:
            wire.tls()
            assert wire.silent()
            assert wire.say(b"EHLO mail.example.org\r\n")[0] == 250
            assert wire.say(b"RCPT TO:<" + OPEN.encode() + b">\r\n")[0] == 503  # no MAIL was taken over
        else:
            assert code >= 500 or code == 0
    with hello(scene) as wire:  # and as it ought to be
        assert wire.say(b"STARTTLS\r\n")[0] == 220
        wire.tls()
        assert wire.say(b"MAIL FROM:<" + ANN.encode() + b">\r\n")[0] == 503  # the hello before TLS is forgotten
        assert wire.say(b"EHLO mail.example.org\r\n")[0] == 250


def test_9_a_next_hop_that_answers_before_tls_gets_nothing(scene):
    server = WireServer(["STARTTLS"], after_starttls=b"250-injected\r\n250 AUTH PLAIN\r\n")
    member = "nell@inject.example"
    try:
        scene.site.cli("route", "add", "inject.example", "127.0.0.1", "--port", str(server.port), "--tls", "verified")
        scene.site.cli("member", "add", OPEN, member)
        mark = os.urandom(6).hex().encode()
        assert post(scene, HEAD + PLAIN + b"Subject: nine\r\n\r\n" + mark + b"\r\n")[0] == 250
        wait_until(lambda: [c for c in scene.site.cli("queue", "list")["items"] if c["recipient"] == member and c["lastReply"]], "it waits")
        assert server.sessions and not any(mark in heard or b"MAIL" in heard for heard in server.sessions)
    finally:
        scene.site.cli("member", "remove", OPEN, member)
        server.stop()


INJECTED = "x\r\nBcc: thief@evil.example"


def test_14_names_and_texts_add_no_field_and_no_recipient(scene):
    since = time.time()
    cli = scene.site.cli
    for command in (("list", "create", "x\r\nBcc@lists.example"), ("list", "create", "a b@lists.example"),
                    ("member", "add", OPEN, f"{BOB}\r\nRCPT TO:<thief@evil.example>"),
                    ("route", "add", "evil.example\r\n", "127.0.0.1"), ("domain", "add", "evil\r\n.example")):
        with pytest.raises(Refused):
            cli(*command)
    for option in ("--title", "--description"):
        try:
            cli("list", "set", OPEN, option, INJECTED)
        except Refused:
            pass
    mark = os.urandom(6).hex().encode()
    assert post(scene, HEAD + PLAIN + b"Subject: fourteen\r\n\r\n" + mark + b"\r\n")[0] == 250
    arrives(scene, mark)
    for mail in scene.sink.of(BOB, since):
        assert mail.message["Bcc"] is None and mail.recipients == [BOB]


def test_16_a_post_that_was_here_before_ends_and_automatic_mail_gets_no_answer(scene):
    since = time.time()
    with pytest.raises(Refused):
        scene.site.cli("member", "add", OPEN, OPEN)
    mark = os.urandom(6).hex().encode()
    assert post(scene, HEAD + PLAIN + b"Subject: once\r\n\r\n" + mark + b"\r\n")[0] == 250
    arrives(scene, mark)
    copy = [m for m in scene.sink.of(BOB) if mark in m.raw][0]
    received = b"".join(b"Received: from a by b with SMTP; Mon, 02 Mar 2026 10:00:00 +0000\r\n" for _ in range(101))
    automatic = {
        "the copy, sent back": copy.raw, "a hundred hops": received + HEAD + PLAIN + b"Subject: far\r\n\r\n" + mark + b"\r\n",
        "vacation": HEAD + PLAIN + b"Subject: away\r\nAuto-Submitted: auto-replied\r\n\r\n" + mark + b"\r\n",
        "bulk": HEAD + PLAIN + b"Subject: bulk\r\nPrecedence: bulk\r\n\r\n" + mark + b"\r\n"}
    for name, message in automatic.items():
        post(scene, message.rstrip(b"\r\n") + b"\r\n")
    with hello(scene) as wire:
        wire.say(b"MAIL FROM:<>\r\n")
        if wire.say(b"RCPT TO:<" + OPEN.encode() + b">\r\n")[0] == 250 and wire.say(b"DATA\r\n")[0] == 354:
            wire.say(HEAD + PLAIN + b"Subject: nobody\r\n\r\n" + mark + b"\r\n.\r\n")
    control = os.urandom(6).hex().encode()
    assert post(scene, HEAD + PLAIN + b"Subject: control\r\n\r\n" + control + b"\r\n")[0] == 250
    arrives(scene, control)
    wait_until(lambda: all(p["state"] != "sending" for p in scene.site.cli("post", "list", OPEN)["items"]), "all are judged")
    assert len([m for m in scene.sink.of(BOB, since) if mark in m.raw]) == 1
    assert [m.recipients for m in scene.sink.received if m.at >= since and BOB not in m.recipients] == []  # no answer to anybody


def parts(*bodies, boundary=b"b"):
    return b"".join(b"--" + boundary + b"\r\n" + body + b"\r\n" for body in bodies) + b"--" + boundary + b"--\r\n"


AMBIGUOUS = {
    "two types": b"Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + parts(b"\r\nx"),
    "two types within": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
                        parts(b"Content-Type: text/plain\r\nContent-type: application/x-msdownload\r\n\r\nMZ"),
    "two encodings": PLAIN + b"Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit\r\n\r\neA==\r\n",
    "an encoding nobody knows": PLAIN + b"Content-Transfer-Encoding: rot13\r\n\r\nx\r\n",
    "an encoded multipart": b"Content-Transfer-Encoding: base64\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + parts(b"\r\nx"),
    "no boundary": b"Content-Type: multipart/mixed\r\n\r\n" + parts(b"\r\nx"),
    "two boundaries": b"Content-Type: multipart/mixed; boundary=b; boundary=c\r\n\r\n" + parts(b"\r\nx"),
    "a boundary in two writings": b"Content-Type: multipart/mixed; boundary=b; boundary*0=c\r\n\r\n" + parts(b"\r\nx"),
    "a boundary within a comment": b"Content-Type: multipart/mixed; boundary=b(c)\r\n\r\n" + parts(b"\r\nx"),
    "a boundary too long": b"Content-Type: multipart/mixed; boundary=" + b"b" * 71 + b"\r\n\r\n" + parts(b"\r\nx", boundary=b"b" * 71),
    "never closed": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n",
    "the same boundary within": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
                                parts(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + parts(b"\r\nx")),
    "two From": b"From: eve@evil.example\r\n" + PLAIN + b"\r\nx\r\n",
    "two To and Date": b"Date: Tue, 03 Mar 2026 10:00:00 +0000\r\n" + PLAIN + b"\r\nx\r\n",
    "a header line that is none": b"this is no field\r\n" + PLAIN + b"\r\nx\r\n",
    "a blank before the colon": b"Content-Type : multipart/mixed; boundary=b\r\n\r\n" + parts(b"\r\nx"),
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_19_what_two_readers_could_understand_differently_is_refused_with_what_it_is(scene, name):
    code, text = post(scene, HEAD + b"Subject: nineteen\r\n" + AMBIGUOUS[name])
    assert 550 <= code <= 554 and len(text) > 30, (code, text)


def test_19_ordinary_mime_passes(scene):
    mark = os.urandom(6).hex().encode()
    inner = b"Content-Type: multipart/alternative; boundary=inner\r\n\r\n" + parts(PLAIN + b"\r\nx", b"Content-Type: text/html\r\n\r\n<b>", boundary=b"inner")
    assert post(scene, HEAD + b"Subject: fair\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n" +
                parts(inner, b"Content-Type: text/plain; name*=utf-8''%C3%A9\r\nContent-Transfer-Encoding: base64\r\n\r\neA==", PLAIN + b"\r\n" + mark))[0] == 250
    arrives(scene, mark)


def resident(scene):
    """Resident memory of all processes of the site, in MiB."""
    pages = sum(int((pathlib.Path("/proc") / str(pid) / "statm").read_text().split()[1]) for pid in scene.site.pids().values())
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def nested(depth):
    opened = b"".join(b"--%d\r\nContent-Type: multipart/mixed; boundary=%d\r\n\r\n" % (n - 1, n) for n in range(1, depth))
    closed = b"".join(b"--%d--\r\n" % n for n in reversed(range(depth)))
    return b"Content-Type: multipart/mixed; boundary=0\r\n\r\n" + opened + b"--%d\r\n\r\nx\r\n" % (depth - 1) + closed


BOMBS = {
    "100,000 fields": PLAIN + b"".join(b"X-%d: y\r\n" % n for n in range(100_000)) + b"\r\nx\r\n",
    "a field of 1 MiB in lines": PLAIN + b"X-Long: " + b"y" * 900 + b"\r\n " * 1 + b"\r\n ".join([b"y" * 900] * 1100) + b"\r\n\r\nx\r\n",
    "a line of 1 MiB": PLAIN + b"\r\n" + b"x" * (1 << 20) + b"\r\n",
    "10,000 parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + parts(*[b"\r\nx"] * 10_000),
    "depth 5,000": nested(5_000),
    "50,000 addresses": b"Cc: " + b",\r\n ".join(b"u%d@example.com" % n for n in range(50_000)) + b"\r\n" + PLAIN + b"\r\nx\r\n",
    "50,000 parameters": b"Content-Type: text/plain" + b"".join(b";\r\n p%d=x" % n for n in range(50_000)) + b"\r\n\r\nx\r\n",
    "encoded words without end": b"Subject: " + b"\r\n ".join([b"=?utf-8?q?x?="] * 50_000) + b"\r\n" + PLAIN + b"\r\nx\r\n",
    "brackets in an address": b"Cc: " + b"\r\n ".join([b"(" * 500] * 500) + b"\r\n" + PLAIN + b"\r\nx\r\n",
    "6 MiB of dots": PLAIN + b"\r\n" + b"..\r\n" * 1_500_000,
}


def cpu(scene):
    """CPU seconds used by all processes of the site so far."""
    ticks = 0
    for pid in scene.site.pids().values():
        fields = (pathlib.Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("name", BOMBS)
def test_20_a_bomb_costs_little_and_other_mail_goes_on(scene, name):
    memory, used = resident(scene), cpu(scene)
    code, text = post(scene, HEAD + b"Subject: bomb\r\n".replace(b"Subject: bomb\r\n", b"" if b"Subject" in BOMBS[name][:20] else b"Subject: bomb\r\n") + BOMBS[name])
    assert code == 250 or 500 <= code < 600, text
    mark = os.urandom(6).hex().encode()
    assert post(scene, HEAD + PLAIN + b"Subject: after\r\n\r\n" + mark + b"\r\n")[0] == 250
    arrives(scene, mark)
    assert cpu(scene) - used < 12 and resident(scene) - memory < 200


def test_20_a_declared_size_binds(scene):
    with hello(scene) as wire:
        assert wire.say(f"MAIL FROM:<{ANN}> SIZE=99999999999\r\n".encode())[0] == 552
        envelope(wire, more=b" SIZE=1")
        assert wire.say(b"DATA\r\n")[0] == 354
        memory = resident(scene)
        try:
            for _ in range(200):
                wire.send((b"y" * 1022 + b"\r\n") * 1024)
            wire.send(b"\r\n.\r\n")
            assert wire.reply()[0] in (0, 421, 552)
        except OSError:
            pass  # cut off in between is an answer too
        assert resident(scene) - memory < 100
    mark = os.urandom(6).hex().encode()
    code, _ = swaks(scene.site.smtp_port, ANN, [OPEN], make_message(ANN, OPEN, "after", mark.decode()))
    assert code == 0
    arrives(scene, mark)
