"""Policy sets from a candidate to the door and back: what a set would refuse is explained, seen in its shadow and over stored
mail, put in force and rolled back, and each step shows in the replies at the SMTP port. What fails its cases never comes
into force, and a restart keeps what is."""
import json
import os
import re
import signal
import smtplib
import socket

import pytest
from sitekit import Refused, make_message, swaks, wait_until

SOCIAL, ANN, BEN = "social@lists.example", "ann@example.org", "ben@example.org"
SECRET = "Xylophone-4711"

NO_RAFFLES = """
return {
  name = "no_raffles",
  doc = "Refuses raffles.",
  sets = { raffle_words = "words of raffles" },
  hooks = {
    message = function(tx, msg)
      for word in msg.subject:gmatch("%a+") do
        if in_set("raffle_words", word) then return reject { reason = "raffle-word", text = "no raffles here" } end
      end
      if msg.subject:find("raffle", 1, true) then return reject { reason = "raffle", text = "no raffles here" } end
    end,
  },
  cases = {
    { title = "a raffle is refused", tx = { recipients = { "a@example.org" } }, msg = { subject = "raffle" },
      expect = { verdict = "reject", reason = "raffle" } },
    { title = "other mail passes", tx = { recipients = { "a@example.org" } }, msg = { subject = "x" },
      expect = { verdict = "pass" } },
  },
}
"""
BROKEN = NO_RAFFLES.replace('verdict = "pass"', 'verdict = "reject"')
LEAKING = NO_RAFFLES.replace('reason = "raffle", text', 'reason = msg.subject:lower():match("xyl%a+") or "raffle", text')


@pytest.fixture(scope="module")
def desk(stage):
    ben = stage.person(BEN)
    stage.make_list(SOCIAL, [ben, stage.person(ANN)], secure=False, posting="anyone")
    wait_until(lambda: stage.site.cli("policy", "history")["items"], "the set of the folder is taken over")
    return stage


def folder_of(desk, name, **policies):
    """A folder with the shipped policies and these."""
    folder = desk.folder / name
    folder.mkdir(exist_ok=True)
    shipped = desk.site.cli("policy", "show", str(first(desk)))["files"]
    for path, text in {**shipped, **{f"{key}.lua": value for key, value in policies.items()}}.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    (folder / "order.txt").unlink(missing_ok=True)
    return str(folder)


def first(desk):
    return min(item["revision"] for item in desk.site.cli("policy", "history")["items"])


def in_force(desk):
    return next(item for item in desk.site.cli("policy", "history")["items"] if item["state"] == "in-force")


def say(desk, subject):
    """The last reply of the site to a message with this subject, and its queue id."""
    code, dialogue = swaks(desk.site.smtp_port, ANN, [SOCIAL], make_message(ANN, SOCIAL, subject, SECRET))
    replies = [line for line in dialogue.splitlines() if line.startswith("<")]
    last = [line[4:] for line in replies if not line[4:].startswith("221")][-4:]
    last = [line for line in last if line[:3] == last[-1][:3]]
    found = re.search(r"\b([0-9a-f]{16,})\b", last[-1])
    return " ".join(last), found and found[1]


def there_and_back(desk):
    """Until a set came into force by order, the gateway has no copy of one: the folder is where it began."""
    folder = folder_of(desk, "raffles", no_raffles=NO_RAFFLES)
    desk.site.cli("policy", "reload", folder, "--reason", "there")
    desk.site.cli("policy", "rollback", "--reason", "and back")
    return folder


def audited(desk, action):
    """How often it is on record."""
    return desk.site.run_cli("audit", "export").stdout.count(f'"{action}"'.encode())


