"""Companions of inspection and the quarantine: ClamAV, rspamd and milters of Debian judge mail at the door, DNS lists
name bad clients, and what a person has to look at waits sealed in the vault until it is released, once, or destroyed."""
import base64
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

import pytest
from sitekit import Refused, files_with, free_port, make_message, swaks, wait_until

BOARD, SOCIAL = "board@lists.example", "social@lists.example"
ANN, BEN = "ann@example.org", "ben@example.org"
EICAR = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
GTUBE_HEADER = "YJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"  # action add header


class Daemon:
    """A program of Debian with a configuration of its own, in the foreground."""

    def __init__(self, command, is_ready, log):
        self.command, self.is_ready, self.log, self.process = command, is_ready, log, None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait_until(self.runs, f"{self.command[0]} is ready\n{pathlib.Path(self.log).read_text()[-2000:]}", 60)
        return self

    def runs(self):
        assert self.process.poll() is None, pathlib.Path(self.log).read_text()[-3000:]
        return self.is_ready()

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(30)
            self.process = None


def answers(address):
    def ask():
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        with socket.socket(family) as probe:
            return probe.connect_ex(address) == 0
    return ask


def needs(program):
    found = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not found:
        pytest.skip(f"{program} is missing: tools/setup test")
    return found


def clamd(folder):
    """ClamAV with one signature of our own: the test file of EICAR."""
    program = needs("clamd")
    (folder / "db").mkdir(parents=True)
    (folder / "db/own.ndb").write_text(f"Own.Eicar:0:*:{EICAR.encode().hex()}\n")
    where = str(folder / "clamd.sock")
    (folder / "clamd.conf").write_text(f"LocalSocket {where}\nDatabaseDirectory {folder}/db\nForeground yes\n"
                                       f"TemporaryDirectory {folder}\nStreamMaxLength 25M\nMaxThreads 2\n")
    os.chmod(folder, 0o755)
    daemon = Daemon([program, "-c", str(folder / "clamd.conf")], answers(where), folder / "log")
    daemon.address = "unix:" + where
    return daemon


def rspamd(folder):
    """rspamd with no rules but its test patterns: a worker for HTTP, and one that speaks milter."""
    program = needs("rspamd")
    folder.mkdir(parents=True)
    http, milter = free_port(), free_port()
    (folder / "rspamd.conf").write_text(f"""
options {{ pidfile = "{folder}/pid"; filters = ""; control_socket = "{folder}/control.sock mode=0600";
  gtube_patterns = "all"; enable_test_patterns = true; dns {{ nameserver = ["127.0.0.1:{free_port()}"]; timeout = 0.1s; retransmits = 1; }} }}
logging {{ type = "console"; level = "warning"; }}
actions {{ reject = 15; add_header = 6; greylist = 4; }}
worker "normal" {{ bind_socket = "127.0.0.1:{http}"; count = 1; }}
worker "rspamd_proxy" {{ bind_socket = "127.0.0.1:{milter}"; count = 1; milter = yes; timeout = 20s;
  upstream "local" {{ default = yes; self_scan = yes; }} }}
""")
    daemon = Daemon([program, "-f", "-i", "-c", str(folder / "rspamd.conf"), "-u", "root", "-g", "root"],
                    lambda: answers(("127.0.0.1", http))() and answers(("127.0.0.1", milter))(), folder / "log")
    daemon.http, daemon.milter = f"127.0.0.1:{http}", f"127.0.0.1:{milter}"
    return daemon


