"""Retention, holds, audit log and export on real processes. The clock goes forward by testing.clock_offset and restarts."""
import base64
import contextlib
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import socket
import sqlite3
import ssl
import struct
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

import pytest
from conftest import ROOT, Stage
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
        self.auditor = Staff(self.site, "uta", "auditor", AUDITOR)
        # The last: once there is an approver, roles like these have to be asked for.
        self.approver = Staff(self.site, "paul", "approver", ["request:write"])

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


@contextlib.contextmanager
def records_site():
    """Two secure lists with two members, and the people who look after records."""
    with tempfile.TemporaryDirectory(prefix="postern-e2e-") as folder:
        stage = Stage(folder)
        stage.site.log = pathlib.Path(folder) / "postern.log"
        try:
            stage.open()
            members = [stage.person("ann@example.org", "p256"), stage.person("bob@example.org", "p256")]
            stage.make_list(CARDIO, members)
            stage.make_list(NEWS, members)
            yield Records(stage)
        finally:
            stage.close()


@pytest.fixture(scope="module")
def records():
    with records_site() as made:
        yield made


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
        read = officer.web("object.read", object=str(records.found(word)[0]["object"]), reason="case 7")
        assert word in read["text"], read
    assert records.found(GOES) == []
    wait_until(lambda: not remains(site, GOES), "the word is in no file")
    check_certificate(records, run, tmp_path)

    # Released by two people, it stays for the grace.
    officer.sign_in()
    records.approver.sign_in()
    what_if = officer.web("what-if.run", releaseHold=str(hold["id"]))
    asked = officer.web("hold.release", id=str(hold["id"]), reason="settled", whatIf=str(what_if["id"]))
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
    """The certificate names each destroyed object once; openssl finds its signature good, as docs/retention.md tells."""
    shown = records.officer.run("retention", "certificate", str(run["certificate"]))
    body, _, rest = shown["text"].partition("\n\n")
    lines = [line for line in rest.splitlines() if line.startswith("object ")]
    assert len(lines) == shown["lines"] == run["destroyed"] == len({line.split()[1] for line in lines})
    assert hashlib.sha256("".join(line + "\n" for line in lines).encode()).hexdigest() in body
    (folder / "certificate.txt").write_text(shown["text"])
    commands = """sed '/^$/,$d' certificate.txt > body
        sed -n '/BEGIN PUBLIC KEY/,$p' certificate.txt > key.pem
        sed -n 's/^signature .*: //p' certificate.txt | openssl base64 -d -A > signature
        openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in body -sigfile signature"""
    assert subprocess.run(commands, shell=True, cwd=folder, capture_output=True).returncode == 0
    (folder / "certificate.txt").write_text(shown["text"].replace("objects: ", "objects: 9", 1))
    assert subprocess.run(commands, shell=True, cwd=folder, capture_output=True).returncode != 0


def test_a_hold_notice_reaches_the_custodian_without_content_and_is_acknowledged(records, tmp_path):
    officer, stage = records.officer.sign_in(), records.stage
    matter = str(officer.run("matter", "create", "Silberreiher")["id"])
    officer.run("custodian", "add", matter, "cid@example.net", "--name", "Cid")
    scope = tmp_path / "scope.json"
    scope.write_text(json.dumps({"addresses": ["cid@example.net"]}))
    officer.run("hold", "place", matter, "Cid's mail", str(scope), "--notice", "Keep all about the Seeadler.")
    mail = stage.sink.wait("cid@example.net")[-1]
    for word in (b"Silberreiher", b"Seeadler"):
        assert word not in mail.raw
    link = re.search(r"https://\S+/notice\?token=[\w-]+", mail.message.get_content())[0]
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    browser = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context),
                                          urllib.request.HTTPCookieProcessor())
    path = link.split("/notice", 1)[1]
    page = browser.open(f"https://127.0.0.1:{records.site.web_port}/notice{path}").read().decode()
    assert "Keep all about the Seeadler." in page
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    browser.open(f"https://127.0.0.1:{records.site.web_port}/notice", urllib.parse.urlencode(fields).encode())
    custodian = officer.run("matter", "show", matter)["custodians"][0]
    assert custodian["state"] == "acknowledged", custodian


