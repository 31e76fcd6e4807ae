"""Attack 10, downgrade of TLS, with real processes: DNSSEC and DANE, MTA-STS and its web servers, mail servers that
remember all they heard. First every server proves itself and gets its copies; then each is attacked in its own way and
hears nothing; then the attacks end and what waited arrives."""
import json
import os
import re
import time

import pytest

from conftest import Stage
from sitekit import files_with, make_message, swaks, wait_until
from tlsworld import PLAIN, SIGNED, TlsWorld, only_tls10

SECURE, OPEN = "board@lists.example", "open@lists.example"
ANN = "ann@example.org"
CANARY = "Rotkehlchen-" + os.urandom(6).hex()

# Each attack with what the ledger has to say of it.
DANE_ATTACKS = {"strip": r"STARTTLS.*demanded by DANE", "match": r"demanded by DANE", "bogus": r"cannot be validated",
                "old": r"demanded by DANE"}
STS_ATTACKS = {"mx": r"MTA-STS policy of sts-mx.* does not allow", "strip": r"STARTTLS.*demanded by MTA-STS",
               "name": r"ostname mismatch.*demanded by MTA-STS", "expired": r"expired.*demanded by MTA-STS",
               "self": r"self-signed.*demanded by MTA-STS", "old": r"demanded by MTA-STS"}
DANE = {f"dane-{name}.{SIGNED}": reason for name, reason in DANE_ATTACKS.items()}
STS = {f"sts-{name}.{PLAIN}": reason for name, reason in STS_ATTACKS.items()}
ATTACKED = {**DANE, **STS}


@pytest.fixture
def world(tmp_path):
    made = TlsWorld(tmp_path / "world")
    yield made
    made.stop()


def set_up(world):
    """All servers as their domains mean them."""
    digests = {}
    for domain in ATTACKED:
        label, zone = domain.split(".", 1)
        # The server of a policy is of another name than the domain, so that the policy alone proves it.
        server = world.servers.get(domain) or world.domain(label, zone, f"mx-{label}.{zone}" if zone == PLAIN else None)
        server.strips = False
        server.context, digest = world.authority.server(server.name, self_signed=domain in DANE)
        digests[domain] = digest
        if domain in DANE:
            world.tlsa(server, digest, label)
        else:
            world.sts(domain, "enforce", server.name)
    world.forge = []
    world.publish()
    return digests


def attack(world, digests):
    dane, sts = (lambda name: f"dane-{name}.{SIGNED}"), (lambda name: f"sts-{name}.{PLAIN}")
    server = world.servers
    server[dane("strip")].strips = server[sts("strip")].strips = True
    server[dane("match")].context, _ = world.authority.server(server[dane("match")].name)  # trusted, yet not the one
    only_tls10(server[dane("old")].context)
    only_tls10(server[sts("old")].context)
    other, digest = world.authority.server(server[dane("bogus")].name)
    server[dane("bogus")].context = other
    world.forge = [(digests[dane("bogus")], digest)]  # the signature is of the old record
    world.sts(sts("mx"), "enforce", "mx.elsewhere.test", number=2)
    server[sts("name")].context, _ = world.authority.server("mx.evil.test")
    server[sts("expired")].context, _ = world.authority.server(server[sts("expired")].name, days=(-20, -10))
    server[sts("self")].context, _ = world.authority.server(server[sts("self")].name, self_signed=True)
    world.publish()
    for one in server.values():
        one.heard.clear()
        one.mails.clear()


def post(stage, to, body):
    code, dialogue = swaks(stage.site.smtp_port, ANN, [to], make_message(f"Ann <{ANN}>", to, "Plan", body))
    assert code == 0, dialogue


def rows(stage, to, number):
    posts = sorted(item["id"] for item in stage.site.cli("post", "list", to)["items"])
    if len(posts) <= number:
        return {}
    return {row["address"].split("@")[1]: row for row in stage.site.cli("trace", str(posts[number]))["recipients"]}


def probe(stage, domain):
    done = stage.site.run_cli("--json", "probe", domain)
    return json.loads(done.stdout)


