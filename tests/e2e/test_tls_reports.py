"""Reports on TLS (RFC 8460), sent and received, and REQUIRETLS (RFC 8689) through the whole site."""
import base64
import email
import gzip
import json
import time
import re
import ssl
import smtplib
from unittest import mock

import dkim
import pytest

from sitekit import make_message, swaks, wait_until
from tlsworld import PLAIN, SIGNED, TlsWorld

OPEN, SECURE = "open@lists.example", "board@lists.example"
ANN = "ann@example.org"


@pytest.fixture
def world(tmp_path):
    made = TlsWorld(tmp_path / "world")
    yield made
    made.stop()


def site(make_stage, world, **more):
    stage = make_stage({**world.settings(), **more})
    stage.site.start()
    stage.site.cli("domain", "add", "lists.example")
    stage.site.cli("route", "add", "example.org", "127.0.0.1", "--port", str(stage.sink.port))
    return stage


def report_of(content):
    part = next(part for part in email.message_from_bytes(content).walk()
                if part.get_content_type() == "application/tlsrpt+gzip")
    return json.loads(gzip.decompress(part.get_payload(decode=True)))


def test_reports_go_out_once_when_the_day_is_over_also_where_tls_fails(make_stage, world):
    domain = f"sts.{PLAIN}"
    server = world.domain("sts", PLAIN, f"mx-sts.{PLAIN}")
    server.context, _ = world.authority.server(server.name)
    world.sts(domain, "enforce", server.name)
    places = f"mailto:tls@{domain},https://mta-sts.{domain}:{world.https_port}/reports"
    world.records[PLAIN]["rua"] = f'_smtp._tls.{domain}. IN TXT "v=TLSRPTv1; rua={places}"'
    world.publish()
    contact = f"postmaster@{PLAIN}"
    stage = site(make_stage, world, **{"tls_reports.contact": f'"{contact}"',
                                       "smime.revocation_hosts": '"private"'})
    stage.make_list(OPEN, [stage.person(ANN), stage.person(f"otto@{domain}")], secure=False)

    key = stage.site.cli("dkim", "add", PLAIN, "--service", "tlsrpt")
    assert "s=tlsrpt;" in key["record"]
    parts = " ".join(f'"{key["record"][i:i + 255]}"' for i in range(0, len(key["record"]), 255))
    world.records[PLAIN]["dkim"] = f"{key['name']}. IN TXT ( {parts} )"
    world.publish()
    wait_until(lambda: stage.site.cli("dkim", "check")["items"][0]["state"] == "active", "the key is in use")

    def post(subject):
        assert swaks(stage.site.smtp_port, ANN, [OPEN], make_message(ANN, OPEN, subject, subject))[0] == 0

    post("one")
    wait_until(lambda: server.mails, "the post at the domain")
    time.sleep(0.5)  # a connection waits 0.1 s for more mail, and the next post is to begin one of its own
    server.context, _ = world.authority.server("mx.evil.test")
    post("two")
    wait_until(lambda: any("ostname" in (row["lastReply"] or "") for row in stage.site.cli("queue", "list")["items"]),
               "the second waits")
    stage.site.stop()
    server.heard.clear()
    server.mails.clear()
    stage.site.at_offset(26 * 3600)
    stage.site.start()
    posted = world.hosts[domain].posted
    wait_until(lambda: server.mails and posted, "the reports", 60)
    fields, compressed = posted[0]
    assert b"content-type: application/tlsrpt+gzip" in fields.lower()
    for report in (report_of(server.mails[0][1]), json.loads(gzip.decompress(compressed))):
        assert report["contact-info"] == contact
        policy, = report["policies"]
        assert policy["policy"]["policy-type"] == "sts" and policy["policy"]["policy-domain"] == domain
        assert policy["summary"]["total-successful-session-count"] == 1
        assert policy["summary"]["total-failure-session-count"] >= 1
        assert policy["failure-details"][0]["result-type"] == "certificate-host-mismatch"
    message = email.message_from_bytes(server.mails[0][1])
    assert message["TLS-Report-Domain"] == domain and message.get_param("report-type") == "tlsrpt"
    assert message["TLS-Report-Submitter"] == stage.site.host_name
    # RFC 8460 §3: signed, by a key that counts for nothing else.
    raw = server.mails[0][1]
    record = key["record"].encode()
    now = time.time() + 26 * 3600 + 60
    with mock.patch("dkim.time.time", lambda: now):
        assert dkim.verify(raw, dnsfunc=lambda name, timeout=5: record, tlsrpt=True)
        assert not dkim.verify(raw, dnsfunc=lambda name, timeout=5: record)
    assert b"tls-report-domain" in raw.split(b"\r\n\r\n")[0].split(b"h=")[1]

    stage.site.kill("postern-gateway")
    stage.site.wait_ready()
    wait_until(lambda: not list((stage.site.data / "gateway/tls-reports").glob("*.sent")), "the day is done")
    assert len([mail for mail in server.mails if b"tlsrpt" in mail[1]]) == 1 and len(posted) == 1


