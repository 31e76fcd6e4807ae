"""Verified TLS to a real Postfix: what a probe shows, and that mail waits for a server that cannot prove itself."""
import json
import subprocess

from postfix import Postfix
from sitekit import files_with, make_message, swaks, wait_until
from test_ladder import GnuPg

LIST = "open@lists.example"
CANARY = "Zaunkoenig-90d2"


def certificate(folder, name):
    stem = folder / name
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    f"{stem}.key", "-out", f"{stem}.crt", "-days", "10", "-subj", f"/CN={name}", "-addext",
                    "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return f"{stem}.crt", f"{stem}.key"


def probe(stage, domain):
    done = stage.site.run_cli("--json", "probe", domain)
    return done.returncode, json.loads(done.stdout)


def route_to(stage, postfix):
    stage.site.cli("route", "add", "example.org", "127.0.0.1", "--port", str(postfix.port), "--tls", "verified")


def test_mail_goes_to_a_postfix_that_proves_itself_and_waits_for_one_that_does_not(make_stage, tmp_path):
    trusted = certificate(tmp_path, "trusted")
    stage = make_stage({"delivery.trust_anchors": json.dumps(trusted[0])}).open()
    proven = Postfix(stage.site.smtp_port, *trusted).start()
    impostor = Postfix(stage.site.smtp_port, *certificate(tmp_path, "impostor")).start()
    try:
        route_to(stage, proven)
        stage.make_list(LIST, [stage.person("ann@example.org")], secure=False)

        status, shown = probe(stage, "example.org")
        host = shown["probe"]["hosts"][0]
        assert status == 0 and shown["known"]["means"] == "pkix"
        assert host["startTls"] and host["version"].startswith("TLSv1.") and host["chain"] == "ok"
        assert host["certificate"]["subject"] == "/CN=trusted"
        assert proven.box("ann") == [] and "from=<" not in proven.maillog()  # nothing but greetings

        proven.send("ann@example.org", [LIST], make_message("ann@example.org", LIST, "one", CANARY))
        assert CANARY.encode() in proven.wait_box("ann")[-1]
        assert probe(stage, "example.org")[1]["lastDelivery"]["verification"] == "verified"

        route_to(stage, impostor)
        status, shown = probe(stage, "example.org")
        assert status == 1 and "not verified" in shown["known"]["sentence"]
        proven.send("ann@example.org", [LIST], make_message("ann@example.org", LIST, "two", CANARY + "-two"))
        waiting = wait_until(lambda: [c for c in stage.site.cli("queue", "list")["items"] if c["lastReply"]],
                             "the copy waits")
        assert "certificate not verified" in waiting[0]["lastReply"] and "the site's route" in waiting[0]["lastReply"]
        assert impostor.box("ann") == [] and "from=<" not in impostor.maillog()

        route_to(stage, proven)
        assert (CANARY + "-two").encode() in proven.wait_box("ann", 2)[-1]
    finally:
        proven.stop()
        impostor.stop()


BOARD = "board@lists.example"
ANN, OTTO, CID = "ann@example.org", "otto@pgp.example", "cid@example.org"
SECRET = "Goldammer-71c4"


def rows_of(stage, post):
    """What the ledger says of the recipients of the post that came as number `post`."""
    posts = sorted(item["id"] for item in stage.site.cli("post", "list", BOARD)["items"])
    return stage.site.cli("trace", str(posts[post]))["recipients"] if len(posts) > post else []


def row_of(stage, post, address, **wanted):
    return next((row for row in rows_of(stage, post)
                 if row["address"] == address and all(row[name] == value for name, value in wanted.items())), None)


def post(stage, body):
    code, dialogue = swaks(stage.site.smtp_port, ANN, [BOARD], make_message(f"Ann <{ANN}>", BOARD, "Plan", body))
    assert code == 0, dialogue


def test_a_member_without_keys_gets_the_copy_over_verified_tls_and_pick_up_when_the_server_cannot_prove_itself(
        make_stage, tmp_path):
    trusted = certificate(tmp_path, "trusted")
    stage = make_stage({"delivery.trust_anchors": json.dumps(trusted[0])}).open()
    proven = Postfix(stage.site.smtp_port, *trusted).start()
    impostor = Postfix(stage.site.smtp_port, *certificate(tmp_path, "impostor")).start()
    try:
        stage.site.cli("route", "add", "example.org", "127.0.0.1", "--port", str(proven.port))
        stage.make_list(BOARD, [stage.person(ANN, "rsa"), stage.person(OTTO), stage.person(CID)],
                        ladder="smime,openpgp,tls,pickup")
        otto = GnuPg(OTTO, "rsa3072", "rsa3072")
        stage.site.cli("key", "import", OTTO, str(otto.public))
        stage.site.cli("list", "protect", BOARD, "--tls-minutes", "1")

        # Nobody asked for a probe: the new member was enough.
        wait_until(lambda: "tls" in [g["protection"] for g in stage.site.cli("list", "plan", BOARD)["counts"]],
                   "the domain of the member is known")
        assert "from=<" not in proven.maillog()
        post(stage, SECRET)
        assert SECRET.encode() in proven.wait_box("cid")[-1]  # as it was written: the connection protected it
        assert SECRET.encode() not in proven.wait_box("ann")[-1]
        sealed = stage.sink.wait(OTTO)[-1]
        assert SECRET.encode() not in sealed.raw and sealed.message.get_content_type() == "multipart/encrypted"
        row = wait_until(lambda: row_of(stage, 0, CID, state="delivered"), "the copy is in the ledger")
        assert (row["protection"], row["reason"]) == ("tls", "verified-tls")
        assert row["attempts"][-1]["tls"]["verification"] == "verified"
        assert row["attempts"][-1]["tls"]["version"].startswith("TLSv1.")
        assert {r["protection"] for r in rows_of(stage, 0)} == {"smime", "openpgp", "tls"}

        # The server loses its certificate: what was known of it is not what counts, the connection is.
        stage.site.cli("route", "add", "example.org", "127.0.0.1", "--port", str(impostor.port))
        post(stage, SECRET + "-two")
        wait_until(lambda: row_of(stage, 1, CID, protection="tls", state="deferred"), "the copy waits")
        assert impostor.box("cid") == []
        row = wait_until(lambda: row_of(stage, 1, CID, protection="pickup", state="delivered"), "pick-up", 200)
        assert row["reason"] == "tls-too-late"
        assert SECRET.encode() not in impostor.wait_box("cid")[-1]
        assert all(SECRET.encode() not in copy for copy in impostor.box("cid") + impostor.box("ann"))
        counts = {g["protection"] for g in stage.site.cli("list", "plan", BOARD)["counts"]}
        assert counts == {"smime", "openpgp", "pickup"}  # the next post does not wait
        assert not files_with(stage.site.data, SECRET.encode())
    finally:
        proven.stop()
        impostor.stop()
