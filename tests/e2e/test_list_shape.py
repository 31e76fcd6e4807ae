"""How posts look: prefix, footer, where answers go and an anonymous list, as a reader's own programs see it."""
import email
import email.policy
import time

from sitekit import Refused, make_message, swaks

import pytest

ANN, BOB = "ann@example.org", "bob@example.net"
SECURE, OPEN = "quiet@lists.example", "club@lists.example"


@pytest.fixture(scope="module")
def scene(stage):
    people = [stage.person(ANN, "rsa"), stage.person(BOB, "p256")]
    stage.make_list(SECURE, people, author="nobody", prefix="[Quiet]", footer="Answers go to the list.")
    stage.make_list(OPEN, people, secure=False, prefix="[Club]", footer="See you there.\nThe board")
    stage.site.cli("list", "set", OPEN, "--reply-to", "both")
    return stage


def copy_for_bob(scene, to, subject, body, **more):
    since = time.time()
    code, talk = swaks(scene.site.smtp_port, ANN, [to], make_message(ANN, to, subject, body, **more))
    assert code == 0, talk
    return scene.sink.wait(BOB, since=since)[0]


def test_an_open_copy_has_prefix_footer_and_both_addresses_for_answers(scene):
    copy = copy_for_bob(scene, OPEN, "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "hello", Reply_To="elsewhere@example.com").message
    assert copy["Subject"] == "[Club] Grüße"
    text = copy.get_content().replace("\r", "")
    assert text.startswith("hello\n") and text.endswith("\n\n-- \nSee you there.\nThe board\n")
    assert [a.addr_spec for a in copy["Reply-To"].addresses] == [ANN, OPEN]
    again = copy_for_bob(scene, OPEN, "Re: [Club] =?utf-8?q?Gr=C3=BC=C3=9Fe?=", "hello").message
    assert again["Subject"] == "Re: [Club] Grüße"


def test_a_secure_anonymous_copy_shows_its_reader_everything_but_the_author(scene):
    copy = copy_for_bob(scene, SECURE, "Secure: vote", "I say no.", Organization="Ann's")
    assert copy.message["Subject"] == "[...]" and ANN.encode() not in copy.raw and b"Quiet" not in copy.raw
    text = scene.people[BOB].read(copy.raw)
    assert b"Subject: [Quiet] Secure: vote" in text and b"I say no." in text and b"Answers go to the list." in text
    assert ANN.encode() not in text and b"Ann" not in text.replace(b"Answers", b"")


def test_settings_that_would_hurt_are_refused_with_what_to_do(scene):
    for list_, option, value, words in ((OPEN, "--prefix", "[Secure: club]", "mark of secure mail"),
                                        (OPEN, "--prefix", "a\r\nBcc: x@y.example", "one line"),
                                        (OPEN, "--footer", "x" * 3000, "2000 octets"),
                                        (SECURE, "--author", "own", "signs its copies itself")):
        with pytest.raises(Refused) as refused:
            scene.site.cli("list", "set", list_, option, value)
        assert words in refused.value.error, refused.value.error
    assert scene.site.cli("list", "show", OPEN)["subjectPrefix"] == "[Club]"
