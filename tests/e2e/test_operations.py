"""Operations: logs that tell what happened and never what was written, one trace id through all processes, metrics that
Prometheus takes, health that says why."""
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time
import urllib.error

import pytest
from sitekit import make_message, swaks, wait_until

LIST = "team@lists.example"
OPEN = "open@lists.example"
SUBJECT, BODY, PASSWORD = "Subjekt-Wendehals-3b7e", "Koerper-Wendehals-91c2", "Passwort-Wendehals-77aa"


def lines_of(stage):
    """The lines of the log as objects; fails on one that is none."""
    return [json.loads(line) for line in stage.site.log.read_text().splitlines() if line.startswith("{")]


def events(stage, name, trace=None):
    return [line for line in lines_of(stage) if line.get("event") == name and (trace is None or line.get("trace") == trace)]


def accepted(dialogue):
    found = re.search(r"250 2\.0\.0 accepted as ([0-9a-f]{32})\b", dialogue)
    assert found, dialogue
    return found[1]


def send(stage, to, subject=SUBJECT, **more):
    code, dialogue = swaks(stage.site.smtp_port, "ann@example.org", [to], make_message("ann@example.org", to, subject, BODY, **more))
    assert code == 0, dialogue
    return accepted(dialogue)


def get(stage, path):
    try:
        with stage.site.web(path) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_one_trace_id_leads_through_all_processes_to_the_ledger(stage):
    stage.make_list(LIST, [stage.person("ann@example.org", "p256"), stage.person("bob@example.org", "p256")])
    strange = "11111111111111111111111111111111"
    trace = send(stage, LIST, traceparent=f"00-{strange}-2222222222222222-01")
    assert trace != strange, "a trace id of the sender was taken"
    stage.sink.wait("bob@example.org")
    wait_until(lambda: len(events(stage, "copy.delivered", trace)) == 2, "both copies are in the log", 20)
    assert [line["process"] for line in events(stage, "message.accepted", trace)] == ["postern-gateway"]
    assert [line["process"] for line in events(stage, "message.planned", trace)] == ["postern-listd"]
    assert {line["protection"] for line in events(stage, "copy.delivered", trace)} == {"smime"}
    assert not [line for line in lines_of(stage) if strange in json.dumps(line)]
    for asked in (["trace", trace], ["trace", "--id", trace]):
        told = stage.site.cli(*asked)
        assert told["message"]["trace"] == trace and [one["list"] for one in told["message"]["posts"]] == [LIST]
    wait_until(lambda: {one["state"] for one in stage.site.cli("trace", trace)["recipients"]} == {"delivered"}, "the ledger has both")
    received = stage.sink.of("bob@example.org")[-1].message
    assert trace not in str(received.get("Subject"))


def test_a_copy_that_waits_keeps_its_trace_id_over_a_restart(stage):
    stage.make_list("late@lists.example", [stage.person("ann@example.org"), stage.person("carl@example.org", "p256")])
    stage.sink.answer = lambda recipient: "451 4.3.2 later" if recipient == "carl@example.org" else "250 OK"
    trace = send(stage, "late@lists.example")
    try:
        first = wait_until(lambda: events(stage, "copy.deferred", trace), "the copy was deferred", 20)
        assert (first[0]["code"], first[0]["status"]) == ("451", "4.3.2")
        stage.site.kill("postern-gateway")
        stage.site.wait_ready()
    finally:
        stage.sink.answer = None
    wait_until(lambda: events(stage, "copy.delivered", trace), "the copy was delivered after the restart", 30)


def test_no_log_line_at_level_debug_holds_what_was_written_or_is_secret(make_stage):
    stage = make_stage({"log.level": '"debug"'}).open()
    stage.make_list(LIST, [stage.person("ann@example.org", "p256"), stage.person("bob@example.org", "p256"),
                           stage.person("dora@example.org")])
    stage.make_list(OPEN, [stage.person("ann@example.org"), stage.person("eve@example.org")], secure=False)
    stage.sink.answer = lambda to: f"550 5.1.1 <{to}> no such user {BODY}" if to == "eve@example.org" else "250 OK"
    link = stage.site.cli("user", "setup-link")
    traces = [send(stage, LIST), send(stage, OPEN)]
    refused, _ = swaks(stage.site.smtp_port, "ann@example.org", [OPEN], make_message("ann@example.org", OPEN, f"Secure: {SUBJECT}", BODY))
    assert refused != 0
    swaks(stage.site.smtp_port, "ann@example.org", ["nobody@lists.example"], make_message("ann@example.org", LIST, SUBJECT, BODY))
    swaks(stage.site.smtp_port, "ann@example.org", [LIST], make_message("ann@example.org", LIST, SUBJECT, BODY),
          "--auth", "PLAIN", "--auth-user", "ann", "--auth-password", PASSWORD)
    for path in ("/setup?token=" + PASSWORD, "/sign-in", "/api/v1/status"):
        get(stage, path)
    stage.sink.wait("bob@example.org")
    for trace in traces:
        wait_until(lambda: events(stage, "copy.delivered", trace), "a copy was delivered", 20)
    wait_until(lambda: events(stage, "copy.failed"), "the copy to eve failed", 20)
    assert events(stage, "message.refused"), "a refusal left no line"
    text = stage.site.log.read_text()
    secrets = {"the subject": SUBJECT, "the body": BODY, "the password": PASSWORD, "the set-up link": link["token"],
               "the command key": (stage.site.data / "listd/command.key").read_text().strip()}
    for what, canary in secrets.items():
        assert canary not in text, f"{what} stands in the log: {[line for line in text.splitlines() if canary in line][:3]}"
    for member in ("bob@example.org", "eve@example.org", "dora@example.org"):
        assert member not in text, [line for line in text.splitlines() if member in line][:3]


