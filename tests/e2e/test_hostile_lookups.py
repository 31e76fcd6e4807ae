"""Places of keys that lie, flood, dawdle or send elsewhere: LDAP directories and Web Key Directories on the network. What
they do costs bounded time and memory, leads to no other host, and puts no key in use."""
import pathlib
import re
import ssl
import subprocess
import threading
import time

import pytest

from sitekit import free_port, wait_until
from test_ladder import GnuPg
from tlsworld import PLAIN, Listening, TlsWorld

BOARD, PEOPLE = "board@lists.example", f"people.{PLAIN}"
ANN, BEN, ZOE = f"ann@{PEOPLE}", f"ben@{PEOPLE}", f"zoe@direct.{PLAIN}"
LDAP_LIMIT, WEB_LIMIT, SLACK = 10, 15, 8  # seconds; the machine may be busy
MEMORY, LDAP_PORT = 64 << 20, free_port()


def ber(tag, *parts):
    content = b"".join(parts)
    size = len(content)
    length = bytes([size]) if size < 128 else b"\x84" + size.to_bytes(4, "big")
    return bytes([tag]) + length + content


def text(value, tag=4):
    return ber(tag, value if isinstance(value, bytes) else value.encode())


def result(number, code=0, words=b"", *more):
    return ber(0x30, number, ber(0x65, ber(10, bytes([code])), text(""), text(words), *more))


def entry(number, values, name="userCertificate;binary", person="cn=x"):
    return ber(0x30, number, ber(0x64, text(person), ber(0x30, ber(0x30, text(name), ber(0x31, *map(text, values))))))


def reference(number, url):
    return ber(0x30, number, ber(0x73, text(url)))


class LyingDirectory(Listening):
    """Speaks TLS, hears a question, then does what `act` says: act(say, number, connection)."""

    def __init__(self, address, port, context):
        self.context, self.act, self.asked = context, None, 0
        super().__init__(address, port)

    def talk(self, connection):
        if self.act is None:
            return
        if self.act == "silent":
            time.sleep(LDAP_LIMIT + SLACK)
            return
        with self.context.wrap_socket(connection, server_side=True) as tls:
            question = tls.recv(65536)
            self.asked += 1
            at = 2 if question[1] < 128 else 2 + (question[1] & 127)
            self.act(tls.sendall, question[at:at + 2 + question[at + 1]], tls)
            time.sleep(1)


class WebHost(Listening):
    """HTTPS that does what `act` says: act(say, path). `asked`: paths."""

    def __init__(self, address, port, context):
        self.context, self.act, self.asked = context, None, []
        super().__init__(address, port)

    def talk(self, connection):
        with self.context.wrap_socket(connection, server_side=True) as tls:
            words = tls.makefile("rb").readline().decode().split()
            if len(words) < 3 or self.act is None:
                return
            self.asked.append(words[1])
            self.act(tls.sendall, words[1])


