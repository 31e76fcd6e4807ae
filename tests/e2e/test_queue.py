"""The queue in the hands of an administrator: seen, held, dropped, sent another way, paused and slowed down, while next
hops refuse for now or are dead, and over kill -9."""
import os
import time

import pytest
from sitekit import Refused, Sink, files_with, free_port, make_message, swaks, wait_until
from tlsworld import PLAIN, TlsWorld

LIST = "team@lists.example"
NOT_NOW = "450 4.2.0 not now"
CANARY = "Steinschmaetzer-" + os.urandom(6).hex()


@pytest.fixture
def stage(make_stage):
    made = make_stage({"delivery.first_retry": "1", "delivery.max_retry": "2"}).open()
    made.make_list(LIST, [made.person(a) for a in ("ann@example.org", "bob@example.net", "cat@example.net")], secure=False)
    return made


def post(stage, subject="plans", author="ann@example.org"):
    code, dialogue = swaks(stage.site.smtp_port, author, [LIST], make_message(author, LIST, subject, "text"))
    assert code == 0, dialogue


def queue(stage, *more):
    return stage.site.cli("queue", "list", *more)["items"]


def tried(stage, count=3):
    """All copies, once each has had a reply."""
    return wait_until(lambda: len(rows := queue(stage)) == count and all(row["lastReply"] for row in rows) and rows,
                      "every copy waits with a reply")


def came(sink, address):
    return [m for m in sink.of(address) if m.message.get_content_type() != "multipart/report"]


def restart_by_kill(stage, *programs):
    for program in programs or ("postern-gateway", "postern-listd"):
        stage.site.kill(program)
    time.sleep(1)  # listd notices that the gateway is away
    stage.site.wait_ready()


def test_the_queue_is_seen_by_copy_message_list_and_destination(stage):
    stage.sink.answer = lambda address: NOT_NOW
    post(stage)
    rows = tried(stage)
    assert {row["list"] for row in rows} == {LIST} and {row["state"] for row in rows} <= {"waiting", "active"}
    assert {row["recipient"] for row in queue(stage, "--destination", "example.net")} == {"bob@example.net", "cat@example.net"}
    assert queue(stage, "--list", "other@lists.example") == [] and queue(stage, "--older-than", "1h") == []
    page = stage.site.cli("queue", "list", "--limit", "2")
    assert len(page["items"]) == 2 and len(queue(stage, "--after", page["next"])) == 1
    shown = stage.site.cli("queue", "show", str(rows[0]["id"]))
    assert shown["attemptList"][0]["replyText"].endswith("not now") and "plans" not in str(shown)
    message = stage.site.cli("post", "list", LIST)["items"][0]["queueId"]
    assert len(stage.site.cli("queue", "show", message)["copies"]) == 3
    places = {row["destination"]: row for row in stage.site.cli("queue", "destinations")["items"]}
    assert places["example.net"]["waiting"] + places["example.net"]["active"] == 2
    assert "not now" in places["example.net"]["lastReply"] and places["example.net"]["oldestAt"] > 0


def test_what_was_dropped_or_held_is_not_sent_over_kill_9_and_nothing_held_is_lost(stage):
    stage.sink.answer = lambda address: NOT_NOW
    post(stage)
    by_address = {row["recipient"]: str(row["id"]) for row in tried(stage)}
    with pytest.raises(Refused):
        stage.site.cli("queue", "drop", by_address["bob@example.net"])
    stage.site.cli("queue", "drop", by_address["bob@example.net"], "--reason", "sent by mistake")
    restart_by_kill(stage, "postern-gateway")
    stage.site.cli("queue", "hold", by_address["cat@example.net"])
    restart_by_kill(stage)
    stage.sink.answer = None
    wait_until(lambda: came(stage.sink, "ann@example.org"), "the copy that nobody touched", 60)
    time.sleep(4)  # the longest pause is two seconds
    assert not came(stage.sink, "bob@example.net") and not came(stage.sink, "cat@example.net")
    assert [row["state"] for row in queue(stage)] == ["held"]
    restart_by_kill(stage, "postern-gateway")
    stage.site.cli("queue", "release", by_address["cat@example.net"])
    wait_until(lambda: came(stage.sink, "cat@example.net"), "the released copy", 60)
    assert not came(stage.sink, "bob@example.net")
    newest = str(stage.site.cli("post", "list", LIST)["items"][0]["id"])
    rows = {row["address"]: row for row in stage.site.cli("trace", newest)["recipients"]}
    assert rows["bob@example.net"]["state"] == "dropped"
    assert "dropped by an administrator: sent by mistake" in rows["bob@example.net"]["attempts"][-1]["replyText"]