def test_reports_of_others_are_taken_once_and_shown(make_stage, world):
    world.publish()
    stage = site(make_stage, world)
    report = {"organization-name": "Clinic", "contact-info": "tls@clinic.example", "report-id": "r-1",
              "date-range": {"start-datetime": "2026-11-20T00:00:00Z", "end-datetime": "2026-11-20T23:59:59Z"},
              "policies": [{"policy": {"policy-type": "sts", "policy-domain": domain},
                            "summary": {"total-successful-session-count": 40, "total-failure-session-count": 2},
                            "failure-details": [{"result-type": "certificate-expired", "failed-session-count": 2}]}
                           for domain in ("lists.example", "foreign.example")]}

    def send(content, to="tlsrpt@lists.example"):
        body = base64.encodebytes(content).decode().replace("\n", "\r\n")
        return swaks(stage.site.smtp_port, "noreply@clinic.example", [to],
                     "From: noreply@clinic.example\r\nTo: tlsrpt@lists.example\r\nSubject: Report Domain: lists.example\r\n"
                     "Date: Mon, 02 Mar 2026 10:00:00 +0000\r\nMessage-ID: <r1@clinic.example>\r\nMIME-Version: 1.0\r\n"
                     "Content-Type: multipart/report; report-type=tlsrpt; boundary=b\r\n\r\n--b\r\nContent-Type: "
                     "text/plain\r\n\r\nreport\r\n--b\r\nContent-Type: application/tlsrpt+gzip\r\n"
                     f"Content-Transfer-Encoding: base64\r\n\r\n{body}\r\n--b--\r\n")

    packed = gzip.compress(json.dumps(report).encode())
    bomb = gzip.compress(b'{"a":"' + b"x" * (200 << 20) + b'"}')
    assert send(packed)[0] == 0 and send(packed)[0] == 0  # the second is a repeat
    assert send(bomb)[0] == 0 and send(b"no gzip at all")[0] == 0
    assert send(packed, "tlsrpt@nowhere.example")[0] != 0
    shown = wait_until(lambda: stage.site.cli("tlsrpt", "list")["items"], "the report")
    assert wait_until(lambda: stage.site.cli("status")["gateway"]["waitingAccepted"] == 0, "all is taken") is True
    shown = stage.site.cli("tlsrpt", "list")["items"]
    assert [(one["organization"], one["successful"], one["failed"]) for one in shown] == [("Clinic", 40, 2)]
    whole = stage.site.cli("tlsrpt", "show", str(shown[0]["id"]))
    assert [policy["domain"] for policy in whole["policies"]] == ["lists.example"]  # of ours only
    assert whole["policies"][0]["failures"][0]["type"] == "certificate-expired"
    days = stage.site.cli("tlsrpt", "days", "--days", "400")
    assert days["records"] == [{"domain": "lists.example", "address": "tlsrpt@lists.example",
                                "name": "_smtp._tls.lists.example", "record": "v=TLSRPTv1; rua=mailto:tlsrpt@lists.example"}]
    assert b"Clinic" in stage.site.run_cli("tlsrpt", "list").stdout