def test_the_whole_way_of_a_set(desk):
    site = desk.site
    raffles = folder_of(desk, "raffles", no_raffles=NO_RAFFLES)
    before = in_force(desk)

    reply, _ = say(desk, "the raffle of Monday")
    assert reply.startswith("250"), reply

    # In the shadow it judges live mail, and changes nothing.
    started = site.cli("policy", "shadow", "start", raffles, "--hours", "2")
    reply, _ = say(desk, "the raffle of Tuesday")
    assert reply.startswith("250"), reply
    reply, _ = say(desk, "the weather")
    assert reply.startswith("250"), reply
    report = wait_until(lambda: (r := site.cli("policy", "shadow", "report")) and r["different"] >= 1
                        and r["compared"] >= 2 and r, "the shadow has seen them")
    assert report["running"] and report["revision"] == started["revision"] and report["failed"] == 0
    kind = report["kinds"][0]
    assert (kind["now"], kind["then"]) == ("pass", "reject raffle (no_raffles)")
    assert len(report["kinds"]) == 1 and kind["messages"] == 1 and len(kind["examples"]) == 1
    assert site.cli("trace", kind["examples"][0])["post"]["queueId"] == kind["examples"][0]
    assert SECRET not in json.dumps(report) and "raffle of" not in json.dumps(report)
    assert in_force(desk)["revision"] == before["revision"]

    # Over stored mail it would have refused those two.
    wait_until(lambda: len(site.cli("post", "list", SOCIAL)["items"]) >= 3, "three posts are stored")
    job = site.cli("policy", "replay", raffles, "--days", "1")
    result = site.cli("job", "show", str(job["id"]))["result"]
    assert result["compared"] == 3 and result["different"] == 2 and result["failed"] == 0, result
    assert {one["then"] for one in result["messages"]} == {"reject raffle (no_raffles)"}
    assert "raffle of" not in json.dumps(result)

    # Explained before it is in force, and not by the set that is.
    (desk.folder / "raffle.eml").write_text(make_message(ANN, SOCIAL, "the raffle of Friday", SECRET))
    eml = str(desk.folder / "raffle.eml")
    now = site.cli("policy", "explain", eml)
    assert [one["verdict"] for one in now["recipients"]] == ["pass"]
    then = site.cli("policy", "explain", eml, "--folder", raffles, "--client-ip", "192.0.2.7")
    assert then["recipients"][0]["verdict"] == "reject" and then["recipients"][0]["policy"] == "no_raffles"
    message = next(hook for hook in then["hooks"] if hook["hook"] == "message")
    assert "no_raffles" in [step["policy"] for step in message["steps"]]
    text = site.run_cli("policy", "explain", eml, "--folder", raffles).stdout.decode()
    assert "no_raffles" in text and "reject 550 5.7.1 (raffle): no raffles here, by no_raffles in message" in text

    # In force: the door refuses.
    done = site.cli("policy", "reload", raffles, "--reason", "the board has decided so")
    assert done["atGateway"] and done["state"] == "in-force"
    reply, _ = say(desk, "the raffle of Saturday")
    assert reply.startswith("550") and "no raffles here" in reply
    assert say(desk, "the weather again")[0].startswith("250")

    # A restart of the gateway keeps it, also before listd is back.
    site.kill("postern-listd")
    site.kill("postern-gateway")
    site.wait_ready()
    assert say(desk, "the raffle of Sunday")[0].startswith("550")
    assert in_force(desk)["revision"] == done["revision"]

    # One step back.
    back = site.cli("policy", "rollback", "--reason", "the board has changed its mind")
    assert back["backTo"] == before["revision"] and back["atGateway"]
    assert say(desk, "the raffle of next week")[0].startswith("250")
    assert audited(desk, "policy.rollback") == 1 and audited(desk, "policy.activate") == 1
    site.cli("policy", "shadow", "stop")
    assert not site.cli("policy", "shadow", "report")["running"]
    assert SECRET.encode() not in site.log.read_bytes() and b"the raffle of" not in site.log.read_bytes()


def test_a_set_that_fails_its_cases_never_comes_into_force(desk):
    site = desk.site
    before = in_force(desk)
    broken = folder_of(desk, "broken", no_raffles=BROKEN)
    with pytest.raises(Refused) as refused:
        site.cli("policy", "reload", broken, "--reason", "in a hurry")
    stored = json.loads(re.search(r"exit \d+: (.*)", str(refused.value), re.S)[1])
    assert stored["state"] == "candidate" and not stored["report"]["ok"]
    with pytest.raises(Refused, match="stays out of force"):
        site.cli("policy", "activate", str(stored["revision"]), "--reason", "in a hurry")
    with pytest.raises(Refused, match="one of its cases fails"):
        site.cli("policy", "shadow", "start", broken)
    assert in_force(desk)["revision"] == before["revision"]
    assert say(desk, "raffles as ever")[0].startswith("250")
    site.kill("postern-gateway")
    site.wait_ready()
    assert in_force(desk)["revision"] == before["revision"]
    assert say(desk, "raffles as before")[0].startswith("250")


def test_a_set_of_values_is_in_force_when_the_order_returns(desk):
    site = desk.site
    raffles = folder_of(desk, "raffles", no_raffles=NO_RAFFLES)
    site.cli("policy", "reload", raffles, "--reason", "words are a set")
    assert say(desk, "a tombola")[0].startswith("250")
    added = site.cli("policy", "set-add", "raffle_words", "Tombola", "--reason", "asked for")
    assert added["entries"] == 1 and added["atGateway"]
    assert say(desk, "a tombola")[0].startswith("550")
    words = "\n".join(f"word{number}" for number in range(20_000))
    (desk.folder / "words").write_text("# many\n" + words + "\ntombola\n")
    imported = site.cli("policy", "set-import", "raffle_words", str(desk.folder / "words"))
    assert imported["added"] == 20_000 and imported["entries"] == 20_001
    assert say(desk, "a lottery")[0].startswith("250")
    site.kill("postern-gateway")
    site.wait_ready()
    assert say(desk, "a tombola")[0].startswith("550")
    assert site.cli("policy", "set-remove", "raffle_words", "tombola")["removed"] == 1
    assert say(desk, "a tombola")[0].startswith("250")
    listed = site.cli("policy", "set-list")["items"]
    assert [(one["set"], one["entries"]) for one in listed] == [("raffle_words", 20_000)]
    assert site.cli("policy", "set-show", "raffle_words", "--limit", "2")["items"] == ["word0", "word1"]
    site.cli("policy", "rollback", "--reason", "enough")


