"""Send secure: somebody with an account writes to people elsewhere, who have S/MIME, OpenPGP or nothing. Each gets it
protected, from the account's own address and no other, once."""
import base64
import email
import email.policy
import email.utils
import json
import os
import ssl
import time
import urllib.error
import urllib.request

import pytest
from recipient import Recipient, link_in
from sitekit import Failure, Refused, files_with, make_message, wait_until
from staff import Staff
from test_ladder import GnuPg

OUT = "outbound@lists.example"
ANN = "ann@example.org"
SAM, OTTO, NORA = "sam@smime.example", "otto@pgp.example", "nora@nothing.example"
CANARY, WORD = "Kanarienvogel-" + os.urandom(4).hex(), "Röhrsänger-" + os.urandom(4).hex()
FILE = ("Befund für Zoë.txt", ("Anlage " + CANARY + "\n").encode())


# What a site may have beside ours: as for mail by SMTP, nothing of it knows that this mail was written on a page.
POLICY = """return {name = "aaa_rules", doc = "Rules of this test.", hooks = {
  rcpt = function(tx, rcpt)
    if rcpt.address:find("@rival.example", 1, true) then
      return reject { code = 550, enh = "5.7.1", reason = "rival", text = "nobody writes to rivals" }
    end
    return pass()
  end,
  message = function(tx, msg)
    if msg.subject:find("Broken", 1, true) then error("broken") end
    if msg.subject:find("Tonight", 1, true) then
      return defer { code = 451, enh = "4.7.1", reason = "tonight", text = "not before eight" }
    end
    if msg.subject:find("Project", 1, true) then
      return reject { code = 550, enh = "5.7.1", reason = "project", text = "projects stay inside" }
    end
    if msg.subject:find("Guarded", 1, true) and not (tx.client.tls and tx.client.tls.version == "TLSv1.3") then
      return reject { code = 550, enh = "5.7.1", reason = "no-tls", text = "come by TLS" }
    end
    if msg.subject:find("Strictly", 1, true) then msg:note("protect", "smime") end
    return pass()
  end }, cases = {}}
"""


