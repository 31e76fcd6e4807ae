"""People who work with the site: they set up an account by their link, sign in with password and second factor, and make
access tokens. Orders go over the site's local socket as the web process gives them, or by `postern --token-file`."""
import base64
import hashlib
import hmac
import json
import os
import socket
import struct
import time
import urllib.parse

from sitekit import Refused

PASSWORD = "tea at the tram stop"


def totp(secret, at):
    """RFC 6238 with SHA-1, six digits, steps of 30 seconds."""
    key = base64.b32decode(secret.replace(" ", "") + "=" * (-len(secret.replace(" ", "")) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(at) // 30), hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset:offset + 4])[0] & 0x7fffffff) % 1_000_000:06}"


def receive(connection, size):
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionError("listd closed the connection")
        data += part
    return data


def give(site, order, actor, arguments):
    """One order over the door of the web process (core/app/Orders.h); Refused when listd says no."""
    frame = json.dumps({"order": order, "actor": actor, "args": arguments}).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(str(next(path for path in (site.data / "listd/web.sock", site.data / "run/listd.sock")
                                    if path.exists())))
        connection.sendall(struct.pack(">I", len(frame)) + frame)
        answer = json.loads(receive(connection, struct.unpack(">I", receive(connection, 4))[0]))
    if answer["ok"]:
        return answer["result"]
    raise Refused(answer["error"]["code"], answer["error"]["message"])


class Staff:
    """Somebody with an account. `scopes` are those of the access token that run() uses."""

    def __init__(self, site, name, roles, scopes):
        self.site, self.name, self.scopes = site, name, scopes
        first = name == "ada"
        link = site.cli("user", "setup-link") if first else site.cli("user", "invite", name, "--roles", roles)
        token = link.get("token") or urllib.parse.parse_qs(urllib.parse.urlsplit(link["url"]).query)["token"][0]
        self.secret = self.web("user.setup-check", token=token)["secret"]
        made = self.web("user.setup", token=token, password=PASSWORD, totp=totp(self.secret, self.now()),
                        **({"name": name} if first else {}))
        self.codes, self.proved_at = made["codes"], self.now()
        self.session = None
        self.sign_in()
        self.token = self.new_token()

    def now(self):
        return time.time() + self.site.offset

    def web(self, order, **arguments):
        """As the web process gives an order for the browser of this person, or for a visitor while nobody is signed in."""
        session = getattr(self, "session", None)
        actor = {"kind": "web", "token": session} if session else {"kind": "system", "name": "webadmin"}
        actor["client"] = "127.0.0.1"
        return give(self.site, order, actor, arguments)

    def sign_in(self):
        """Password, and the code of the app or, when its last one was used just now, a recovery code; nothing when the last
        sign-in still counts as a step-up."""
        if self.session and 0 <= self.now() - self.proved_at < 240:
            return self
        self.session = None
        ticket = self.web("user.authenticate", name=self.name, password=PASSWORD, client="127.0.0.1")["ticket"]
        proof = ({"totp": totp(self.secret, self.now())} if self.now() - self.proved_at > 90
                 else {"recoveryCode": self.codes.pop()})
        self.session = self.web("user.factor", ticket=ticket, client="127.0.0.1", **proof)["session"]["secret"]
        self.proved_at = self.now()
        return self

    def new_token(self, days=366):
        made = self.web("token.create", name=f"test {os.urandom(2).hex()}", scopes=self.scopes, days=days)
        path = self.site.data.parent / f"{self.name}-{made['id']}.token"
        path.write_text(made["token"])
        path.chmod(0o600)
        return path

    def run(self, *arguments, token=None):
        """`postern --token-file … --json …`: its answer, or Refused."""
        return self.site.cli("--token-file", str(token or self.token), *arguments)
