"""Delivery reports against what really happened: a Postfix on both sides, four recipients with four fates."""
import base64
import csv
import datetime
import email
import email.policy
import json
import re
import socket
import struct
import subprocess
import tempfile

import pytest
from conftest import Stage
from postfix import Postfix
from sitekit import Refused, make_message, wait_until
from test_verified_tls import certificate

BOARD = "board@lists.example"
ANN, CID, DORA, PAT = "ann@example.org", "cid@example.org", "dora@example.org", "pat@pick.example"
CANARY, SUBJECT = "Heckenbraunelle-83b1", "Wacholderdrossel-19aa"
PASSWORD = "four plain words here"


def order(site, name, **arguments):
    """An order as the pages of pick-up give it for a visitor."""
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(site.data / "listd/web.sock"))
        frame = json.dumps({"order": name, "actor": {"kind": "system", "name": ""},
                            "args": {"client": "192.0.2.1", "agent": "test", **arguments}}).encode()
        link.sendall(struct.pack(">I", len(frame)) + frame)
        stream = link.makefile("rb")
        answer = json.loads(stream.read(struct.unpack(">I", stream.read(4))[0]))
    assert answer["ok"], answer
    return answer["result"]


def rows_of(report):
    return {row["recipient"]: row for row in (dict(zip(report["columns"], cells)) for cells in report["rows"])}


def read_at_the_page(stage):
    text = stage.sink.wait(PAT)[-1].message.get_body(("plain",)).get_content()
    token = re.search(r"token=(\S+)", text).group(1)
    session = order(stage.site, "pickup.open", token=token)["session"]
    session = order(stage.site, "pickup.set-up", session=session, password=PASSWORD)["session"]
    message = order(stage.site, "pickup.inbox", session=session)["items"][0]["id"]
    assert CANARY in order(stage.site, "pickup.read", session=session, id=message)["text"]


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    trusted = certificate(folder, "trusted")
    with tempfile.TemporaryDirectory(prefix="postern-e2e-") as place:
        stage = Stage(place, {"delivery.trust_anchors": json.dumps(trusted[0])}).open()
        postfix = Postfix(stage.site.smtp_port, *trusted).start()
        try:
            stage.site.cli("route", "add", "example.org", "127.0.0.1", "--port", str(postfix.port))
            stage.make_list(BOARD, [stage.person(ANN, "rsa"), stage.person(CID), stage.person(DORA), stage.person(PAT)],
                            ladder="smime,tls,pickup")
            stage.site.cli("member", "set", BOARD, DORA, "--wish", "smime")
            wait_until(lambda: {"smime", "tls", "pickup", "withheld"} == {
                g["protection"] for g in stage.site.cli("list", "plan", BOARD)["counts"]}, "what the members can have")
            postfix.send(ANN, [BOARD], make_message(f"Ann <{ANN}>", BOARD, SUBJECT, CANARY))
            post = wait_until(lambda: stage.site.cli("post", "list", BOARD)["items"], "the post")[0]
            trace = lambda: stage.site.cli("trace", str(post["id"]))["recipients"]  # noqa: E731
            wait_until(lambda: [r["state"] for r in trace()].count("delivered") == 3, "the copies are out")
            read_at_the_page(stage)
            report = stage.site.cli("report", "delivery", "--post", str(post["id"]))
            yield stage, postfix, post, report
        finally:
            postfix.stop()
            stage.close()


def test_the_way_to_us_is_what_postfix_logged(reported):
    stage, postfix, post, report = reported
    log = postfix.maillog()
    version, cipher, bits = re.search(
        rf"TLS connection established to 127\.0\.0\.1\[127\.0\.0\.1\]:{stage.site.smtp_port}: (\S+) with cipher (\S+) "
        r"\((\d+)/", log).groups()
    tls = report["posts"][0]["arrival"]["client"]["tls"]
    assert (tls["version"], tls["cipher"], tls["bits"]) == (version, cipher, int(bits))
    assert f"{post['queueId']}" in re.search(rf"to=<{BOARD}>.*status=sent \((.*)\)", log).group(1)
    hops = report["posts"][0]["arrival"]["journey"]["hops"]
    assert [h["state"] for h in hops][-1] == "recorded-encrypted", "the line of our own gateway"
    assert (hops[-1]["software"], hops[-1]["version"], hops[-1]["cipher"]) == ("Postern", version, cipher)
    assert hops[0]["by"] == "mail.example.org" and hops[0]["state"] == "inside-one-provider"
    row = rows_of(report)[ANN]
    assert (row["arrival TLS"], row["arrival cipher"]) == (version, cipher)
    assert (row["signature"], row["encrypted to the list"]) == ("none", "none")
    shown = stage.site.cli("trace", str(post["id"]))["post"]["journey"]
    assert shown == report["posts"][0]["arrival"]["journey"]