class Scene:
    def __init__(self, stage, folder):
        self.stage, self.site = stage, stage.site
        self.site.set("web.url", f'"https://localhost:{self.site.web_port}"')
        (self.site.data / "policies/aaa_rules.lua").write_text(POLICY)
        stage.open()
        self.ada = Staff(self.site, "ada", "", ["mail:write", "mail:read"])
        self.ann = Staff(self.site, "ann", "helpdesk", ["mail:write", "mail:read"])
        stage.make_list(OUT, [], ladder="smime,openpgp,pickup")
        self.site.cli("relay", "add", "192.0.2.25", "example.org", OUT)
        stage.person(SAM, "rsa")
        self.otto = GnuPg(OTTO, "ed25519", "cv25519")
        self.site.cli("key", "import", OTTO, str(self.otto.public))

    def posts(self):
        return self.site.cli("post", "list", OUT)["items"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    from conftest import Stage
    stage = Stage(tmp_path_factory.mktemp("send-secure"))
    try:
        yield Scene(stage, tmp_path_factory.mktemp("people"))
        for word in (CANARY.encode(), WORD.encode(), base64.b64encode(FILE[1])[:40]):
            assert files_with(stage.site.data, word) == []
            assert all(word not in mail.raw for mail in stage.sink.received)
    finally:
        stage.close()


def form(**changed):
    return {"key": "form-" + os.urandom(12).hex(), "to": [SAM, OTTO, NORA], "subject": WORD, "text": CANARY,
            "files": [{"name": FILE[0], "type": "text/plain", "content": base64.b64encode(FILE[1]).decode()}], **changed}


def refused(scene, **changed):
    with pytest.raises(Refused) as found:
        scene.ann.web("mail.send", **form(**changed))
    return str(found.value.error)


def test_an_account_without_an_address_cannot_write(scene):
    assert "no mail address" in refused(scene)
    scene.site.cli("user", "set", "ann", "--mail", ANN)
    assert scene.ann.web("mail.preview")["from"] == ANN


@pytest.fixture(scope="module")
def sent(scene):
    scene.site.cli("user", "set", "ann", "--mail", ANN)
    written = form()
    plan = scene.ann.web("mail.preview", to=written["to"])["items"]
    assert {row["address"]: row["protection"] for row in plan} == {SAM: "smime", OTTO: "openpgp", NORA: "pickup"}
    first = scene.ann.web("mail.send", **written)
    second = scene.ann.web("mail.send", **written)  # a double click
    assert second == {**first, "again": True} and not first["again"]

    def finished():
        shown = scene.ann.web("mail.sent", id=first["id"])
        return shown if {row["state"] for row in shown["recipients"]} == {"delivered"} else None

    return wait_until(finished, "each recipient has a copy", 60)


def check_inner(inner):
    assert inner["From"] == ANN and WORD in inner["Subject"]
    assert inner.get_body(("plain",)).get_content().strip() == CANARY
    attached, = inner.iter_attachments()
    assert attached.get_filename() == FILE[0] and attached.get_payload(decode=True) == FILE[1]


def test_the_result_names_each_recipient_with_the_protection_of_the_copy(sent):
    assert {row["address"]: row["protection"] for row in sent["recipients"]} == {SAM: "smime", OTTO: "openpgp",
                                                                                 NORA: "pickup"}


def test_openssl_opens_the_copy_with_subject_and_file(scene, sent):
    copy = scene.stage.sink.wait(SAM)[-1]
    assert copy.message["Subject"] == "[...]" and email.utils.parseaddr(copy.message["From"])[1] == ANN and copy.sender == ANN
    check_inner(email.message_from_bytes(scene.stage.people[SAM].decrypt(copy.raw), policy=email.policy.default))


def test_gpg_opens_the_copy_with_subject_and_file(scene, sent):
    message = scene.stage.sink.wait(OTTO)[-1].message
    assert message["Subject"] == "[...]" and message.get_content_type() == "multipart/encrypted"
    opened = scene.otto.run("--decrypt", input=message.get_payload()[1].get_payload(decode=True))
    check_inner(email.message_from_bytes(opened, policy=email.policy.default))


def test_a_double_click_sent_once(scene, sent):
    assert len(scene.posts()) == 1
    for address in (SAM, OTTO, NORA):
        assert len(scene.stage.sink.of(address)) == 1


def test_from_is_the_accounts_own_address_and_cannot_be_another(scene, sent):
    assert "your own account only" in refused(scene, account="ada")
    for field in ("from", "From", "sender", "mailFrom"):
        scene.ann.web("mail.preview", **{field: "ceo@example.org"})["from"] == ANN
    raw = make_message("ceo@example.org", SAM, "Pay", "now")
    content = raw if isinstance(raw, bytes) else raw.encode()
    assert f"From must be {ANN}" in refused(scene, message=base64.b64encode(content).decode())


@pytest.mark.parametrize("changed", [
    {"subject": "x\r\nBcc: eve@evil.example"}, {"subject": "x\nFrom: ceo@example.org"}, {"subject": "x\ry"},
    {"to": [SAM + "\r\nBcc: eve@evil.example"]}, {"to": [SAM + ", eve@evil.example"]}, {"cc": ["a\n@b.example"]},
    {"files": [{"name": "a\r\nBcc: eve@evil.example", "type": "text/plain", "content": ""}]},
    {"files": [{"name": "a", "type": "text/plain\r\nBcc: eve@evil.example", "content": ""}]},
    {"to": ["user%other.example@foreign.example"]}, {"to": ["board@lists.example"]}, {"to": ["user@[127.0.0.1]"]}])
def test_what_could_break_a_header_or_route_is_refused(scene, sent, changed):
    assert refused(scene, **changed)
    assert len(scene.posts()) == 1


def test_one_who_has_nothing_reads_it_by_pick_up(scene, sent):
    nora = Recipient(scene.site)
    nora.first_visit(link_in(scene.stage.sink.wait(NORA)[-1].raw))
    path = next(path for subject, path in nora.subjects().items() if WORD in subject)
    nora.send(nora.get(path), path + "/open")
    kept = email.message_from_bytes(nora.get(path + "/message.eml").body, policy=email.policy.default)
    assert ANN in (kept["Reply-To"] or kept["From"]) and kept.get_body(("plain",)).get_content().strip() == CANARY
    attached, = kept.iter_attachments()
    assert attached.get_filename() == FILE[0] and attached.get_payload(decode=True) == FILE[1]
    shown = scene.ann.web("mail.sent", id=sent["post"]["id"])
    assert next(row for row in shown["recipients"] if row["address"] == NORA)["pickup"]["openedAt"] > 0


def test_the_command_line_sends_a_file_as_an_account_once(scene, sent, tmp_path):
    raw = make_message(f"Ann <{ANN}>", SAM, WORD, CANARY)
    path = tmp_path / "letter.eml"
    path.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
    arguments = ("send", str(path), "--secure", "--as", "ann", "--key", "letter-0123456789abcdef")
    first = scene.site.cli(*arguments)
    assert first["from"] == ANN and scene.site.cli(*arguments) == {**first, "again": True}
    by_token = ("send", str(path), "--secure", "--key", "letter-0123456789abcdef")
    assert scene.ann.run(*by_token) == {**first, "again": True}
    with pytest.raises(Refused):
        scene.ada.run(*by_token, "--as", "ann")
    copy = wait_until(lambda: scene.stage.sink.of(SAM)[1:], "the copy came")[0]
    inner = email.message_from_bytes(scene.stage.people[SAM].decrypt(copy.raw), policy=email.policy.default)
    assert WORD in inner["Subject"] and inner.get_content().strip() == CANARY


@pytest.mark.parametrize("changed, words", [
    ({"subject": "Project X"}, "a policy of this site refuses this message"), ({"subject": "Project X"}, "projects stay inside"),
    ({"to": [SAM, "eve@rival.example"]}, "nobody writes to rivals"),
    ({"subject": "Tonight"}, "does not let this message out now"), ({"subject": "Broken"}, "does not let this message out now")])
def test_the_policies_of_the_site_are_asked_as_for_mail_by_smtp(scene, sent, changed, words):
    posts, heard = len(scene.posts()), len(scene.stage.sink.received)
    assert words in refused(scene, **changed)
    assert len(scene.posts()) == posts and len(scene.stage.sink.received) == heard


def by_api(scene, path, body):
    """The answer of the API to Ann's token, by HTTPS: (status, JSON)."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    request = urllib.request.Request(f"https://127.0.0.1:{scene.site.web_port}/api/v1{path}", json.dumps(body).encode(),
                                     {"Authorization": "Bearer " + scene.ann.token.read_text().strip(), "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, context=context, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_what_would_be_refused_is_said_before_sending_and_counts_as_no_refusal(scene, sent):
    posts, refusals = len(scene.posts()), scene.site.cli("status")["today"]["refused"]
    written = form(subject="Project Z")
    del written["key"]
    verdict = scene.ann.web("mail.preview", **written)["verdict"]
    assert not verdict["passed"] and not verdict["later"] and "projects stay inside" in verdict["text"]
    written["subject"] = "Tonight"
    assert scene.ann.web("mail.preview", **written)["verdict"]["later"]
    written["subject"] = "Strictly"
    strict = scene.ann.web("mail.preview", **written)
    assert strict["verdict"]["passed"] and {row["protection"] for row in strict["items"]} == {"smime", "withheld"}
    assert len(scene.posts()) == posts
    refused(scene, subject="Project Z")  # this one counts
    wait_until(lambda: scene.site.cli("status")["today"]["refused"] > refusals, "the refusal is counted")
    assert scene.site.cli("status")["today"]["refused"] == refusals + 1


def test_a_policy_that_demands_tls_of_clients_lets_through_who_came_by_https_and_nobody_else(scene, sent):
    guarded = form(subject="Guarded " + WORD, to=[SAM], files=[])
    assert "come by TLS" in refused(scene, **{**guarded, "key": "another-" + guarded["key"]})  # by no HTTPS
    status, plan = by_api(scene, "/mail/preview", {name: guarded[name] for name in ("to", "subject", "text")})
    assert status == 200 and plan["verdict"] == {"passed": True, "later": False, "text": ""}, plan
    status, done = by_api(scene, "/mail", guarded)
    assert status == 200 and not done["again"], done
    shown = scene.site.cli("trace", str(done["id"]))["post"]["client"]
    assert shown["tls"]["version"] == "TLSv1.3" and shown["tls"]["cipher"].startswith("TLS_")


def test_what_a_policy_refuses_of_it_is_counted_with_the_refusals_at_the_door(scene, sent):
    before = scene.site.cli("status")["today"]["refused"]
    refused(scene, subject="Project Y")
    wait_until(lambda: scene.site.cli("status")["today"]["refused"] > before, "the refusal is counted")


def test_a_policy_can_ask_for_more_protection_and_not_for_less(scene, sent):
    strict = scene.ann.web("mail.send", **form(subject="Strictly " + WORD, files=[]))
    shown = wait_until(lambda: (scene.ann.web("mail.sent", id=strict["id"])), "it is planned")
    assert {row["address"]: row["protection"] for row in shown["recipients"]} == {SAM: "smime", OTTO: "withheld",
                                                                                 NORA: "withheld"}


def test_while_no_policy_can_be_asked_nothing_is_taken_and_nothing_is_lost(scene, sent):
    written = form(subject=WORD + " again", to=[SAM], files=[])
    posts = len(scene.posts())
    scene.site.kill("postern-gateway")
    try:
        scene.ann.web("mail.send", **written)
    except Refused as away:
        assert "cannot be asked just now" in str(away.error)
        assert len(scene.posts()) == posts

    answers = []

    def sent_once():
        try:
            return scene.ann.web("mail.send", **written)
        except Refused as refused:
            answers.append(str(refused.error))
            time.sleep(1)  # tries count: an account has a hundred in an hour
            return None

    try:
        wait_until(sent_once, "the gateway is back and takes it", 60)
    except Failure as failure:
        raise Failure(f"{failure}; the last answer: {answers[-1]}") from None
    assert len(scene.posts()) == posts + 1