def test_search_and_export_by_the_command_line_open_in_7z(records, tmp_path):
    officer, word = records.officer, "Zaunkoenig-77d1"
    post = records.post(NEWS, "Secure: for the export", word)
    matter = str(officer.run("matter", "create", "Export")["id"])
    wait_until(lambda: records.found(word), "the post is indexed")
    assert officer.run("search", word, "--count")["hits"] == 1
    assert records.explain(post)["sentence"]
    made = officer.run("export", "create", word, "--matter", matter)
    archive = tmp_path / "export.zip"
    officer.run("export", "get", str(made["id"]), str(archive))
    assert word.encode() not in archive.read_bytes()
    opened = subprocess.run(["7z", "x", "-y", f"-p{made['passphrase']}", f"-o{tmp_path}/out", archive], capture_output=True)
    assert opened.returncode == 0, opened.stdout
    assert len(files_with(tmp_path / "out", word.encode())) == 1
    assert subprocess.run(["7z", "t", "-pwrong", archive], capture_output=True).returncode != 0
    assert not remains(records.site, word)


class Log:
    """Copies of the site's database for somebody with the file and without scruples, and both verifiers over them."""

    TRIGGERS = [f"audit_{table}_never_{what}" for table in ("entries", "checkpoints", "anchors") for what in ("change", "go")]

    def __init__(self, site, folder):
        self.site, self.folder, self.copies = site, folder, 0
        site.cli("audit", "anchor")
        self.anchors = folder / "anchors"
        shutil.copytree(site.data / "anchors", self.anchors)

    def copy(self, *mutations):
        self.copies += 1
        file = self.folder / f"copy{self.copies}.db"
        with sqlite3.connect(self.site.data / "listd/site.db") as source, sqlite3.connect(file) as target:
            source.backup(target)
        with sqlite3.connect(file) as target:
            for name in self.TRIGGERS:
                target.execute(f"DROP TRIGGER {name}")
            for mutation in mutations:
                mutation(target) if callable(mutation) else target.execute(mutation)
        return file

    def verdicts(self, file):
        own = self.site.run_cli("audit", "verify", "--db", file, "--pub", self.anchors / "public-key", "--anchors",
                                self.anchors).returncode
        export = file.with_suffix(".jsonl")
        export.write_bytes(self.site.run_cli("audit", "export", "--db", file).stdout)
        other = subprocess.run([ROOT / "tools/audit-verify", export, "--pub", self.anchors / "public-key", "--anchors",
                                self.anchors], capture_output=True).returncode
        return own, other


def rechain(first):
    """Changes the entry `first` and makes every hash after it right again, as an administrator could."""
    def run(database):
        before = database.execute("SELECT leaf FROM audit_entries WHERE seq = ?", (first - 1,)).fetchone()[0]
        for seq, entry in database.execute("SELECT seq, entry FROM audit_entries WHERE seq >= ? ORDER BY seq",
                                           (first,)).fetchall():
            fields, at = [], 0
            while at < len(entry):
                size = struct.unpack(">I", entry[at:at + 4])[0]
                fields.append(entry[at + 4:at + 4 + size])
                at += 4 + size
            fields[6] = before.hex().encode()
            if seq == first:
                fields[23] = b"another reason"
            entry = b"".join(struct.pack(">I", len(field)) + field for field in fields)
            before = hashlib.sha256(b"\0" + entry).digest()
            database.execute("UPDATE audit_entries SET entry = ?, leaf = ? WHERE seq = ?", (entry, before, seq))
        database.execute("DELETE FROM audit_nodes")
    return run