def test_logs_go_to_a_file_for_each_process_and_a_reload_opens_them_anew(make_stage):
    stage = make_stage({"log.to": '"file"', "log.format": '"text"'}).open()
    stage.make_list(LIST, [stage.person("ann@example.org", "p256")])
    folder = stage.site.data / "log"
    trace = send(stage, LIST)
    wait_until(lambda: trace in (folder / "postern-gateway.log").read_text(), "the gateway's file has the line")
    assert {path.name for path in folder.iterdir()} == {f"postern{part}.log" for part in ("", "-gateway", "-listd", "-webadmin")}
    for path in list(folder.iterdir()):
        path.rename(str(path) + ".1")
    stage.site.process.send_signal(1)  # SIGHUP to the supervisor reaches all
    for name in ("postern-gateway", "postern-listd", "postern-webadmin"):
        wait_until(lambda: (folder / f"{name}.log").exists() and "read again" in (folder / f"{name}.log").read_text(), name)
    trace = send(stage, LIST)
    wait_until(lambda: f"event=message.accepted" in (folder / "postern-gateway.log").read_text()
               and trace in (folder / "postern-gateway.log").read_text(), "the new file has the line")
    assert trace not in (folder / "postern-gateway.log.1").read_text()


def samples(text):
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if not line.startswith("#")}


def test_metrics_are_taken_by_prometheus_count_what_happens_and_name_nobody(stage):
    members = [stage.person(name, "p256") for name in ("ann@example.org", "fred@example.org")]
    stage.make_list("zaehler@lists.example", members)
    before = samples(get(stage, "/metrics")[1])
    trace = send(stage, "zaehler@lists.example")
    swaks(stage.site.smtp_port, "ann@example.org", ["unknown-somebody@lists.example"], make_message("ann@example.org", LIST, "x", "y"))
    wait_until(lambda: len(events(stage, "copy.delivered", trace)) == 2, "both copies are out", 20)
    status, text = get(stage, "/metrics")
    assert status == 200
    done = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    now = samples(text)
    grown = lambda name: now[name] - before.get(name, 0)
    assert grown("postern_messages_accepted_total") == 1
    assert grown('postern_delivery_attempts_total{outcome="delivered",protection="smime"}') == 2
    assert grown('postern_refused_total{reason="unknown-recipient",code="550"}') == 1
    assert grown('postern_policy_duration_seconds_count{hook="message"}') >= 1
    assert grown('postern_seal_duration_seconds_count{protection="smime"}') >= 2
    assert {now[f'postern_up{{process="{one}"}}'] for one in ("gateway", "listd", "webadmin")} == {1}
    assert all(now[f'postern_process_resident_memory_bytes{{process="{one}"}}'] > 1e6 for one in ("gateway", "listd", "webadmin"))
    assert now['postern_certificate_left_seconds{certificate="smtp"}'] > 86400
    assert now["postern_disk_free_bytes"] > 0 and now['postern_queue{state="held"}'] == 0
    for nobody in ("@", "example", "fred", "zaehler", "127.0.0.1"):
        assert nobody not in text, nobody


def test_health_tells_what_is_away_and_metrics_go_on(stage):
    assert get(stage, "/healthz/live")[0] == 200
    status, text = get(stage, "/healthz/ready")
    assert (status, json.loads(text)) == (200, {"status": "ready", "reasons": []})
    pids = stage.site.pids()
    os.kill(pids["postern-gateway"], signal.SIGSTOP)
    try:
        status, text = wait_until(lambda: (lambda a: a if a[0] == 503 else None)(get(stage, "/healthz/ready")), "not ready")
        assert json.loads(text) == {"status": "not-ready", "reasons": ["gateway-away"]}
        assert get(stage, "/healthz/live")[0] == 200 and get(stage, "/healthz")[0] == 200
        assert samples(get(stage, "/metrics")[1])['postern_up{process="gateway"}'] == 0
    finally:
        os.kill(pids["postern-gateway"], signal.SIGCONT)
    wait_until(lambda: get(stage, "/healthz/ready")[0] == 200, "ready again")


def test_who_is_no_monitor_gets_no_numbers_and_no_reasons(make_stage):
    stage = make_stage({"web.monitor_networks": '"192.0.2.0/24"'}).open()
    assert get(stage, "/metrics")[0] == 404
    assert json.loads(get(stage, "/healthz/ready")[1]) == {"status": "ready"}


