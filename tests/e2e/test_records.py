"""Retention, holds, audit log and export on real processes. The clock goes forward by testing.clock_offset and restarts."""
import base64
import json
import pathlib
import re
import subprocess
import time

import pytest
from sitekit import Failure, Refused, files_with, make_message, swaks, wait_until
from staff import Staff

CARDIO, NEWS = "cardio@lists.example", "news@lists.example"
KEPT, FUTURE, GOES = "Nachtigall-51c7", "Rohrdommel-8ad2", "Wiedehopf-e09f"
DAY = 86400
OFFICER = ["rule:write", "what-if:write", "retention:write", "hold:write", "matter:write", "custodian:write", "search:write",
           "export:write", "request:write", "job:read", "certificate:read", "index:write", "event:write"]
AUDITOR = ["audit:write", "rule:read", "retention:read", "certificate:read", "hold:read", "export:read", "job:read"]


class Records:
    """A running site with an officer, an approver and an auditor."""

    def __init__(self, stage):
        self.stage, self.site = stage, stage.site
        self.admin = Staff(self.site, "ada", "admin", ["account:read"])
        self.officer = Staff(self.site, "olga", "officer", OFFICER)
        self.approver = Staff(self.site, "paul", "approver", ["request:write"])
        self.auditor = Staff(self.site, "uta", "auditor", AUDITOR)

    def post(self, to, subject, body):
        before = {item["id"] for item in self.site.cli("post", "list", to)["items"]}
        code, dialogue = swaks(self.site.smtp_port, "ann@example.org", [to],
                               make_message("ann@example.org", to, subject, body))
        assert code == 0, dialogue

        def done():
            return [item["id"] for item in self.site.cli("post", "list", to)["items"]
                    if item["id"] not in before and item["state"] == "done"]
        return str(wait_until(done, f"the post to {to} is done")[0])

    def approve(self, request, words="seen and agreed"):
        return self.approver.web("request.approve", id=str(request["id"]), words=words)

    def go_to(self, day):
        """Restarts the site with its clock so many days ahead; two people say that the clock is right."""
        self.site.at_offset(int(day * DAY))
        for person in (self.officer, self.approver):
            person.sign_in()
        asked = self.officer.web("retention.trust-clock", reason="checked with the radio clock")
        self.approve(asked["request"])

    def add_rule(self, **rule):
        """Proposes a rule with its what-if by the command line and has the request approved."""
        text = json.dumps(rule)
        seen = self.officer.run("retention", "what-if", "--rule", text)
        asked = self.officer.run("retention", "rule-add", text, "--reason", "decision 12 of the board",
                                 "--what-if", str(seen["id"]))
        return asked["request"] if "request" in asked else None

    def wait_job(self, job):
        def ended():
            now = self.officer.run("job", "show", str(job))
            return now if now["state"] in ("done", "failed", "cancelled") else None
        ended_job = wait_until(ended, f"job {job} ended", 60)
        assert ended_job["state"] == "done", ended_job
        return ended_job

    def runs(self):
        return self.officer.run("retention", "runs")["items"]

    def destroy(self):
        """A run now; over the limit of a small archive a second person allows it. The run."""
        known = {run["id"] for run in self.runs()}
        self.officer.sign_in()
        asked = self.officer.web("retention.run")
        if "request" in asked:
            self.approve(asked["request"])

        def ended():
            return [run for run in self.runs() if run["id"] not in known and run["state"] == "done"]
        try:
            return wait_until(ended, "the run ended", 30)[0]
        except Failure as failure:
            raise Failure(f"{failure}; {self.runs()}\n{self.site.log.read_text()[-3000:]}") from None

    def found(self, word):
        return self.officer.run("search", word)["items"]

    def explain(self, post, *more):
        return self.officer.run("retention", "explain", post, *more)


def remains(site, canary):
    """Files of the data folder that hold the word. Postern's own log is outside of the folder in these tests."""
    return files_with(site.data, canary.encode())


@pytest.fixture(scope="module")
def records():
    import tempfile
    from conftest import Stage
    with tempfile.TemporaryDirectory(prefix="postern-e2e-") as folder:
        stage = Stage(folder)
        stage.site.log = pathlib.Path(folder) / "postern.log"
        stage.open()
        members = [stage.person("ann@example.org", "p256"), stage.person("bob@example.org", "p256")]
        stage.make_list(CARDIO, members)
        stage.make_list(NEWS, members)
        yield Records(stage)
        stage.close()