def document(body):
    return lambda say, path: say(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


def status(code, *fields):
    return lambda say, path: say(f"HTTP/1.1 {code} X\r\nContent-Length: 0\r\n{''.join(f + chr(13) + chr(10) for f in fields)}\r\n".encode())


class World(TlsWorld):
    def host(self, name, kind, port, trusted=True, certificate_for=None):
        label = name.removesuffix("." + PLAIN)
        address = self.address()
        self.records[PLAIN][f"{label} a"] = f"{name}. IN A {address}"
        context, _ = self.authority.server(certificate_for or name, self_signed=not trusted)
        made = kind(address, port, context)
        self.servers[f"{name} {kind.__name__}"] = made
        return made


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    from conftest import Stage
    folder = tmp_path_factory.mktemp("places")
    world = World(folder / "world")
    world.ldap = world.host(f"ldap.{PLAIN}", LyingDirectory, LDAP_PORT)
    world.decoy = world.host(f"decoy.{PLAIN}", LyingDirectory, LDAP_PORT)
    world.decoy.act = lambda say, number, tls: say(result(number))
    world.advanced = world.host(f"openpgpkey.{PEOPLE}", WebHost, world.https_port)
    world.people = world.host(PEOPLE, WebHost, world.https_port)
    world.direct = world.host(f"direct.{PLAIN}", WebHost, world.https_port)
    world.elsewhere = world.host(f"elsewhere.{PLAIN}", WebHost, world.https_port)
    world.wrong = world.host(f"openpgpkey.wrong.{PLAIN}", WebHost, world.https_port, certificate_for=f"other.{PLAIN}")
    world.unknown = world.host(f"openpgpkey.unknown.{PLAIN}", WebHost, world.https_port, trusted=False)
    world.publish()
    stage = Stage(folder, {**world.settings(), "smime.revocation_hosts": '"private"',
                           "keys.web_key_directories": '"on"'}).open()
    stage.make_list(BOARD, [], ladder="smime,openpgp")
    world.authority_file = world.authority.file
    yield stage, world
    stage.close()
    world.stop()


def peak_of_gateway(stage):
    text = pathlib.Path(f"/proc/{stage.site.pids()['postern-gateway']}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", text).group(1)) * 1024


def wkd_path(local, domain=None):
    done = subprocess.run(["/usr/lib/gnupg/gpg-wks-client", "--print-wkd-hash", f"{local}@example.org"], capture_output=True, text=True)
    digest = done.stdout.split()[0]
    return f"/.well-known/openpgpkey/{domain + '/' if domain else ''}hu/{digest}?l={local}"


def flood(say, piece):
    while True:  # ends when the other side does
        say(piece)


def half_a_record(say, number, tls):
    """A record of TLS that never becomes whole: what libldap waits for in one call of OpenSSL."""
    raw = tls.unwrap_to_socket()
    raw.sendall(b"\x17\x03\x03\x40\x00" + b"x" * 100)
    time.sleep(LDAP_LIMIT + SLACK)


def slowly_within_a_record(say, number, tls):
    raw = tls.unwrap_to_socket()
    raw.sendall(b"\x17\x03\x03\x40\x00")
    for _ in range(4 * (LDAP_LIMIT + SLACK)):
        raw.sendall(b"x")
        time.sleep(0.25)


def slowly(say, number, tls):
    for byte in entry(number, [b"x" * 2000]):
        say(bytes([byte]))
        time.sleep(0.1)


LIES = {
    "thousands of entries": lambda say, number, tls: say(b"".join(entry(number, [b"c" * 1000]) for _ in range(5000)) + result(number)),
    "megabytes in one value": lambda say, number, tls: say(entry(number, [b"c" * (30 << 20)]) + result(number)),
    "a length of two gigabytes": lambda say, number, tls: say(b"\x30\x84\x7f\xff\xff\xff" + b"c" * (30 << 20)),
    "a hundred thousand values": lambda say, number, tls: say(entry(number, [b""] * 400000) + result(number)),
    "no end of entries of nothing": lambda say, number, tls: flood(say, entry(number, []) * 100),
    "no end of referrals": lambda say, number, tls: flood(say, reference(number, f"ldaps://decoy.{PLAIN}:{LDAP_PORT}/") * 100),
    "no end of answers to other questions": lambda say, number, tls: flood(say, entry(b"\x02\x01\x55", [b"c"]) * 100),
    "garbage": lambda say, number, tls: say(bytes(i * 37 % 256 for i in range(100000))),
    "garbage within": lambda say, number, tls: say(ber(0x30, number, ber(0x64, text("cn=x"), b"\x30\x84\xff\xff\xff\xff" + b"\x31" * 500))
                                                   + result(number)),
    "deep nesting": lambda say, number, tls: say(ber(0x30, number, ber(0x64, text("cn=x"), b"\x30\x82\xff\xf0" * 15000)) + result(number)),
    "a referral as the result": lambda say, number, tls: say(result(number, 10, b"", ber(0xa3, text(f"ldaps://decoy.{PLAIN}:{LDAP_PORT}/")))),
    "one octet now and then": slowly,
    "half a record": half_a_record,
    "one octet now and then within a record": slowly_within_a_record,
    "nothing at all": "silent",
    "words of its own": lambda say, number, tls: say(result(number, 1, b"\x1b[2J\xff\xfe<script>alert(1)</script>\r\nX: y")),
}