def test_10_a_copy_that_needs_verified_tls_never_leaves_with_less_whatever_is_attacked(make_stage, world):
    digests = set_up(world)
    stage = make_stage(world.settings())
    stage.site.start()
    stage.site.cli("domain", "add", "lists.example")
    stage.site.cli("route", "add", "example.org", "127.0.0.1", "--port", str(stage.sink.port))
    people = [stage.person(ANN, "rsa")] + [stage.person(f"otto@{domain}") for domain in ATTACKED]
    stage.make_list(SECURE, people, ladder="smime,tls")
    stage.make_list(OPEN, people, secure=False)
    for domain in ATTACKED:
        shown = probe(stage, domain)
        assert shown["known"]["means"] == ("dane" if domain in DANE else "mta-sts"), (domain, shown)
        assert not world.servers[domain].heard_mail()

    post(stage, SECURE, CANARY + "-one")
    for domain in ATTACKED:
        row = wait_until(lambda: (found := rows(stage, SECURE, 0).get(domain)) and found["state"] == "delivered" and found,
                         f"the copy for {domain}")
        assert row["protection"] == "tls" and row["attempts"][-1]["tls"]["verification"] == (
            "dane" if domain in DANE else "mta-sts")
        server = world.servers[domain]
        assert (CANARY + "-one").encode() in server.mails[-1][1] and server.mails[-1][0]
        assert b"REQUIRETLS\r\n" in server.octets()  # for its further way

    attack(world, digests)
    post(stage, SECURE, CANARY + "-two")
    post(stage, OPEN, CANARY + "-open")
    for to in (SECURE, OPEN):  # what a policy demands, it demands of every copy
        for domain, reason in ATTACKED.items():
            row = wait_until(lambda: (found := rows(stage, to, 1 if to == SECURE else 0).get(domain)) and
                             found["state"] == "deferred" and found["attempts"] and found, f"the copy for {domain} waits")
            assert all(re.search(reason, one["replyText"], re.S) for one in row["attempts"]), (domain, row["attempts"])
    for domain in ATTACKED:
        shown = probe(stage, domain)
        assert shown["known"]["means"] == "none", (domain, shown)
    for domain, server in world.servers.items():
        assert not server.heard_mail(), (domain, server.heard)
        assert CANARY.encode() not in server.octets() and b"@" not in server.octets()
    assert not files_with(stage.site.data, CANARY.encode())

    set_up(world)
    for domain in STS:  # the policy of the attack is known for a day: its successor has another number
        world.sts(domain, "enforce", world.servers[domain].name, number=3)
    world.publish()
    stage.site.cli("queue", "retry", "--all")
    for domain in ATTACKED:
        server = world.servers[domain]
        wait_until(lambda: len(server.mails) >= 2, f"what waited for {domain}", 90)
        assert all(encrypted for encrypted, _ in server.mails)
        assert b"MAIL" not in server.octets(encrypted=False) and b"@" not in server.octets(encrypted=False)


def test_what_cannot_prove_a_server_is_never_planned_as_verified_tls(make_stage, world):
    """TLSA records without DNSSEC, a policy that is only tested, and one whose time is over."""
    unsigned = world.domain("tlsa", PLAIN, f"mx-tlsa.{PLAIN}")
    unsigned.context, digest = world.authority.server(unsigned.name, self_signed=True)
    world.tlsa(unsigned, digest, "tlsa", PLAIN)
    for label in ("testing", "over"):
        server = world.domain(label, PLAIN, f"mx-{label}.{PLAIN}")
        server.context, _ = world.authority.server(server.name)
    world.sts(f"testing.{PLAIN}", "testing", "mx.elsewhere.test")
    world.sts(f"over.{PLAIN}", "enforce", f"mx-over.{PLAIN}", max_age=8)
    world.publish()
    stage = make_stage(world.settings())
    stage.site.start()
    stage.site.cli("domain", "add", "lists.example")
    stage.site.cli("route", "add", "example.org", "127.0.0.1", "--port", str(stage.sink.port))
    domains = [f"{label}.{PLAIN}" for label in ("tlsa", "testing", "over")]
    people = [stage.person(ANN, "rsa")] + [stage.person(f"otto@{domain}") for domain in domains]
    shown = probe(stage, f"over.{PLAIN}")
    assert shown["known"]["means"] == "mta-sts" and shown["probe"]["sts"]["mode"] == "enforce"
    world.hosts[f"over.{PLAIN}"].text = None  # nobody answers at the web server any more
    time.sleep(9)  # until it is over; a probe too many would be refused
    assert probe(stage, f"testing.{PLAIN}")["probe"]["sts"]["mode"] == "testing"
    for domain in domains:
        shown = probe(stage, domain)
        assert shown["known"]["means"] == "none", shown
        assert not shown["probe"]["mxSecure"]

    stage.make_list(SECURE, people, ladder="smime,tls")
    stage.make_list(OPEN, people, secure=False)
    post(stage, SECURE, CANARY + "-secure")
    for domain in domains:
        row = wait_until(lambda: rows(stage, SECURE, 0).get(domain), f"the plan for {domain}")
        assert row["protection"] == "withheld", row
    post(stage, OPEN, CANARY + "-open")  # nothing is demanded of it, and TLS is used all the same
    for domain in domains:
        server = world.servers[domain]
        wait_until(lambda: [mail for mail in server.mails if (CANARY + "-open").encode() in mail[1]], f"mail at {domain}")
        assert all(encrypted for encrypted, _ in server.mails)
        assert (CANARY + "-secure").encode() not in server.octets()