MILTER = '''
import sys
sys.path[:] = [p for p in sys.path if p] + ["/usr/lib/python3/dist-packages"]
import Milter

class Own(Milter.Base):
    @Milter.noreply
    def connect(self, name, family, address):
        return Milter.CONTINUE

    def envfrom(self, sender, *_):
        self.word = ""
        return Milter.CONTINUE

    def envrcpt(self, recipient, *_):
        if "refused-by-milter" in recipient:
            return Milter.REJECT
        return Milter.CONTINUE

    def header(self, name, value):
        if name.lower() == "x-do":
            self.word = value.strip()
        return Milter.CONTINUE

    def eom(self):
        if self.word == "change":
            self.addheader("X-Milter", "was here")
            self.chgheader("X-Do", 1, "done")
            self.addheader("X-Top", "first", 0)
        if self.word == "quarantine":
            self.quarantine("looks odd")
        if self.word == "reply":
            self.setreply("554", "5.7.1", "no such luck today")
            return Milter.REJECT
        return {"reject": Milter.REJECT, "tempfail": Milter.TEMPFAIL, "discard": Milter.DISCARD}.get(
            self.word, Milter.ACCEPT)

Milter.factory = Own
Milter.set_flags(Milter.ADDHDRS | Milter.CHGHDRS | Milter.QUARANTINE)
Milter.runmilter("own", sys.argv[1], 30)
'''


def own_milter(folder):
    if subprocess.run(["/usr/bin/python3", "-c", "import Milter"], capture_output=True).returncode:
        pytest.skip("python3-milter is missing: tools/setup test")
    folder.mkdir(parents=True)
    (folder / "own.py").write_text(MILTER)
    where = str(folder / "own.sock")
    daemon = Daemon(["/usr/bin/python3", str(folder / "own.py"), where], answers(where), folder / "log")
    daemon.address = "unix:" + where
    return daemon


def opendkim(folder):
    program = needs("opendkim")
    folder.mkdir(parents=True)
    where = str(folder / "opendkim.sock")
    (folder / "opendkim.conf").write_text(f"Mode v\nSocket local:{where}\nAuthservID verifier.example\n"
                                          "AlwaysAddARHeader yes\nRequiredHeaders yes\nInternalHosts 192.0.2.9\nSyslog no\nBackground no\nUserID root\n")
    daemon = Daemon([program, "-f", "-x", str(folder / "opendkim.conf")], answers(where), folder / "log")
    daemon.address = "unix:" + where
    return daemon


def settings_of(site, **values):
    """Sections with two dots, which stand in the file as `postern init` writes it."""
    for key, value in values.items():
        site.set(key.replace("__", "."), value)


def add_tables(site, text):
    with open(site.data / "postern.toml", "a") as file:
        file.write(text)


def send(stage, to, subject="hello", body="plain words", sender=ANN, port=None, **more):
    code, dialogue = swaks(port or stage.site.smtp_port, sender, [to] if isinstance(to, str) else to,
                           make_message(sender, to if isinstance(to, str) else to[0], subject, body, **more))
    return code, dialogue


def lists(stage):
    ann, ben = stage.person(ANN, "rsa"), stage.person(BEN, "rsa")
    stage.make_list(BOARD, [ann, ben])
    stage.make_list(SOCIAL, [ann, ben], secure=False)


def held(stage, **more):
    options = [part for name, value in more.items() for part in (f"--{name}", value)]
    return stage.site.cli("quarantine", "list", *options)["items"]


@pytest.fixture
def daemons():
    started = []
    yield started
    for daemon in started:
        daemon.stop()