@pytest.fixture(scope="module")
def directory(scene):
    stage, world = scene
    stage.site.cli("directory", "add", "liar", f"ldaps://ldap.{PLAIN}:{LDAP_PORT}", PEOPLE, "--base", "dc=x", "--authorities",
                   str(world.authority.file), "--authoritative")
    return world.ldap


class RawSocket(ssl.SSLSocket):
    """So that a test can write beside TLS."""

    def unwrap_to_socket(self):
        import socket
        return socket.socket(fileno=__import__("os").dup(self.fileno()))


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_directory_costs_bounded_time_and_memory_and_gives_no_key(scene, directory, lie):
    stage, world = scene
    directory.context.sslsocket_class = RawSocket
    directory.act = LIES[lie]
    before = peak_of_gateway(stage)
    asked = world.decoy.asked
    started = time.monotonic()
    answer = stage.site.cli("directory", "test", "liar", ANN)
    assert time.monotonic() - started < LDAP_LIMIT + SLACK, answer
    assert answer["keys"] == [] and answer["outcome"], answer
    assert answer["outcome"].isprintable() and answer["outcome"].isascii()
    assert peak_of_gateway(stage) - before < MEMORY
    assert world.decoy.asked == asked  # nobody is sent to another host


def test_what_a_directory_says_does_not_break_what_is_shown_of_it(scene, directory):
    stage, _ = scene
    stage.site.cli("member", "add", BOARD, ANN)
    directory.act = LIES["words of its own"]
    stage.site.cli("key", "lookup", ANN)
    told = stage.site.cli("directory", "list")["items"][0]["failure"]
    assert "<script>" in told and told.isprintable() and told.isascii()
    assert stage.site.cli("key", "list", ANN)["items"] == []


def test_an_honest_answer_comes_through_beside_the_lies(scene, directory):
    stage, _ = scene
    directory.act = lambda say, number, tls: say(entry(number, [b"no certificate"]) + reference(number, "ldaps://decoy.x/")
                                                 + result(number))
    answer = stage.site.cli("directory", "test", "liar", ANN)
    assert len(answer["keys"]) == 1 and not answer["keys"][0]["usable"]


@pytest.fixture(scope="module")
def keys(scene):
    return {address: GnuPg(address, "ed25519", "cv25519") for address in (ANN, ZOE)}


def look_up(stage, address):
    """What the Web Key Directory said, and the seconds that it took."""
    started = time.monotonic()
    found = stage.site.cli("key", "lookup", address)
    place = next(place for place in found["places"] if place["place"] == "wkd")
    return place, time.monotonic() - started


def states(stage, address):
    return [key["state"] for key in stage.site.cli("key", "list", address)["items"]]


@pytest.fixture(scope="module")
def members(scene, keys):
    stage, world = scene
    if any(item["name"] == "liar" for item in stage.site.cli("directory", "list")["items"]):
        stage.site.cli("directory", "remove", "liar")
    for host in (world.advanced, world.people, world.direct, world.elsewhere, world.wrong, world.unknown):
        host.act = status(404)
    listed = {item["address"] for item in stage.site.cli("member", "list", BOARD)["items"]}
    for address in (ANN, BEN, ZOE, f"x@wrong.{PLAIN}", f"x@unknown.{PLAIN}"):
        if address not in listed:
            stage.site.cli("member", "add", BOARD, address)
    return keys


def test_the_advanced_method_is_asked_alone_where_its_host_exists(scene, members):
    stage, world = scene
    world.people.act = document(members[ANN].run("--export", ANN))  # whoever runs the pages of the domain
    del world.advanced.asked[:], world.people.asked[:]
    place, _ = look_up(stage, ANN)
    assert place["keys"] == [] and states(stage, ANN) == []
    assert wkd_path("ann", PEOPLE) in world.advanced.asked and world.people.asked == []


