"""Backups by restic on real processes: a site that is lost comes back with its queue, its mail and its holds, and without
what was destroyed."""
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess

import pytest
from sitekit import Refused, files_with, make_message, swaks, wait_until
from test_records import CARDIO, NEWS, records_site

KEPT, GOES, WAITS = "Eisvogel-6b1d", "Pirol-90ce", "Steinkauz-33fa"


def place_backups(site, folder):
    """Sets the repositories, outside of the data folder, and makes them."""
    site.set("backup.repository", f'"{folder / "contents"}"')
    site.set("backup.keys_repository", f'"{folder / "keys"}"')
    return site.cli("backup", "init")


def restore_arguments(folder, password):
    return ["--repository", str(folder / "contents"), "--keys-repository", str(folder / "keys"), "--password-file",
            str(password), "--reason", "the disk died", "--by", "ada", "--second", "paul"]


@pytest.fixture
def records():
    with records_site() as made:
        yield made


def lose(site, away):
    """The machine is gone, but for what somebody kept elsewhere."""
    site.stop()
    kept = away / "kept"
    kept.mkdir()
    for path in ("keys/root.key", "journal/register.log", "backup/password"):
        shutil.copy(site.data / path, kept / pathlib.Path(path).name)
    shutil.copytree(site.data / "anchors", kept / "anchors")
    shutil.rmtree(site.data)
    return kept



def test_a_lost_site_comes_back_without_what_was_destroyed_and_with_what_is_held(records, tmp_path):
    site, officer, sink = records.site, records.officer, records.stage.sink
    records.add_rule(name="Thirty days", tier="default", effect="both", period="30 days")
    kept, goes = records.post(CARDIO, "Secure: kept", KEPT), records.post(NEWS, "Secure: goes", GOES)
    records.go_to(8)
    sink.answer = lambda address: "451 4.2.1 later" if address == "bob@example.org" else "250 OK"
    code, dialogue = swaks(site.smtp_port, "ann@example.org", [CARDIO],
                           make_message("ann@example.org", CARDIO, "Secure: waits", WAITS))
    assert code == 0, dialogue
    wait_until(lambda: site.cli("status")["gateway"]["queued"] == 1, "Bob's copy waits")
    wait_until(lambda: records.found(GOES) and records.found(WAITS), "the posts are indexed")

    place_backups(site, tmp_path)
    made = site.cli("backup", "create")
    assert made["outcome"] == "made" and made["objects"] == 3, made
    for canary in (KEPT, GOES, WAITS, "ann@example.org"):
        assert files_with(tmp_path, canary.encode()) == []
    assert not list((site.data / "keys/backups").iterdir()) and not (site.data / "listd/backup").exists()

    # After the backup: a hold, and the destruction of what nothing holds.
    sink.answer = None
    matter = str(officer.run("matter", "create", "Case 8")["id"])
    scope = tmp_path / "scope.json"
    scope.write_text(json.dumps({"lists": [CARDIO]}))
    officer.run("hold", "place", matter, "All of cardio", str(scope))
    records.go_to(31)
    run = records.destroy()
    assert run["destroyed"] == 1, run
    assert site.run_cli("audit", "anchor").returncode == 0
    seen_by_bob = len(sink.of("bob@example.org"))

    kept_files = lose(site, tmp_path)
    report = json.loads(run_restore(site, tmp_path, kept_files).stdout)
    assert report["whole"] and report["objects"] == 2 and report["opened"] == 2, report
    assert report["holdsBack"] == 1 and report["destroyed"] == 1 and report["tombstones"] >= 1, report
    assert report["audit"]["code"] == 7, report

    site.set("testing.clock_offset", str(8 * 86400))
    site.start()
    copy = sink.wait("bob@example.org", seen_by_bob + 1)[-1]
    assert WAITS.encode() in records.stage.people["bob@example.org"].read(copy.raw)
    for person in (officer, records.approver):
        person.sign_in()
    assert records.found(GOES) == []
    assert site.cli("trace", goes)["post"], goes
    wait_until(lambda: records.found(KEPT) and records.found(WAITS), "the restored posts are found")
    records.go_to(45)
    assert records.destroy()["destroyed"] == 0
    assert officer.run("retention", "verify", kept)["ok"]
    done = site.run_cli("audit", "verify", "--anchors", str(kept_files / "anchors"), "--pub",
                        str(kept_files / "anchors/public-key"))
    assert done.returncode == 7, done.stdout + done.stderr