def test_every_mutation_of_the_real_log_has_its_exit_code_by_both_verifiers(records, tmp_path):
    site = records.site
    assert site.run_cli("audit", "anchor").returncode == 0
    assert site.run_cli("audit", "verify").returncode == 0
    log = Log(site, tmp_path)
    assert log.verdicts(log.copy()) == (0, 0)
    size = max(int(path.stem) for path in log.anchors.glob("*.checkpoint"))
    half = size // 2
    swap = (f"UPDATE audit_entries SET seq = -1 WHERE seq = {half}", f"UPDATE audit_entries SET seq = {half} WHERE seq = {half + 1}",
            f"UPDATE audit_entries SET seq = {half + 1} WHERE seq = -1")
    insert = (f"UPDATE audit_entries SET seq = -seq - 2 WHERE seq >= {half}", "UPDATE audit_entries SET seq = -seq - 1 WHERE seq < 0",
              f"INSERT INTO audit_entries SELECT {half}, at, actor, action, object_type, object_id, matter_id, outcome, entry, leaf "
              f"FROM audit_entries WHERE seq = {half - 1}")
    def flip(database):
        entry = database.execute("SELECT entry FROM audit_entries WHERE seq = ?", (half,)).fetchone()[0]
        database.execute("UPDATE audit_entries SET entry = ? WHERE seq = ?",
                         (entry[:-3] + bytes([entry[-3] ^ 1]) + entry[-2:], half))
    cases = {"a flipped byte": ((flip,), 1), "swapped": (swap, 2), "inserted": (insert, 2),
             "dropped in the middle": ((f"DELETE FROM audit_entries WHERE seq BETWEEN {half} AND {half + 2}",), 2),
             "dropped at the end": ((f"DELETE FROM audit_entries WHERE seq >= {half}",), 3),
             "chained anew": ((rechain(half),), 4),
             "a damaged checkpoint": (("UPDATE audit_checkpoints SET note = 'x'",), 5)}
    told = {name: log.verdicts(log.copy(*mutations)) for name, (mutations, _) in cases.items()}
    assert told == {name: (code, code) for name, (_, code) in cases.items()}
    shutil.rmtree(log.anchors / "x", ignore_errors=True)
    for path in log.anchors.glob("*.checkpoint"):
        path.unlink()
    assert log.verdicts(log.copy()) == (6, 6)


def test_a_killed_listd_destroys_nothing_early_and_writes_one_line_for_each_object(records, tmp_path):
    """kill -9 at random moments while runs, exports and key rotations go on."""
    officer, site = records.officer, records.site
    rounds = int(os.environ.get("POSTERN_CRASH_ROUNDS", "10"))
    due = [f"due{number:03}x{os.urandom(3).hex()}" for number in range(rounds)]
    for word in due:
        records.post(NEWS, "Secure: due", word)
    if not officer.run("retention", "rule-list")["items"]:  # this test alone
        records.approve(records.add_rule(name="Thirty days", tier="default", effect="both", period="30 days"))
    records.go_to(110)
    matter = str(officer.run("matter", "create", "Crash")["id"])
    scope = tmp_path / "scope.json"
    scope.write_text(json.dumps({"lists": [CARDIO]}))
    officer.run("hold", "place", matter, "Crash", str(scope))
    kept = [f"kept{number:03}x{os.urandom(3).hex()}" for number in range(3)]
    for word in kept:
        records.post(CARDIO, "Secure: kept", word)
    wait_until(lambda: all(records.found(word) for word in kept), "the posts are indexed")
    acts = [lambda: officer.web("retention.run"), lambda: officer.run("export", "create", kept[0], "--matter", matter),
            lambda: site.cli("keys", "rotate", "lists")]
    for number in range(rounds):
        try:
            asked = acts[number % 3]()
            if number % 3 == 0 and "request" in asked:
                records.approve(asked["request"])
        except (Refused, OSError, ConnectionError):
            pass  # listd was killed while it answered, or one of these is under way
        time.sleep(random.uniform(0, 0.15))
        site.kill("postern-listd")
        wait_until(site.ready, "the site is up again", 60)
    records.officer.sign_in()
    records.approver.sign_in()
    wait_until(lambda: all(job["state"] not in ("waiting", "running") for job in officer.run("job", "list")["items"]),
               "no job is under way", 90)
    records.destroy()
    for word in kept:
        found = records.found(word)
        assert len(found) == 1
        assert officer.web("retention.verify", object=str(found[0]["object"]))["ok"]
    wait_until(lambda: not any(remains(site, word) for word in due), "what was due is in no file")
    assert not any(records.found(word) for word in due)
    texts = [officer.run("retention", "certificate", str(run["certificate"]))["text"] for run in records.runs()
             if run["certificate"]]
    lines = [line.split()[1] for text in texts for line in text.splitlines() if line.startswith("object ")]
    assert len(lines) == len(set(lines)) and len(lines) >= len(due)
    for export in officer.run("export", "list")["items"]:
        assert export["state"] in ("done", "failed", "expired"), export
        if export["state"] == "done":
            officer.run("export", "get", str(export["id"]), str(tmp_path / f"{export['id']}.zip"))
            assert subprocess.run(["7z", "l", tmp_path / f"{export['id']}.zip"], capture_output=True).returncode == 0
    assert site.run_cli("audit", "anchor").returncode == 0
    assert site.run_cli("audit", "verify").returncode == 0