@pytest.mark.parametrize("fault", [status(500), status(404), lambda say, path: None, status(301)])
def test_a_host_that_fails_does_not_bring_the_direct_method_into_play(scene, members, fault):
    stage, world = scene
    world.advanced.act = fault
    world.people.act = document(members[ANN].run("--export", ANN))
    del world.people.asked[:]
    assert look_up(stage, ANN)[0]["keys"] == [] and world.people.asked == []


def test_a_host_of_a_wrong_name_or_unknown_authority_is_not_asked(scene, members):
    stage, world = scene
    for host, domain in ((world.wrong, "wrong"), (world.unknown, "unknown")):
        host.act = document(members[ANN].run("--export", ANN))
        place, _ = look_up(stage, f"x@{domain}.{PLAIN}")
        assert place["keys"] == [] and host.asked == [], (domain, place)


@pytest.mark.parametrize("to", [f"https://elsewhere.{PLAIN}:PORT/k", f"http://elsewhere.{PLAIN}/k", "file:///etc/passwd",
                                "https://127.0.0.1:PORT/k"])
def test_a_redirect_is_not_followed_to_another_host(scene, members, to):
    stage, world = scene
    world.elsewhere.act = document(members[ANN].run("--export", ANN))
    del world.elsewhere.asked[:]
    world.advanced.act = status(302, "Location: " + to.replace("PORT", str(world.https_port)))
    place, _ = look_up(stage, ANN)
    assert place["keys"] == [] and world.elsewhere.asked == [], place


def test_a_huge_answer_is_cut(scene, members):
    stage, world = scene
    before = peak_of_gateway(stage)
    world.advanced.act = lambda say, path: (say(b"HTTP/1.1 200 OK\r\n\r\n"), flood(say, b"k" * 65536))
    place, seconds = look_up(stage, ANN)
    assert "too large" in place["outcome"] and seconds < SLACK
    world.advanced.act = lambda say, path: (say(b"HTTP/1.1 200 OK\r\n"), flood(say, b"X-Key: " + b"k" * 8000 + b"\r\n"))
    place, seconds = look_up(stage, ANN)
    assert place["keys"] == [] and seconds < WEB_LIMIT + SLACK
    assert peak_of_gateway(stage) - before < MEMORY


def test_a_slow_answer_is_cut(scene, members):
    stage, world = scene

    def dawdle(say, path):
        say(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(4 * (WEB_LIMIT + SLACK)):
            say(b"k")
            time.sleep(0.25)
    world.advanced.act = dawdle
    place, seconds = look_up(stage, ANN)
    assert place["keys"] == [] and WEB_LIMIT - 2 < seconds < WEB_LIMIT + SLACK


def test_a_key_of_another_address_or_none_is_not_taken(scene, members):
    stage, world = scene
    for body in (members[ZOE].run("--export", ZOE), b"", b"\x00" * 5000, b"<html>not found</html>"):
        world.advanced.act = document(body)
        place, _ = look_up(stage, ANN)
        assert not any(key["usable"] for key in place["keys"]) and states(stage, ANN) == []


def test_keys_of_both_methods_are_proposed(scene, members):
    stage, world = scene
    world.advanced.act = document(members[ANN].run("--export", ANN))
    world.direct.act = document(members[ZOE].run("--export", ZOE))
    del world.direct.asked[:]
    for address in (ANN, ZOE):
        place, _ = look_up(stage, address)
        assert [key["usable"] for key in place["keys"]] == [True], place
        assert states(stage, address) == ["proposed"]
    assert set(world.direct.asked) == {wkd_path("zoe")} and members


def test_a_gone_host_is_told_and_stops_nothing(scene, members):
    stage, world = scene
    place, _ = look_up(stage, BEN)
    assert not any(key["usable"] for key in place["keys"])
    assert threading.active_count() < 200
    wait_until(lambda: stage.site.cli("status"), "the site answers")
