"""What goes wrong outside Postern: full disks, dead next hops. Clear answers, nothing half-stored, nothing lost."""
import os
import pathlib
import smtplib
import socket
import subprocess

import pytest
from sitekit import files_with, make_message, swaks, wait_until

LIST = "team@lists.example"
CANARY = "Wendehals-3b7e"


def submit(stage, subject="hello", body="text", to=LIST):
    return swaks(stage.site.smtp_port, "ann@example.org", [to], make_message("ann@example.org", to, subject, body))


def test_below_the_reserve_of_free_space_mail_is_deferred_with_452_and_nothing_is_stored(make_stage):
    stage = make_stage({"gateway.min_free_space": str(1 << 49)})
    stage.open()
    stage.make_list(LIST, [stage.person("ann@example.org", "p256")])
    code, dialogue = submit(stage, "Secure: x", CANARY)
    assert code != 0 and " 452 4.3.1 " in dialogue, dialogue
    assert stage.site.cli("post", "list", LIST)["items"] == []
    assert files_with(stage.site.data, CANARY.encode()) == []
    assert stage.site.cli("status")["problems"], "status says nothing of the disk"


def fill(path):
    """Fills the file system of the path to the last byte."""
    with open(path, "wb", buffering=0) as file:
        size = 1 << 20
        while size:
            try:
                file.write(b"\0" * size)
            except OSError:
                size //= 2


def test_on_a_disk_that_is_really_full_mail_is_deferred_and_goes_through_once_there_is_room(make_stage):
    stage = make_stage({"gateway.min_free_space": "0"})
    disk = stage.folder / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "none", disk]).returncode != 0:
        pytest.fail("this test mounts a tmpfs: run as root")
    try:
        subprocess.run(["cp", "-a", f"{stage.site.data}/.", disk / "site"], check=True)
        stage.site.data = disk / "site"
        stage.site.log = stage.folder / "postern.log"
        stage.open()
        stage.make_list(LIST, [stage.person("ann@example.org", "p256"), stage.person("bob@example.org", "p256")])
        assert submit(stage, "Secure: before", "first")[0] == 0
        stage.sink.wait("bob@example.org")
        fill(disk / "filler")
        refused = 0
        for number in range(30):
            code, dialogue = submit(stage, "Secure: full", f"{CANARY}\r\n" + ("x" * 76 + "\r\n") * 2600)
            if code == 0:
                continue  # room that was reserved before
            assert " 452 4.3.1 " in dialogue or " 451 4.3.0 " in dialogue, dialogue
            refused += 1
        assert refused > 0, "the disk never got full"
        (disk / "filler").unlink()
        wait_until(lambda: submit(stage, "Secure: after", "second")[0] == 0, "mail is taken again", 60)

        def after_came():
            return [m for m in stage.sink.of("bob@example.org") if m.message.get_content_type() == "application/pkcs7-mime"
                    and b"second" in stage.people["bob@example.org"].read(m.raw)]

        wait_until(after_came, "the post after the full disk", 60)
        assert files_with(disk, CANARY.encode()) == []
    finally:
        stage.site.stop()
        subprocess.run(["umount", "-l", disk])


def test_a_dead_next_hop_is_tried_again_and_the_mail_arrives_when_it_is_back(make_stage):
    stage = make_stage({"delivery.first_retry": "1", "delivery.max_retry": "1"}).open()
    stage.make_list(LIST, [stage.person("ann@example.org", "rsa")])
    stage.sink.answer = lambda address: "451 4.3.0 come back later"
    assert submit(stage, "Secure: patience", CANARY)[0] == 0
    entry = wait_until(lambda: stage.site.cli("queue", "list")["items"], "the copy waits")[0]
    wait_until(lambda: "come back later" in stage.site.cli("queue", "list")["items"][0]["lastReply"], "its last reply")
    assert CANARY not in str(entry)
    stage.sink.answer = None
    copy = stage.sink.wait("ann@example.org")[0]
    assert CANARY.encode() in stage.people["ann@example.org"].read(copy.raw)
    newest = str(stage.site.cli("post", "list", LIST)["items"][0]["id"])
    wait_until(lambda: stage.site.cli("trace", newest)["recipients"][0]["state"] == "delivered", "the ledger")
    outcomes = [a["outcome"] for a in stage.site.cli("trace", newest)["recipients"][0]["attempts"]]
    assert outcomes[-1] == "delivered" and "deferred" in outcomes