def test_a_copy_is_sent_to_another_host_while_its_own_is_dead_and_keeps_that_way_over_kill_9(stage):
    other = Sink(stage.site.data / "tls/cert.pem", stage.site.data / "tls/key.pem")
    try:
        stage.site.cli("route", "add", "*", "127.0.0.1", "--port", str(free_port()))
        post(stage)
        rows = tried(stage)
        by_address = {row["recipient"]: str(row["id"]) for row in rows}
        stage.site.cli("queue", "hold", by_address["cat@example.net"])
        for address in ("bob@example.net", "cat@example.net"):
            stage.site.cli("queue", "reroute", by_address[address], f"127.0.0.1:{other.port}")
        wait_until(lambda: came(other, "bob@example.net"), "the copy that went another way", 60)
        restart_by_kill(stage, "postern-gateway")
        assert not came(other, "cat@example.net"), "another way is no release"
        stage.site.cli("queue", "release", by_address["cat@example.net"])
        wait_until(lambda: came(other, "cat@example.net"), "the other copy, released", 60)
        assert not came(other, "ann@example.org")
        assert [row["recipient"] for row in queue(stage)] == ["ann@example.org"]
    finally:
        other.stop()


def test_a_copy_that_needs_verified_tls_is_never_sent_to_a_host_that_does_not_prove_its_domain(make_stage, tmp_path):
    """The attack: somebody with the rights of an administrator sends a secure copy to a server of their own, with a
    certificate that an authority vouches for."""
    world = TlsWorld(tmp_path / "world")
    try:
        real, evil = (world.domain(label, PLAIN, f"mx-{label}.{PLAIN}") for label in ("real", "evil"))
        for server in (real, evil):
            server.context, _ = world.authority.server(server.name)
        domain = f"real.{PLAIN}"
        world.sts(domain, "enforce", real.name)
        world.publish()
        stage = make_stage(world.settings())
        stage.site.start()
        stage.site.cli("domain", "add", "lists.example")
        author = "ann@example.org"
        stage.site.cli("route", "add", "example.org", "127.0.0.1", "--port", str(stage.sink.port))
        people = [stage.person(author, "rsa"), stage.person(f"otto@{domain}")]
        stage.make_list("board@lists.example", people, ladder="smime,tls")
        stage.site.run_cli("--json", "probe", domain)
        real.strips = True
        code, dialogue = swaks(stage.site.smtp_port, author, ["board@lists.example"],
                               make_message(f"Ann <{author}>", "board@lists.example", "Plan", CANARY))
        assert code == 0, dialogue
        row = wait_until(lambda: [row for row in queue(stage) if row["protection"] == "tls" and row["lastReply"]],
                         "the copy waits for its real server")[0]
        answer = stage.site.cli("queue", "reroute", str(row["id"]), f"{evil.name}:{world.mx_port}")
        assert answer["needTls"] == 1
        wait_until(lambda: "does not allow" in queue(stage, "--destination", domain)[0]["lastReply"], "it was to go there")
        evil.context = None
        stage.site.cli("queue", "retry", str(row["id"]))
        time.sleep(3)
        assert not evil.heard_mail() and b"@" not in evil.octets() and not real.mails
        assert not files_with(stage.site.data, CANARY.encode())
        real.strips = False
        stage.site.cli("queue", "reroute", str(row["id"]), "--back")
        wait_until(lambda: real.mails, "the copy at its own server", 60)
        assert CANARY.encode() in real.mails[0][1] and real.mails[0][0]
        assert not evil.heard_mail() and not evil.mails
    finally:
        world.stop()


def test_a_pause_of_one_destination_or_of_all_holds_over_kill_9_and_ends_at_once(stage):
    stage.site.cli("queue", "pause", "example.net")
    post(stage)
    wait_until(lambda: came(stage.sink, "ann@example.org"), "the mail to others")
    restart_by_kill(stage)
    time.sleep(3)
    assert not came(stage.sink, "bob@example.net")
    assert all(row["paused"] for row in queue(stage)) and len(queue(stage)) == 2
    assert any(problem["rule"] == "queue.paused" for problem in stage.site.cli("status")["problems"])
    stage.site.cli("queue", "resume", "example.net")
    wait_until(lambda: came(stage.sink, "bob@example.net") and came(stage.sink, "cat@example.net"), "what was paused", 10)
    stage.site.cli("queue", "pause")
    post(stage, "second")
    time.sleep(2)
    assert len(queue(stage)) == 3
    stage.site.cli("queue", "resume")
    wait_until(lambda: queue(stage) == [], "everything goes on", 10)


def test_a_destination_gets_no_more_messages_a_minute_than_were_set_without_a_restart(stage):
    stage.site.cli("destination", "set", "example.net", "--per-minute", "30", "--connections", "2", "--retry", "2s,4s")
    shown = stage.site.cli("destination", "list")["items"]
    assert shown[0]["perMinute"] == 30 and shown[0]["retry"] == ["2s", "4s"]
    begin = time.monotonic()
    for number in range(3):
        post(stage, f"number {number}")
    wait_until(lambda: len(came(stage.sink, "bob@example.net")) + len(came(stage.sink, "cat@example.net")) == 6, "all six", 30)
    assert time.monotonic() - begin >= 9, "six messages with two seconds between"
    assert len(came(stage.sink, "ann@example.org")) == 3