def test_what_was_done_with_each_recipient(reported):
    rows = rows_of(reported[3])
    assert {a: (r["protection"], r["state"]) for a, r in rows.items()} == {
        ANN: ("smime", "delivered"), CID: ("tls", "delivered"), PAT: ("pickup", "delivered"), DORA: ("withheld", "withheld")}
    assert rows[ANN]["reason"] == "valid-certificate" and len(rows[ANN]["key"]) == 64
    assert rows[CID]["reason"] == "verified-tls" and rows[DORA]["reason"] in ("wish", "no-key")
    assert rows[DORA]["next hop"] == "" and rows[DORA]["delivered"] == ""


def test_how_it_left_is_what_the_receiving_postfix_logged(reported):
    _, postfix, _, report = reported
    rows, log = rows_of(report), postfix.maillog()
    for address in (ANN, CID):
        row = rows[address]
        queue_id = re.search(r"queued as (\w+)", row["reply"]).group(1)
        assert re.search(rf"{queue_id}: to=<{address}>.*status=sent", log), row["reply"]
        assert row["reply code"] == 250 and row["next hop address"].startswith("127.0.0.1")
        copy = next(m for m in postfix.box(address.split("@")[0]) if queue_id.encode() in m)
        header = " ".join(copy.split(b"\r\n\r\n")[0].decode().split())
        assert f"(using {row['TLS']} with cipher {row['cipher']} " in header
        delivered = email.utils.parsedate_to_datetime(re.search(r"; (\w{3}, [^;]*?[+-]\d{4})", header).group(1))
        told = datetime.datetime.fromisoformat(row["delivered"].replace("Z", "+00:00"))
        assert abs((delivered - told).total_seconds()) < 60
    assert rows[CID]["TLS verification"] == "verified"


def test_pick_up_is_told_from_the_envelope_to_the_reading(reported):
    row = rows_of(reported[3])[PAT]
    assert row["pick-up"] == "waiting" and row["link used"] <= row["picked up"] and row["delivered"] <= row["picked up"]
    assert row["times read"] == 1 and row["read by"] == "page"
    assert all(rows_of(reported[3])[a]["picked up"] == "" for a in (ANN, CID, DORA))


def test_openssl_verifies_the_report_and_finds_every_change(reported, tmp_path):
    report = reported[3]

    def verified(document):
        covered = {name: value for name, value in document.items() if name != "signature"}
        (tmp_path / "bytes").write_bytes(json.dumps(covered, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())
        (tmp_path / "signature").write_bytes(base64.b64decode(document["signature"]))
        (tmp_path / "key.pem").write_text(document["publicKey"])
        return subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", tmp_path / "key.pem", "-rawin", "-in",
                               tmp_path / "bytes", "-sigfile", tmp_path / "signature"], capture_output=True).returncode == 0

    assert verified(report)
    for change in (lambda d: d["rows"][0].__setitem__(17, "none"), lambda d: d["rows"].pop(),
                   lambda d: d["posts"][0]["arrival"]["journey"]["hops"].pop(), lambda d: d.update(madeBy="nobody")):
        changed = json.loads(json.dumps(report))
        change(changed)
        assert not verified(changed)