def test_a_copy_that_expires_is_reported_to_the_author_without_content(make_stage):
    stage = make_stage({"delivery.first_retry": "1", "delivery.max_retry": "1", "delivery.expiry": "3"}).open()
    stage.make_list(LIST, [stage.person("ann@example.org", "rsa"), stage.person("bob@example.net", "rsa")])
    stage.sink.answer = lambda address: "450 4.2.0 not now" if address == "bob@example.net" else "250 OK"
    assert submit(stage, "Secure: hurry", CANARY)[0] == 0

    def report():
        return [m for m in stage.sink.of("ann@example.org") if m.message.get_content_type() == "multipart/report"]

    message = wait_until(report, "the report", 60)[0]
    assert CANARY.encode() not in message.raw and b"hurry" not in message.raw and b"bob@example.net" not in message.raw
    assert b"team@lists.example" in message.raw
    newest = str(stage.site.cli("post", "list", LIST)["items"][0]["id"])
    states = {r["address"]: r["state"] for r in stage.site.cli("trace", newest)["recipients"]}
    assert states == {"ann@example.org": "delivered", "bob@example.net": "expired"}, states


def test_copies_can_be_held_released_and_dropped(make_stage):
    stage = make_stage().open()
    stage.make_list(LIST, [stage.person("ann@example.org", "rsa"), stage.person("bob@example.net", "rsa")])
    stage.sink.answer = lambda address: "450 4.2.0 not now"
    assert submit(stage, "Secure: queue", CANARY)[0] == 0
    wait_until(lambda: len(stage.site.cli("queue", "list")["items"]) == 2, "both copies wait")
    assert stage.site.cli("queue", "hold", "--all")["changed"] == 2
    stage.sink.answer = None
    first = str(stage.site.cli("queue", "list")["items"][0]["id"])
    assert stage.site.cli("queue", "show", first)["state"] == "held"
    assert stage.site.cli("queue", "drop", first, "--reason", "not wanted")["changed"] == 1
    assert not stage.sink.received
    assert stage.site.cli("queue", "release", "--all")["changed"] == 1
    wait_until(lambda: len([m for m in stage.sink.received if m.message.get_content_type() != "multipart/report"]) == 1,
               "the released copy")


def test_a_policy_that_breaks_defers_and_never_lets_mail_pass(make_stage):
    stage = make_stage()
    policy = stage.site.data / "policies/aaa_broken.lua"
    policy.write_text('return {name = "aaa_broken", doc = "Breaks.", hooks = {message = function() error("broken") end},'
                      ' cases = {}}')
    stage.open()
    stage.make_list(LIST, [stage.person("ann@example.org", "rsa")])
    code, dialogue = submit(stage, "Secure: x", CANARY)
    assert code != 0 and " 451 4.7.0 " in dialogue, dialogue
    assert stage.site.cli("post", "list", LIST)["items"] == []


def test_a_thousand_idle_connections_do_not_stop_the_next_client(make_stage):
    stage = make_stage({"gateway.max_connections_per_client": "2000"}).open()
    stage.make_list(LIST, [stage.person("ann@example.org", "rsa")])
    idle = [socket.create_connection(("127.0.0.1", stage.site.smtp_port), 10) for _ in range(1000)]
    try:
        with smtplib.SMTP("127.0.0.1", stage.site.smtp_port, timeout=5) as client:
            client.sendmail("ann@example.org", [LIST], make_message("ann@example.org", LIST, "Secure: busy", CANARY))
        stage.sink.wait("ann@example.org")
        assert stage.site.cli("status")["gateway"]["sessions"] >= 1000
    finally:
        for connection in idle:
            connection.close()


def test_the_certificate_is_taken_anew_when_its_file_changes(make_stage):
    stage = make_stage().open()

    def serial():
        shown = subprocess.run(["openssl", "s_client", "-starttls", "smtp", "-connect",
                                f"127.0.0.1:{stage.site.smtp_port}"], input=b"", capture_output=True).stdout
        return subprocess.run(["openssl", "x509", "-noout", "-serial"], input=shown, capture_output=True).stdout

    before = serial()
    assert before.startswith(b"serial=")
    tls = pathlib.Path(stage.site.data) / "tls"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    tls / "new.key", "-out", tls / "new.crt", "-days", "10", "-subj", "/CN=new"], check=True,
                   capture_output=True)
    os.replace(tls / "new.key", tls / "key.pem")
    os.replace(tls / "new.crt", tls / "cert.pem")
    wait_until(lambda: serial() not in (before, b""), "the new certificate", 15)