def test_clamav_refuses_what_is_infected_and_nothing_passes_without_it(make_stage, tmp_path, daemons):
    scanner = clamd(tmp_path / "clamd")
    daemons.append(scanner)
    stage = make_stage({"inspection.clamav.address": f'"{scanner.address}"', "inspection.clamav.timeout_ms": "8000"})
    scanner.start()
    stage.open()
    lists(stage)

    code, dialogue = send(stage, BOARD, body="clean")
    assert code == 0, dialogue
    stage.sink.wait(BEN)
    for to in (BOARD, SOCIAL):
        code, dialogue = send(stage, to, body=EICAR)
        assert code != 0 and "550" in dialogue and "Own.Eicar" in dialogue, dialogue
    # In base64, as an attachment would be.
    message = make_message(ANN, BOARD, "file", base64.b64encode(EICAR.encode()).decode(),
                           Content_Transfer_Encoding="base64")
    code, dialogue = swaks(stage.site.smtp_port, ANN, [BOARD], message)
    assert code != 0 and "Own.Eicar" in dialogue, dialogue

    # Encrypted to the list: the gateway sees nothing, listd looks once it is open, and holds it.
    certificate = tmp_path / "board.pem"
    certificate.write_text(stage.site.cli("list", "key-export", BOARD, "--kind", "smime")["text"])
    signed = subprocess.run(["openssl", "cms", "-sign", "-signer", str(stage.people[ANN].certificate), "-inkey",
                             str(stage.people[ANN].key), "-nodetach"], input=b"Content-Type: text/plain\r\n\r\n" +
                            EICAR.encode() + b"\r\n", capture_output=True, check=True).stdout
    sealed = subprocess.run(["openssl", "cms", "-encrypt", "-aes-256-cbc", str(certificate)], input=signed,
                            capture_output=True, check=True).stdout
    fields = f"From: {ANN}\r\nTo: {BOARD}\r\nSubject: sealed\r\nMessage-ID: <x{os.urandom(6).hex()}@example.org>\r\n"
    before = len(stage.sink.received)
    code, dialogue = swaks(stage.site.smtp_port, ANN, [BOARD], fields.encode() + sealed.replace(b"\n", b"\r\n"))
    assert code == 0, dialogue
    wait_until(lambda: held(stage), "the infected post is held")
    assert (held(stage)[0]["cause"], held(stage)[0]["detail"]) == ("virus", "Own.Eicar.UNOFFICIAL")
    assert len(stage.sink.received) == before
    with pytest.raises(Refused, match="infected"):
        stage.site.cli("quarantine", "release", held(stage)[0]["id"])

    # Down: everything waits, in and out of lists, plain and secure.
    scanner.stop()
    for to in (BOARD, SOCIAL):
        code, dialogue = send(stage, to, body="clean")
        assert code != 0 and "451" in dialogue, dialogue


def test_rspamd_refuses_holds_and_notes(make_stage, tmp_path, daemons):
    filter_ = rspamd(tmp_path / "rspamd").start()
    daemons.append(filter_)
    stage = make_stage({"inspection.rspamd.address": f'"{filter_.http}"', "inspection.rspamd.timeout_ms": "8000",
                        "inspection.rspamd.on_failure": '"accept"'})
    stage.open()
    lists(stage)
    code, dialogue = send(stage, SOCIAL, subject="ham")
    assert code == 0, dialogue
    stage.sink.wait(BEN)
    post = stage.site.cli("post", "list", SOCIAL)["items"][0]
    assert stage.site.cli("trace", str(post["id"]))["post"]["client"]["spam"].startswith("no action")
    code, dialogue = send(stage, SOCIAL, body=GTUBE)
    assert code != 0 and "550" in dialogue and "spam" in dialogue, dialogue
    code, dialogue = send(stage, SOCIAL, body=GTUBE_HEADER)
    assert code == 0, dialogue
    wait_until(lambda: held(stage), "it is held")
    assert (held(stage)[0]["cause"], held(stage)[0]["detail"]) == ("spam", "add header")

    # Down: accept was said, which holds for open lists and for nothing else.
    filter_.stop()
    assert send(stage, SOCIAL, subject="open")[0] == 0
    code, dialogue = send(stage, BOARD, subject="secure")
    assert code != 0 and "451" in dialogue, dialogue