class Client(smtplib.SMTP):
    def __init__(self, port):
        super().__init__("127.0.0.1", port)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.ehlo("mail.example.org")
        assert not self.has_extn("requiretls")
        self.starttls(context=context)
        self.ehlo("mail.example.org")


def test_requiretls_is_kept_to_the_next_hop_or_the_copy_fails(make_stage, world):
    promising = world.domain("promising", SIGNED)
    silent = world.domain("silent", SIGNED)
    unproven = world.domain("unproven", SIGNED)
    for server in (promising, silent, unproven):
        server.context, digest = world.authority.server(server.name, self_signed=True)
        world.tlsa(server, digest, server.name) if server is not unproven else None
    silent.extensions = []
    world.publish()
    stage = site(make_stage, world)
    members = [stage.person(f"otto@{label}.{SIGNED}") for label in ("promising", "silent", "unproven")]
    stage.make_list(OPEN, [stage.person(ANN), *members], secure=False)

    with Client(stage.site.smtp_port) as client:
        assert client.has_extn("requiretls")
        client.sendmail(ANN, [OPEN], make_message(ANN, OPEN, "kept", "Dompfaff"), mail_options=["REQUIRETLS"])
    wait_until(lambda: promising.mails, "the copy with the promise")
    assert re.search(rb"MAIL FROM:<[^>]*> .*REQUIRETLS", promising.octets(encrypted=True))
    post, = stage.site.cli("post", "list", OPEN)["items"]

    def row(label):
        return next(r for r in stage.site.cli("trace", str(post["id"]))["recipients"]
                    if r["address"] == f"otto@{label}.{SIGNED}")

    failed = wait_until(lambda: (found := row("silent"))["state"] == "failed" and found, "the copy without the promise")
    assert failed["attempts"][-1]["replyText"].startswith("5.7.30 ")
    waiting = wait_until(lambda: (found := row("unproven"))["state"] == "deferred" and found, "the unproven one waits")
    assert "REQUIRETLS" in waiting["attempts"][-1]["replyText"]
    assert not silent.heard_mail() and not unproven.heard_mail()
    members = stage.site.cli("member", "list", OPEN)["items"]
    assert all(member["state"] == "enabled" for member in members)  # it is no fault of theirs

    # The same list, asked for nothing: all get it.
    assert swaks(stage.site.smtp_port, ANN, [OPEN], make_message(ANN, OPEN, "plain", "Gimpel"))[0] == 0
    for server in (promising, silent, unproven):
        wait_until(lambda: any(b"Gimpel" in mail for _, mail in server.mails), "the second post")


def test_tls_required_no_passes_over_the_domains_policy_for_open_lists_only(make_stage, world):
    broken = world.domain("broken", SIGNED)
    broken.context, digest = world.authority.server(broken.name, self_signed=True)
    world.tlsa(broken, digest, "broken")
    world.publish()
    stage = site(make_stage, world)
    otto = stage.person(f"otto@broken.{SIGNED}")
    stage.make_list(OPEN, [stage.person(ANN), otto], secure=False)
    stage.make_list(SECURE, [stage.person(ANN), otto], ladder="tls")
    assert json.loads(stage.site.run_cli("--json", "probe", f"broken.{SIGNED}").stdout)["known"]["means"] == "dane"
    broken.context, _ = world.authority.server(broken.name, self_signed=True)  # another key than the TLSA record's
    broken.heard.clear()
    for to, body in ((SECURE, "Zilpzalp"), (OPEN, "Fitis")):
        message = make_message(ANN, to, "alert", body, **{"TLS-Required": "No"})
        assert swaks(stage.site.smtp_port, ANN, [to], message)[0] == 0
    wait_until(lambda: broken.mails, "the copy of the open list")
    assert b"Fitis" in broken.mails[0][1] and b"TLS-Required: No" in broken.mails[0][1]
    post = stage.site.cli("post", "list", SECURE)["items"][0]
    wait_until(lambda: any(row["state"] == "deferred" for row in stage.site.cli("trace", str(post["id"]))["recipients"]),
               "the secure copy waits")
    assert b"Zilpzalp" not in broken.octets()