def test_an_old_database_and_old_keys_bring_nothing_back_and_lose_no_hold(records, tmp_path):
    officer, site, word = records.officer, records.site, f"Kiebitz-{os.urandom(3).hex()}"
    if not officer.run("retention", "rule-list")["items"]:  # this test alone
        records.approve(records.add_rule(name="Thirty days", tier="default", effect="both", period="30 days"))
    records.post(NEWS, "Secure: restored", word)
    wait_until(lambda: records.found(word), "the post is indexed")
    site.stop()
    for name in ("listd/site.db", "keys/keys.db"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        for file in (site.data / name).parent.glob(f"{pathlib.Path(name).name}*"):
            shutil.copy(file, tmp_path / pathlib.Path(name).parent)
    site.start()
    records.go_to(200)
    records.destroy()
    wait_until(lambda: not remains(site, word), "the word is in no file")
    matter = str(officer.run("matter", "create", "After the backup")["id"])
    scope = tmp_path / "scope.json"
    scope.write_text(json.dumps({"lists": [CARDIO]}))
    officer.run("hold", "place", matter, "Placed after the backup", str(scope))
    assert site.run_cli("audit", "anchor").returncode == 0
    site.stop()
    for name in ("listd/site.db", "keys/keys.db"):
        for file in (site.data / name).parent.glob(f"{pathlib.Path(name).name}*"):
            file.unlink()
        for file in (tmp_path / name).parent.glob(f"{pathlib.Path(name).name}*"):
            shutil.copy(file, (site.data / name).parent)
    site.start()
    officer.sign_in()
    assert records.found(word) == []
    assert not remains(site, word)
    assert "Placed after the backup" in [hold["name"] for hold in officer.run("hold", "list")["items"]]
    verified = site.run_cli("audit", "verify").returncode
    assert verified in (3, 4), verified  # shorter than its anchors; rewritten once it is as long again


def test_a_long_reader_of_the_keys_keeps_remnants_that_are_told_and_go_when_it_ends(records):
    officer, site, word = records.officer, records.site, f"Eisvogel-{os.urandom(3).hex()}"
    records.post(NEWS, "Secure: read for long", word)
    wait_until(lambda: records.found(word), "the post is indexed")
    if not officer.run("retention", "rule-list")["items"]:  # this test alone
        records.approve(records.add_rule(name="Thirty days", tier="default", effect="both", period="30 days"))
    records.go_to(300)
    reader = sqlite3.connect(site.data / "keys/keys.db", isolation_level=None)
    try:
        reader.execute("BEGIN")
        wrapped = [row[0] for row in reader.execute("SELECT wrapped FROM object_keys ORDER BY object_id")]
        run = records.destroy()
        assert run["destroyed"] >= 1 and records.found(word) == []
        left = [key for key in wrapped if files_with(site.data, key)]
        assert left
        assert "keys.db" in officer.run("retention", "status")["remnants"]
        assert any("Remnants" in problem["what"] for problem in site.cli("status")["problems"])
        text = officer.run("retention", "certificate", str(run["certificate"]))["text"]
        assert "remnants: the write-ahead log of keys.db" in text
    finally:
        reader.close()
    wait_until(lambda: officer.run("retention", "status")["remnants"] == "", "the remnants are wiped", 90)
    with sqlite3.connect(site.data / "keys/keys.db") as database:
        alive = {row[0] for row in database.execute("SELECT wrapped FROM object_keys")}
    gone = [key for key in wrapped if key not in alive]
    assert gone and not any(files_with(site.data, key) for key in gone)


def test_a_damaged_register_stops_destruction_and_no_mail(records, tmp_path):
    officer, site, word = records.officer, records.site, f"Blaumeise-{os.urandom(3).hex()}"
    records.post(NEWS, "Secure: damaged", word)
    wait_until(lambda: records.found(word), "the post is indexed")
    if not officer.run("retention", "rule-list")["items"]:  # this test alone
        records.approve(records.add_rule(name="Thirty days", tier="default", effect="both", period="30 days"))
    matter = str(officer.run("matter", "create", "Register")["id"])
    scope = tmp_path / "scope.json"
    scope.write_text(json.dumps({"lists": [CARDIO]}))
    for name in ("one", "two"):
        officer.run("hold", "place", matter, name, str(scope))
    records.go_to(340)
    site.stop()
    register = site.data / "journal/register.log"
    whole = register.read_bytes()
    register.write_bytes(whole[:20] + bytes([whole[20] ^ 1]) + whole[21:])
    site.start()
    officer.sign_in()
    assert any("journal/register.log" in problem["do"] for problem in site.cli("status")["problems"])
    with pytest.raises(Refused):
        officer.web("retention.run")
    fresh = f"Kleiber-{os.urandom(3).hex()}"
    records.post(NEWS, "Secure: goes on", fresh)  # taken, sent and done
    assert len(records.found(word)) == 1
    assert register.read_bytes()[:len(whole)] != whole
    site.stop()
    register.write_bytes(whole)
    site.start()
    officer.sign_in()
    assert not any("journal/register.log" in problem["do"] for problem in site.cli("status")["problems"])
    records.destroy()
    assert records.found(word) == []


def test_an_export_killed_in_the_middle_is_the_same_archive_with_one_entry_of_custody(records, tmp_path):
    officer, site = records.officer.sign_in(), records.site
    word = f"Gimpel{os.urandom(3).hex()}"
    lines = [os.urandom(35).hex() for _ in range(600)]  # more than deflate looks back, and few words for the index
    for number in range(8):
        filler = "\n".join(random.choices(lines, k=30_000))
        records.post(NEWS, f"Secure: large {number}", f"{word} {filler}")
    wait_until(lambda: len(records.found(word)) == 8, "the posts are indexed", 60)
    matter = str(officer.run("matter", "create", "Killed export")["id"])

    def export():
        return officer.run("export", "create", word, "--matter", matter)

    def finished(made):
        def done():
            now = officer.run("export", "show", str(made["id"]))
            return now if now["state"] not in ("waiting", "paused") else None
        shown = wait_until(done, "the export ended", 90)
        assert shown["state"] == "done", shown
        folder = tmp_path / str(made["id"])
        archive = tmp_path / f"{made['id']}.zip"
        officer.run("export", "get", str(made["id"]), str(archive))
        subprocess.run(["7z", "x", "-y", f"-p{made['passphrase']}", f"-o{folder}", archive], check=True, capture_output=True)
        return {name: json.loads((folder / f"{name}.json").read_text()) for name in ("manifest", "custody")}

    for _attempt in range(5):
        killed = export()
        part = site.data / f"exports/{killed['id']}.zip.part"
        deadline = time.time() + 20
        while time.time() < deadline and not (part.exists() and part.stat().st_size > 1_000_000):
            if (site.data / f"exports/{killed['id']}.zip").exists():
                break
        site.kill("postern-listd")
        wait_until(site.ready, "the site is up again", 60)
        told = finished(killed)
        if told["custody"]["startedTimes"] > 1:
            break
    assert told["custody"]["startedTimes"] == 2
    assert told["manifest"]["messages"] == finished(export())["manifest"]["messages"]
    assert len(told["manifest"]["messages"]) == 8 and not told["manifest"]["missing"]
    entries = records.auditor.run("audit", "list", "--object", f"export {killed['id']}", "--action", "export.create")["items"]
    assert len(entries) == 1
    assert not list((site.data / "exports").glob("*.part"))


@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_checkpoints_reach_a_syslog_receiver(make_stage, kind):
    stage = make_stage()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(30)
        if kind == "tcp":
            receiver.listen()
        stage.site.set("audit.syslog", f'"{kind}://127.0.0.1:{receiver.getsockname()[1]}"')
        stage.open()
        stage.site.cli("audit", "anchor")
        line = b""
        if kind == "udp":
            line = receiver.recv(65536)
        else:
            connection, _ = receiver.accept()
            with connection:
                connection.settimeout(10)
                while b'note="' not in line or line.count(b'"') % 2:
                    line += connection.recv(65536)
    note = base64.b64decode(re.search(rb'note="([^"]+)"', line)[1]).decode()
    anchored = {path.read_text() for path in (stage.site.data / "anchors").glob("*.checkpoint")}
    assert "/audit/" in note and note in anchored
    assert {anchor["kind"] for anchor in stage.site.cli("audit", "status")["anchors"] if anchor["state"] == "fresh"} >= {
        "file", "syslog"}
