"""The mail API: a program sends as an account by a token that can do nothing else, each key once, by the same ladder and policies as
everybody, and asks what became of it."""
import base64
import email
import json
import os
import threading
import urllib.error
import urllib.request
import ssl

import pytest
from sitekit import make_message, wait_until
from staff import Staff

OUT, ANN, SAM = "outbound@lists.example", "ann@example.org", "sam@smime.example"
CANARY = "Kanarienvogel-" + os.urandom(4).hex()
POLICY = """return {name = "aaa_rules", doc = "Rules of this test.", hooks = {message = function(tx, msg)
  if msg.subject:find("Project", 1, true) then
    return reject { code = 550, enh = "5.7.1", reason = "project", text = "projects stay inside" }
  end
  return pass()
end}, cases = {}}
"""


class Scene:
    def __init__(self, stage):
        self.stage, self.site = stage, stage.site
        (self.site.data / "policies/aaa_rules.lua").write_text(POLICY)
        stage.open()
        self.admin = Staff(self.site, "ada", "", ["mail:write"])
        self.program = Staff(self.site, "shop", "helpdesk", ["mail:send"])
        self.site.cli("user", "set", "shop", "--mail", ANN)
        stage.make_list(OUT, [], ladder="smime,pickup")
        self.site.cli("relay", "add", "192.0.2.25", "example.org", OUT)
        stage.person(SAM, "rsa")

    def call(self, method, path, body=None, key=None, kind="application/json", token=None):
        headers = {"Authorization": "Bearer " + (token or self.program.token.read_text().strip())}
        if body is not None:
            headers["Content-Type"] = kind
        if key:
            headers["Idempotency-Key"] = key
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        request = urllib.request.Request(f"https://127.0.0.1:{self.site.web_port}/api/v1{path}", data, headers, method=method)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with urllib.request.urlopen(request, context=context, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def send(self, key=None, **changed):
        return self.call("POST", "/messages", {"from": ANN, "to": [SAM], "subject": "Order 7", "text": CANARY, **changed}, key or os.urandom(12).hex())

    def posts(self):
        return self.site.cli("post", "list", OUT)["items"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    from conftest import Stage
    stage = Stage(tmp_path_factory.mktemp("mail-api"))
    try:
        yield Scene(stage)
        assert CANARY not in stage.site.log.read_text()
        assert all(CANARY.encode() not in mail.raw for mail in stage.sink.received)
    finally:
        stage.close()


def test_a_message_goes_out_protected_and_its_status_tells_each_recipient(scene):
    file = base64.b64encode(b"a file").decode()
    status, sent = scene.send(to=[SAM, "nora@nothing.example"], files=[{"name": "a.txt", "type": "text/plain", "content": file}])
    assert status == 200, sent
    assert len(sent["trace"]) == 32 and sent["from"] == ANN and sent["recipients"] == 2 and sent["again"] is False
    copy = scene.stage.sink.wait(SAM)
    opened = email.message_from_bytes(scene.stage.people[SAM].decrypt((copy[-1] if isinstance(copy, list) else copy).raw))
    assert any(CANARY.encode() in (part.get_payload(decode=True) or b"") for part in opened.walk())
    def delivered():
        told = scene.call("GET", f"/messages/{sent['id']}")[1]
        states = {one["address"]: (one["protection"], one["state"]) for one in told["recipients"]}
        return told if states == {SAM: ("smime", "delivered"), "nora@nothing.example": ("pickup", "delivered")} else None
    told = wait_until(delivered, "both are delivered", 30)
    assert told["trace"] == sent["trace"] and CANARY not in json.dumps(told)
    assert scene.site.cli("trace", sent["trace"])["post"]["id"] == int(sent["id"])


def test_a_key_sends_once_the_same_is_answered_again_and_another_message_is_refused(scene):
    key, before = os.urandom(12).hex(), len(scene.posts())
    first, again = scene.send(key), scene.send(key)
    assert first[0] == again[0] == 200 and again[1]["again"] and {**again[1], "again": False} == first[1]
    status, told = scene.send(key, text="another text")
    assert status == 422 and "Idempotency-Key" in told["detail"]
    assert len(scene.posts()) == before + 1
    status, told = scene.call("POST", "/messages", {"from": ANN, "to": [SAM], "text": "x"})
    assert status == 400 and "Idempotency-Key" in told["detail"]


def test_the_same_key_at_once_sends_once(scene):
    key, before, answers = os.urandom(12).hex(), len(scene.posts()), []
    threads = [threading.Thread(target=lambda: answers.append(scene.send(key))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status for status, _ in answers} <= {200, 409} and 200 in {status for status, _ in answers}
    assert len({told["id"] for status, told in answers if status == 200}) == 1
    assert len(scene.posts()) == before + 1


def test_a_whole_message_may_be_given(scene):
    message = make_message(ANN, SAM, "whole", CANARY).encode()
    path = f"/messages?from={ANN}&to={SAM}"
    status, sent = scene.call("POST", path, message, os.urandom(12).hex(), "message/rfc822")
    assert status == 200, sent
    other = make_message("eve@example.org", SAM, "whole", CANARY).encode()
    status, told = scene.call("POST", path, other, os.urandom(12).hex(), "message/rfc822")
    assert status == 409 and ANN in told["detail"]


@pytest.mark.parametrize("changed, status", [
    ({"from": "eve@example.org"}, 409), ({"from": "ANN@EXAMPLE.ORG"}, 200), ({"to": []}, 400), ({"to": ["not an address"]}, 422),
    ({"subject": "Project Nine"}, 409), ({"to": [OUT]}, 409), ({"unknown": "x"}, 400)])
def test_what_is_not_allowed_by_the_pages_is_not_allowed_here(scene, changed, status):
    before = len(scene.posts())
    answer = scene.send(**changed)
    assert answer[0] == status, answer
    assert len(scene.posts()) == before + (status == 200)


def test_a_token_to_send_can_do_nothing_else_and_sees_its_own_messages_alone(scene):
    for path in ("/status", "/lists", "/mail", "/queue", "/tokens"):
        assert scene.call("GET", path)[0] == 403, path
    assert scene.call("POST", "/mail", {"key": "k" * 20, "to": [SAM], "text": "x"})[0] == 403
    mine = scene.send()[1]["id"]
    other = scene.admin.token.read_text().strip()
    assert scene.call("GET", f"/messages/{mine}", token=other)[0] in (404, 409)
    assert scene.call("GET", "/messages/999999")[0] == 404
    assert scene.call("GET", f"/messages/{mine}", token="pst_" + "x" * 40)[0] == 401
