"""A program of an account is told what became of its mail: signed, once, and never at an address that the site does not want called."""
import base64
import hashlib
import hmac
import http.server
import json
import threading
import time

import pytest
from sitekit import Refused, make_message, wait_until
from staff import Staff
from tlsworld import Authority

OUT, ANN, SAM, NORA = "outbound@lists.example", "ann@example.org", "sam@smime.example", "nora@nothing.example"


class Program:
    """A web server that remembers each call, and answers with the status that the test puts in."""

    def __init__(self, authority):
        self.calls, self.status = [], 200
        program = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                program.calls.append((dict(self.headers.items()), body))
                self.send_response(program.status)
                if program.status == 302:
                    self.send_header("Location", "https://localhost/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        context, _ = authority.server("localhost")
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://localhost:{self.server.server_port}/events?from=postern"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def bodies(self):
        return [json.loads(body) for _, body in self.calls]


@pytest.fixture
def world(make_stage, tmp_path):
    authority = Authority(tmp_path / "ca")
    program = Program(authority)

    def begin(**settings):
        stage = make_stage({"delivery.trust_anchors": f'"{authority.file}"', **settings}).open()
        site = stage.site
        Staff(site, "ada", "", ["mail:write"])
        Staff(site, "shop", "helpdesk", ["mail:write"])
        site.cli("user", "set", "shop", "--mail", ANN)
        stage.make_list(OUT, [], ladder="smime,pickup")
        site.cli("relay", "add", "192.0.2.25", "example.org", OUT)
        stage.person(SAM, "rsa")
        return stage

    yield begin, program
    program.server.shutdown()


def verify(secret, headers, body):
    headers = {name.lower(): value for name, value in headers.items()}
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(wanted).decode()
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 300
    return headers["webhook-id"]


def test_outcomes_are_told_signed_and_again_until_they_are_taken(world, tmp_path):
    begin, program = world
    stage = begin(**{"web.webhook_hosts": '"private"'})
    hook = stage.site.cli("webhook", "add", "shop", program.url)
    assert stage.site.cli("webhook", "test", str(hook["id"]))["taken"] is True
    assert program.bodies()[0]["type"] == "message.test"
    program.calls.clear()
    program.status = 500
    message = tmp_path / "m.eml"
    message.write_bytes(make_message(ANN, f"{SAM}, {NORA}", "Kanarienvogel", "Kanarienvogel").encode())
    stage.site.cli("send", str(message), "--secure", "--as", "shop", "--key", "letter-0123456789abcdef")
    wait_until(lambda: program.calls, "the first call", 60)
    assert stage.site.cli("webhook", "list")["items"][0]["lastAnswer"].endswith("answers 500")
    program.status = 200
    wait_until(lambda: stage.site.cli("webhook", "list")["items"][0]["waiting"] == 0 and len(program.calls) > 2, "all are told", 90)
    told = {(one["data"]["recipient"], one["type"], one["data"]["protection"]) for one in program.bodies()}
    assert told == {(SAM, "message.delivered", "smime"), (NORA, "message.delivered", "pickup")}
    ids = [verify(hook["secret"], headers, body) for headers, body in program.calls]
    assert len(set(ids)) == 2 and ids.count(ids[0]) >= 2, "the one that was not taken came again under its id"
    assert all(b"Kanarienvogel" not in body for _, body in program.calls)
    assert hook["secret"] not in stage.site.log.read_text()


def test_an_address_of_the_own_network_and_a_redirect_are_not_followed(world):
    begin, program = world
    stage = begin()
    hook = stage.site.cli("webhook", "add", "shop", program.url)
    answer = stage.site.cli("webhook", "test", str(hook["id"]))
    assert answer["taken"] is False and "web.webhook_hosts" in answer["answer"]
    assert not program.calls
    stage.site.set("web.webhook_hosts", '"private"')
    stage.site.stop()
    stage.site.start()
    program.status = 302
    answer = stage.site.cli("webhook", "test", str(hook["id"]))
    assert answer["taken"] is False and "302" in answer["answer"] and len(program.calls) == 1
    with pytest.raises(Refused):
        stage.site.cli("webhook", "add", "shop", "http://localhost/plain")