def test_real_milters_judge_and_edit(make_stage, tmp_path, daemons):
    own, verifier, proxy = own_milter(tmp_path / "own"), opendkim(tmp_path / "dkim"), rspamd(tmp_path / "rspamd")
    for daemon in (own, verifier, proxy):
        daemons.append(daemon)
        daemon.start()
    stage = make_stage()
    add_tables(stage.site, "".join(f'\n[[inspection.milter]]\nname = "{name}"\naddress = "{address}"\ntimeout_ms = 9000\n'
                                   for name, address in (("own", own.address), ("opendkim", verifier.address),
                                                         ("rspamd", proxy.milter))))
    stage.open()
    lists(stage)
    code, dialogue = send(stage, SOCIAL, X_Do="change")
    assert code == 0, dialogue + stage.site.log.read_text()[-2000:]
    stage.sink.wait(BEN)
    text = stage.sink.of(BEN)[0].raw
    assert b"X-Milter: was here\r\n" in text and b"X-Do: done\r\n" in text and b"X-Top: first\r\n" in text, text
    # The list strips what others say of the author, so that OpenDKIM is seen by what it refuses.
    undated = make_message(ANN, SOCIAL, "x", "y").replace("Date:", "X-Date:")
    code, dialogue = swaks(stage.site.smtp_port, ANN, [SOCIAL], undated)
    assert code != 0 and "550" in dialogue, dialogue
    for word, code_ in (("reject", "550"), ("tempfail", "451"), ("reply", "554")):
        code, dialogue = send(stage, SOCIAL, X_Do=word)
        assert code != 0 and code_ in dialogue, dialogue
    assert "no such luck today" in dialogue
    before = len(stage.sink.received)
    assert send(stage, SOCIAL, X_Do="discard")[0] == 0
    assert send(stage, SOCIAL, X_Do="quarantine")[0] == 0
    wait_until(lambda: held(stage), "it is held")
    assert (held(stage)[0]["cause"], held(stage)[0]["detail"]) == ("milter", "own: looks odd")
    assert len(stage.sink.received) == before
    code, dialogue = send(stage, SOCIAL, body=GTUBE)
    assert code != 0 and "554" in dialogue and "Gtube" in dialogue, dialogue
    own.stop()
    code, dialogue = send(stage, SOCIAL)
    assert code != 0 and "451" in dialogue, dialogue


def test_dns_lists_refuse_clients_and_a_dead_zone_refuses_nobody(make_stage, tmp_path, daemons):
    program, port = needs("nsd"), free_port()
    zone = tmp_path / "bl.zone"
    zone.write_text("$ORIGIN bl.example.\n$TTL 60\n@ SOA ns.bl.example. x.bl.example. 1 60 60 60 60\n@ NS ns\n"
                    "ns A 127.0.0.1\n2.0.0.127 A 127.0.0.4\n3.0.0.127 A 127.255.255.254\n4.0.0.127 A 127.0.0.9\n")
    (tmp_path / "nsd.conf").write_text(
        f'server:\n  ip-address: 127.0.0.1@{port}\n  zonesdir: "{tmp_path}"\n  username: ""\n  pidfile: ""\n'
        f'  database: ""\n  xfrdfile: "{tmp_path}/xfrd"\n  zonelistfile: "{tmp_path}/zl"\n  logfile: "{tmp_path}/nlog"\n'
        f'  server-count: 1\nremote-control:\n  control-enable: no\nzone:\n  name: bl.example\n  zonefile: {zone}\n')
    daemons.append(Daemon([program, "-d", "-c", str(tmp_path / "nsd.conf")], answers(("127.0.0.1", port)),
                          tmp_path / "out").start())
    stage = make_stage({"dns.resolver": f'"127.0.0.1:{port}"', "dns.trust_anchor": '""', "inspection.dnsbl_ms": "1500",
                        "gateway.sender_checks": '"off"'})
    add_tables(stage.site, '\n[[inspection.dnsbl]]\nzone = "bl.example"\nweight = 10\nreplies = ["127.0.0.2-8"]\n'
                           '\n[[inspection.dnsbl]]\nzone = "nobody.invalid"\nweight = 50\n')
    stage.open()
    lists(stage)

    def from_client(address):
        message = make_message(ANN, SOCIAL, "x", "y")
        return swaks(stage.site.smtp_port, ANN, [SOCIAL], message, "--local-interface", address)

    code, dialogue = from_client("127.0.0.2")
    assert code != 0 and "550" in dialogue and "127.0.0.2 is listed by bl.example" in dialogue, dialogue
    for address in ("127.0.0.1", "127.0.0.3", "127.0.0.4"):
        code, dialogue = from_client(address)
        assert code == 0, dialogue
    # Its own relay is not looked up.
    stage.make_list("out@lists.example", [])
    stage.site.cli("relay", "add", "127.0.0.2", "example.org", "out@lists.example")
    assert from_client("127.0.0.2")[0] == 0


