"""Verified TLS to a real Postfix: what a probe shows, and that mail waits for a server that cannot prove itself."""
import json
import subprocess

from postfix import Postfix
from sitekit import make_message, wait_until

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