def open_session(stage):
    """A session in the middle of a message."""
    client = socket.create_connection(("127.0.0.1", stage.site.smtp_port), 10)
    lines = client.makefile("rwb")
    lines.readline()
    for command in ("HELO mail.example.org", "MAIL FROM:<ann@example.org>", f"RCPT TO:<{OPEN}>", "DATA"):
        lines.write(command.encode() + b"\r\n")
        lines.flush()
        assert lines.readline()[:1] in b"23", command
    lines.write(make_message("ann@example.org", OPEN, "half", "a message").encode())
    lines.flush()
    return lines


def finish(lines):
    lines.write(b".\r\n")
    lines.flush()
    return lines.readline()


def test_a_reload_takes_over_limits_while_a_session_is_open_and_says_what_needs_a_restart(make_stage):
    stage = make_stage().open()
    stage.make_list(OPEN, [stage.person("eve@example.org")], secure=False)
    session = open_session(stage)
    stage.site.set("gateway.max_message_size", "5000")
    stage.site.set("policy.workers", "3")
    told = stage.site.cli("reload")
    assert told["ok"] and {one["process"] for one in told["items"]} == {"listd", "gateway"}
    assert all(one["taken"] == ["gateway.max_message_size"] and one["restart"] == ["policy.workers"] for one in told["items"])
    assert finish(session).startswith(b"250 "), "the session that was open was cut"
    code, dialogue = swaks(stage.site.smtp_port, "ann@example.org", [OPEN], make_message("ann@example.org", OPEN, "x", ("y" * 70 + "\r\n") * 100))
    assert code != 0 and "552" in dialogue, "a new session has the old limit"
    rules = {one["rule"]: one for one in stage.site.cli("status")["problems"]}
    assert "policy.workers" in rules["config.restart"]["what"]


def test_settings_that_are_wrong_are_refused_whole_with_line_and_column(make_stage):
    stage = make_stage().open()
    stage.make_list(OPEN, [stage.person("eve@example.org")], secure=False)
    stage.site.set("gateway.max_message_size", "5000")
    stage.site.set("gateway.max_hops", "3")
    number = 1 + (stage.site.data / "postern.toml").read_text().splitlines().index("max_hops = 3")
    done = stage.site.run_cli("reload")
    assert done.returncode == 3 and f"postern.toml:{number}:".encode() in done.stderr, done
    stage.site.process.send_signal(signal.SIGHUP)  # as somebody does who does not ask
    wait_until(lambda: [line for line in lines_of(stage) if "were not read again" in line["text"] and line["process"] == "postern-gateway"],
               "the gateway refuses")
    code, dialogue = swaks(stage.site.smtp_port, "ann@example.org", [OPEN], make_message("ann@example.org", OPEN, "x", ("y" * 70 + "\r\n") * 100))
    assert code == 0, "one of the settings was taken over"


def test_a_certificate_that_is_replaced_is_served_without_a_reload(make_stage):
    stage = make_stage().open()
    serial = lambda: ssl.get_server_certificate(("127.0.0.1", stage.site.web_port))
    before = serial()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
                    "/CN=new.example", "-keyout", stage.site.data / "tls/key.pem", "-out", stage.site.data / "tls/cert.pem"],
                   check=True, capture_output=True)
    wait_until(lambda: serial() != before, "the web serves the new certificate", 20)
    def smtp():
        import smtplib
        with smtplib.SMTP("127.0.0.1", stage.site.smtp_port) as client:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            client.starttls(context=context)
            return ssl.DER_cert_to_PEM_cert(client.sock.getpeercert(True))
    wait_until(lambda: smtp() == serial(), "the gateway serves it", 20)


def test_a_stop_lets_a_message_end_cuts_one_that_does_not_and_takes_nobody_new(make_stage):
    stage = make_stage().open()
    stage.make_list(OPEN, [stage.person("ann@example.org"), stage.person("eve@example.org")], secure=False)
    quick, slow = open_session(stage), open_session(stage)
    idle = socket.create_connection(("127.0.0.1", stage.site.smtp_port), 10).makefile("rb")
    idle.readline()
    gateway = stage.site.pids()["postern-gateway"]
    os.kill(gateway, signal.SIGTERM)
    assert idle.readline().startswith(b"421 4.3.2")
    with pytest.raises(OSError):
        for _ in range(50):
            time.sleep(0.02)
            socket.create_connection(("127.0.0.1", stage.site.smtp_port), 1).close()
            if stage.site.pids().get("postern-gateway") != gateway:
                pytest.fail("the gateway was gone before its sessions had ended")
    answer = finish(quick)
    assert answer.startswith(b"250 2.0.0 accepted as "), answer
    trace = answer.split()[-1].decode()
    began = time.monotonic()
    assert slow.readline().startswith(b"421 4.3.2")
    assert time.monotonic() - began < 12
    stage.site.wait_ready()
    stage.sink.wait("eve@example.org")
    assert stage.site.cli("trace", trace)["recipients"][0]["state"] in ("delivered", "queued", "planned", "handed over")