def run_restore(site, folder, kept):
    done = subprocess.run([site.programs / "postern", "--json", "backup", "restore", "--to", site.data,
                           *restore_arguments(folder, kept / "password"), "--root-key", kept / "root.key", "--register",
                           kept / "register.log", "--anchors", kept / "anchors"], capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_the_next_backup_holds_what_changed_and_a_drill_proves_it(make_stage, tmp_path):
    stage = make_stage().open()
    site = stage.site
    stage.make_list(CARDIO, [stage.person("ann@example.org", "p256")])
    big = os.urandom(3 << 20).hex()
    code, dialogue = swaks(site.smtp_port, "ann@example.org", [CARDIO],
                           make_message("ann@example.org", CARDIO, "Secure: big", "\r\n".join(big[i:i + 70] for i in range(0, len(big), 70))))
    assert code == 0, dialogue
    stage.sink.wait("ann@example.org")
    assert site.run_cli("backup", "create", "--scheduled").returncode == 0  # nothing is set: nothing to do
    assert site.cli("backup", "status")["made"] is None
    with pytest.raises(Refused):
        site.cli("backup", "create")
    place_backups(site, tmp_path)
    first = site.cli("backup", "create")
    second = site.cli("backup", "create")
    assert first["bytes"] > 6 << 20 and second["bytes"] < first["bytes"] / 4, (first, second)
    drilled = site.cli("backup", "drill")
    assert drilled["proven"] and drilled["opened"] == 1, drilled
    status = site.cli("backup", "status")
    assert status["proven"]["objects"] == 1 and not (site.data / "backup/drill").exists()
    assert [item["outcome"] for item in status["items"]] == ["proven", "made", "made"]
    listed = site.cli("backup", "list")
    assert [item["snapshot"] for item in listed["contents"]] == [first["content"], second["content"]]
    assert site.cli("backup", "verify", "--all")["ok"]

    # A repository that lost a part.
    packs = sorted((tmp_path / "contents/data").rglob("*"), key=lambda path: path.stat().st_size if path.is_file() else 0)
    packs[-1].chmod(0o600)
    packs[-1].write_bytes(b"x" * packs[-1].stat().st_size)
    assert site.run_cli("backup", "verify", "--all").returncode == 3
    assert site.run_cli("backup", "drill").returncode != 0
    assert site.cli("backup", "status")["refuted"]["message"]


def test_a_backup_that_could_not_be_read_is_refused(make_stage, tmp_path):
    stage = make_stage().open()
    site = stage.site
    stage.make_list(CARDIO, [stage.person("ann@example.org", "p256")])
    swaks(site.smtp_port, "ann@example.org", [CARDIO], make_message("ann@example.org", CARDIO, "Secure: x", KEPT))
    stage.sink.wait("ann@example.org")
    place_backups(site, tmp_path)
    site.stop()
    with sqlite3.connect(site.data / "keys/keys.db") as keys:
        epochs = keys.execute("SELECT count(*) FROM epochs").fetchone()[0]
        keys.execute("PRAGMA foreign_keys = OFF")
        keys.execute("DELETE FROM epochs")
    keys.close()
    assert epochs > 0
    site.start()
    done = site.run_cli("backup", "create")
    assert done.returncode == 3, done
    assert b"key" in done.stderr
    assert site.cli("backup", "list") == {"contents": [], "keys": []}
    assert "key" in site.cli("backup", "status")["failed"]["message"]


def test_accepted_mail_that_no_post_was_made_of_is_in_the_backup(make_stage, tmp_path):
    """Mail keeps coming while the backup is made; what the restored site has is read once by everybody, none twice."""
    stage = make_stage().open()
    site = stage.site
    ann = stage.person("ann@example.org", "p256")
    stage.make_list(CARDIO, [ann])
    place_backups(site, tmp_path)
    accepted = []
    for number in range(40):
        code, dialogue = swaks(site.smtp_port, "ann@example.org", [CARDIO],
                               make_message("ann@example.org", CARDIO, f"Secure: {number}", f"canary-{number:03}-x"))
        if code == 0:
            accepted.append(number)
        if number == 5:
            backup = subprocess.Popen([site.programs / "postern", "--data", site.data, "backup", "create"],
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert backup.wait(60) == 0, backup.stdout.read()
    ports = site.smtp_port, site.smtps_port, site.web_port
    stage.sink.wait("ann@example.org", len(accepted))
    site.cli("audit", "status")
    assert site.run_cli("audit", "anchor").returncode == 0
    kept = lose(site, tmp_path)
    before = len(stage.sink.received)
    run_restore(site, tmp_path, kept)
    site.smtp_port, site.smtps_port, site.web_port = ports
    site.start()
    code, _ = swaks(site.smtp_port, "ann@example.org", [CARDIO],
                    make_message("ann@example.org", CARDIO, "Secure: last", "canary-last-x"))
    assert code == 0
    wait_until(lambda: any(b"canary-last-x" in ann.read(m.raw) for m in stage.sink.received[before:]), "the last post")
    again = [ann.read(m.raw) for m in stage.sink.received[before:]]
    posts = {item["id"] for item in site.cli("post", "list", CARDIO, "--limit", "100")["items"]}
    assert len(posts) >= 6
    for number in range(6):  # delivered before the backup began: never again
        assert not any(f"canary-{number:03}-x".encode() in text for text in again)