def test_a_stored_message_is_judged_but_not_told(desk):
    site = desk.site
    _, queue_id = say(desk, "raffle of the " + SECRET)
    post = wait_until(lambda: next((one for one in site.cli("post", "list", SOCIAL)["items"]
                                    if one["queueId"] == queue_id), None), "it is a post")
    leaking = folder_of(desk, "leaking", no_raffles=LEAKING)
    view = site.cli("policy", "explain", "--post", str(post["id"]), "--folder", leaking)
    assert view["stored"] and view["recipients"][0]["verdict"] == "reject"
    assert "xylophone" not in json.dumps(view).lower()
    pasted = site.cli("policy", "explain", "-", "--folder", leaking,
                      input=make_message(ANN, SOCIAL, "raffle of the " + SECRET, "x").encode())
    assert pasted["recipients"][0]["reason"] == "xylophone"  # who has the message may know
    job = site.cli("policy", "replay", leaking, "--days", "1")
    result = site.cli("job", "show", str(job["id"]))["result"]
    assert result["different"] >= 1 and "xylophone" not in json.dumps(result).lower()
    assert audited(desk, "policy.explain") >= 2


def test_a_gateway_that_comes_late_is_brought_to_what_the_store_says(desk):
    """Its copy of the set is of before (as from a backup), damaged, or gone; what the store says is in force soon, and
    what cannot be read is never taken for a set that lets mail pass."""
    site, copy = desk.site, desk.site.data / "gateway/policies.bin"
    raffles = there_and_back(desk)
    assert say(desk, "a raffle before")[0].startswith("250")
    former = copy.read_bytes()
    site.cli("policy", "reload", raffles, "--reason", "raffles again")
    site.cli("policy", "set-add", "raffle_words", "tombola")
    wanted = in_force(desk)["revision"]
    for bytes_of_copy in (former, former[:len(former) // 2], b"", None):
        site.stop()
        if bytes_of_copy is None:
            copy.unlink()
        else:
            copy.write_bytes(bytes_of_copy)
        site.start()
        wait_until(lambda: say(desk, "the raffle of the evening")[0].startswith("550"), "the door judges by the store", 90)
        assert say(desk, "a tombola of the evening")[0].startswith("550")
        assert say(desk, "the weather of the evening")[0].startswith("250")
        assert in_force(desk)["revision"] == wanted
    site.cli("policy", "set-remove", "raffle_words", "tombola")
    site.cli("policy", "rollback", "--reason", "enough")


def test_a_damaged_copy_defers_mail_while_listd_is_away(desk):
    site, copy = desk.site, desk.site.data / "gateway/policies.bin"
    there_and_back(desk)
    assert say(desk, "a letter before")[0].startswith("250")
    copy.write_bytes(copy.read_bytes()[:-1])
    listd = site.pids()["postern-listd"]
    os.kill(listd, signal.SIGSTOP)
    try:
        before = site.kill("postern-gateway")

        def greets():
            if site.pids().get("postern-gateway") in (None, before):
                return False
            with socket.create_connection(("127.0.0.1", site.smtp_port), 2) as door:
                door.settimeout(5)
                return door.recv(100)[:3] in (b"220", b"421")

        wait_until(lambda: quietly(greets), "the gateway is back", 60)
        code, dialogue = swaks(site.smtp_port, ANN, [SOCIAL], make_message(ANN, SOCIAL, "a letter meanwhile", SECRET))
        assert code != 0 and re.search(r"^<.*4[25]1[ -]4\.", dialogue, re.M), dialogue
        assert not re.search(r"^<.*250.*queued", dialogue, re.M), dialogue
    finally:
        if site.pids().get("postern-listd") == listd:
            os.kill(listd, signal.SIGCONT)
    wait_until(lambda: say(desk, "a letter after")[0].startswith("250"), "the gateway has the set of the store", 90)


def test_a_replay_waits_for_a_gateway_that_starts_anew(desk):
    site = desk.site
    raffles = folder_of(desk, "raffles", no_raffles=NO_RAFFLES)
    with smtplib.SMTP("127.0.0.1", site.smtp_port, timeout=60) as door:
        for number in range(40):
            door.sendmail(ANN, [SOCIAL], make_message(ANN, SOCIAL, f"raffle number {number}", SECRET).encode())
    wait_until(lambda: site.cli("status")["gateway"]["waitingAccepted"] == 0, "they are posts")
    stored = len(site.cli("post", "list", SOCIAL, "--limit", "500")["items"])
    assert stored >= 40
    job = site.cli("policy", "replay", raffles, "--days", "1", "--no-wait")["job"]
    gateway = site.pids()["postern-gateway"]
    os.kill(gateway, signal.SIGSTOP)
    os.kill(gateway, signal.SIGKILL)
    ended = wait_until(lambda: (one := site.cli("job", "show", str(job)))["state"] not in ("waiting", "running") and one,
                       "the job has ended", 120)
    assert ended["state"] == "done", ended
    result = ended["result"]
    assert result["compared"] == stored and result["unreadable"] == 0 and result["different"] >= 40, result
    site.wait_ready()


def quietly(ask):
    try:
        return ask()
    except OSError:
        return False