def test_the_life_of_a_held_and_of_an_unheld_message(records, tmp_path):
    officer, site = records.officer, records.site
    held = records.post(CARDIO, "Secure: held", KEPT)
    goes = records.post(NEWS, "Secure: goes", GOES)

    # A rule that destroys: by request, approved by another person, in force after seven days.
    request = records.add_rule(name="Thirty days", tier="default", effect="both", period="30 days")
    second = officer.new_token()
    for attempt in (lambda: officer.run("request", "approve", str(request["id"]), token=second),
                    lambda: officer.web("request.approve", id=str(request["id"]), words="mine"),
                    lambda: records.approver.run("request", "approve", str(request["id"]))):
        with pytest.raises(Refused):
            attempt()
    assert officer.run("request", "show", str(request["id"]))["state"] == "waiting"
    records.approve(request)
    assert records.explain(goes)["references"][0]["disposeAt"] is None or not records.explain(goes)["references"][0]["due"]

    # A hold over what is there and what will come, in force when the order returns.
    matter = officer.run("matter", "create", "Case 7")["id"]
    officer.run("custodian", "add", str(matter), "bob@example.org", "--name", "Bob")
    scope = tmp_path / "scope.json"
    scope.write_text(json.dumps({"lists": [CARDIO]}))
    hold = officer.run("hold", "place", str(matter), "All of cardio", str(scope), "--notice",
                       "Please keep everything about the pump.")
    future = records.post(CARDIO, "Secure: future", FUTURE)
    wait_until(lambda: records.found(GOES) and records.found(FUTURE), "the posts are indexed")

    records.go_to(8)
    explained = records.explain(goes)
    line = explained["references"][0]["lines"][0]
    assert "30 days" in line["sentence"] and line["match"], explained
    assert explained["references"][0]["disposeAt"] == explained["receivedAt"] + 30 * DAY * 10**6

    records.go_to(31)
    run = records.destroy()
    assert run["destroyed"] == 1 and run["candidates"] == 3, run
    assert sum(reason["count"] for reason in run["kept"]) == 2, run
    for post, word in ((held, KEPT), (future, FUTURE)):
        assert len(records.found(word)) == 1
        assert officer.run("retention", "verify", post)["ok"]
    assert records.found(GOES) == []
    wait_until(lambda: not remains(site, GOES), "the word is in no file")
    check_certificate(records, run, tmp_path)

    # Released by two people, it stays for the grace.
    officer.sign_in()
    records.approver.sign_in()
    asked = officer.web("hold.release", id=str(hold["id"]), reason="settled")
    assert records.destroy()["destroyed"] == 0
    records.approve(asked["request"])
    records.go_to(60)
    assert records.destroy()["destroyed"] == 0
    assert len(records.found(KEPT)) == 1
    records.go_to(62)
    run = records.destroy()
    assert run["destroyed"] == 2, run
    assert records.found(KEPT) == [] and records.found(FUTURE) == []
    wait_until(lambda: not remains(site, KEPT) and not remains(site, FUTURE), "the words are in no file")


def check_certificate(records, run, folder):
    """The text of the certificate names each destroyed object once; openssl finds its signature good."""
    shown = records.officer.run("retention", "certificate", str(run["certificate"]))
    assert shown["lines"] == run["destroyed"]
    body, _, lines = shown["text"].partition("\n\n")  # the body has the digest of the lines and is what is signed
    assert len([line for line in lines.splitlines() if re.match(r"\S*\d", line)]) >= run["destroyed"]
    (folder / "text").write_text(body + "\n")
    (folder / "signature").write_bytes(base64.b64decode(shown["signature"]))
    key = base64.b64decode(shown["publicKey"])
    prefix = bytes.fromhex("302a300506032b6570032100") if len(key) == 32 else b""
    (folder / "key.der").write_bytes(prefix + key)
    verify = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", folder / "key.der", "-keyform", "DER", "-rawin",
              "-in", folder / "text", "-sigfile", folder / "signature"]
    assert subprocess.run(verify, capture_output=True).returncode == 0
    (folder / "text").write_text(body.replace("1", "2", 1) + "\n")
    assert subprocess.run(verify, capture_output=True).returncode != 0