def test_held_secure_mail_is_sealed_and_released_once(make_stage, tmp_path, daemons):
    canary = "Kanarienvogel-" + os.urandom(5).hex()
    own = own_milter(tmp_path / "own").start()
    daemons.append(own)
    stage = make_stage({"quarantine.keep_days": "30"})
    add_tables(stage.site, f'\n[[inspection.milter]]\nname = "own"\naddress = "{own.address}"\n')
    stage.open()
    lists(stage)

    def hold(subject):
        code, dialogue = send(stage, BOARD, subject=subject + canary, body=canary, X_Do="quarantine")
        assert code == 0, dialogue
        count = len(held(stage))
        wait_until(lambda: len(held(stage)) > 0 and held(stage)[0]["state"] == "held", "it is held")
        return held(stage)[0]["id"], count

    first, _ = hold("one ")
    listing = stage.site.run_cli("--json", "quarantine", "list").stdout.decode()
    assert canary not in listing and canary not in stage.site.run_cli("quarantine", "show", first).stdout.decode()
    with pytest.raises(Refused, match="denied"):
        stage.site.cli("quarantine", "read", first, "--reason", "curious")  # the machine's admin
    time.sleep(1)
    assert all(canary.encode() not in mail.raw for mail in stage.sink.received)
    assert files_with(stage.site.data, canary.encode()) == []

    # Again after a crash of each process it is there, and nothing went out.
    for program in ("postern-listd", "postern-gateway"):
        stage.site.kill(program)
        wait_until(stage.site.ready, "the site is back", 60)
    assert held(stage)[0]["id"] == first
    assert stage.site.cli("quarantine", "release", first, "--reason", "is fine")["released"] == 1
    stage.sink.wait(ANN)
    stage.sink.wait(BEN)
    for address in (ANN, BEN):
        assert canary.encode() in stage.people[address].read(stage.sink.of(address)[0].raw), address
    with pytest.raises(Refused, match="decided on already"):
        stage.site.cli("quarantine", "release", first)
    time.sleep(1)
    assert len(stage.sink.of(BEN)) == 1
    assert held(stage) == [] and held(stage, state="released")[0]["id"] == first

    # Deleted: the content is destroyed at once; what a legal hold covers stays until that is over.
    second, _ = hold("two ")
    answer = stage.site.cli("quarantine", "delete", second)
    assert (answer["destroyed"], answer["mustBeKept"]) == (1, 0)
    with pytest.raises(Refused, match="decided on already"):
        stage.site.cli("quarantine", "release", second)

    # What nobody decides on ends with its time.
    stage.site.stop()
    stage.site.set("quarantine.keep_days", "1")
    stage.site.start()
    third, _ = hold("three ")
    stage.site.at_offset(12 * 3600)  # a clock that jumps further than a day is not believed
    stage.site.at_offset(24 * 3600 + 60)
    wait_until(lambda: held(stage, state="expired"), "its time ends", 90)
    wait_until(lambda: held(stage, state="expired")[0]["destroyed"], "it is destroyed", 90)
    assert held(stage, state="expired")[0]["id"] == third
    assert all(canary.encode() not in mail.raw for mail in stage.sink.received)
    assert files_with(stage.site.data, canary.encode()) == []
    assert not (stage.site.data / "postern.log").read_bytes().count(canary.encode())