def test_postern_verifies_pages_and_finds_a_changed_or_missing_one(reported, tmp_path):
    stage, _, post, report = reported
    file = tmp_path / "report.json"
    stage.site.cli("report", "delivery", "--post", str(post["id"]), "--out", str(file))
    assert stage.site.cli("report", "verify", str(file)) == {
        **stage.site.cli("report", "verify", str(file)), "ok": True, "rows": 4, "pages": 1}
    key = tmp_path / "key.pem"
    key.write_text(report["publicKey"])
    assert stage.site.cli("report", "verify", str(file), "--key", str(key))["ok"]
    text = file.read_text()
    for broken in (text.replace("recorded-encrypted", "recorded-plain"), text.replace('"next":""', '"next":"1-1-1"'),
                   text + text, text[:-20], "", text.replace(ANN, CID)):
        assert broken != text
        file.write_text(broken)
        with pytest.raises(Refused):
            stage.site.cli("report", "verify", str(file))
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", tmp_path / "other.key"], check=True)
    subprocess.run(["openssl", "pkey", "-in", tmp_path / "other.key", "-pubout", "-out", key], check=True)
    file.write_text(text)
    with pytest.raises(Refused):
        stage.site.cli("report", "verify", str(file), "--key", str(key))


def test_csv_and_the_page_to_print_tell_the_same(reported, tmp_path):
    stage, _, post, report = reported
    table = tmp_path / "report.csv"
    assert stage.site.run_cli("report", "delivery", "--list", BOARD, "--csv", "--out", str(table)).returncode == 0
    with table.open(newline="") as file:
        lines = list(csv.DictReader(file))
    expected = rows_of(report)
    assert {line["recipient"] for line in lines} == set(expected)
    for line in lines:
        assert line == {name: str(value) for name, value in expected[line["recipient"]].items()}
    page = stage.site.run_cli("report", "delivery", "--recipient", PAT, "--html").stdout.decode()
    assert page.startswith("<!doctype html>") and page.endswith("</html>\n") and "Read 20" in page
    assert ANN not in page.replace(f"<dd>{ANN}</dd>", "") and not re.search(r"src=|href=|url\(|@import", page)


def test_no_subject_and_no_body_is_in_any_form_and_nothing_fits_an_unknown_recipient(reported):
    stage, _, post, report = reported
    forms = [json.dumps(report)] + [stage.site.run_cli("report", "delivery", "--post", str(post["id"]), form).stdout.decode()
                                    for form in ("--csv", "--html")]
    assert all(CANARY not in form and SUBJECT not in form for form in forms)
    assert stage.site.run_cli("report", "delivery", "--recipient", "jürgen@exämple.org").returncode == 1


def test_hops_reads_the_lines_that_postern_and_postfix_really_wrote(reported, tmp_path):
    stage, postfix, _, _ = reported
    copy = postfix.box("ann")[-1]
    (tmp_path / "copy.eml").write_bytes(copy)
    done = stage.site.run_cli("--json", "hops", str(tmp_path / "copy.eml"))
    hops = json.loads(done.stdout)["hops"]
    assert (hops[-1]["software"], hops[-1]["state"]) == ("Postfix", "recorded-encrypted")
    assert hops[-1]["version"].startswith("TLSv1.") and hops[-1]["cipher"]


def test_the_counts_of_the_plan_are_mailed_to_a_poster_who_asks_where_the_list_allows_it(reported):
    stage, postfix, _, _ = reported

    def plans():
        return [m for m in postfix.box("ann") if b"goes out" in m.split(b"\r\n\r\n")[0] and b"pkcs7" not in m]

    def post(count, **fields):
        postfix.send(ANN, [BOARD], make_message(f"Ann <{ANN}>", BOARD, SUBJECT, CANARY, **fields))
        wait_until(lambda: len(stage.site.cli("post", "list", BOARD)["items"]) == count and
                   stage.site.cli("post", "list", BOARD)["items"][0]["delivered"] == 3, "the post is out")

    post(2, Postern_Plan="yes")
    assert stage.site.cli("list", "protect", BOARD, "--plan-on-wish", "yes")["list"]["planOnWish"]
    post(3)
    post(4, Postern_Plan="yes")
    mail = wait_until(plans, "the mail with the plan")
    assert len(mail) == 1, "only the third post asked where the list allowed it"
    text = email.message_from_bytes(mail[0], policy=email.policy.default).get_body(("plain",)).get_content()
    for line in ("1 member: encrypted by S/MIME", "1 member: over a verified TLS connection",
                 "1 member: to be picked up on our pages", "1 member: held back"):
        assert line in text
    assert CANARY not in text and not any(word in mail[0].decode() for word in (SUBJECT, CID, DORA, PAT))
