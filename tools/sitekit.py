"""A Postern site, people with certificates and a receiving mail server, all on loopback: for tools/show.py and tests/e2e.

Everything is real: the programs of the build, the openssl command, SMTP on real sockets.
"""
import email
import email.policy
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.request

from aiosmtpd.controller import Controller


SANITIZER_FINDING = re.compile(rb"^[^\n]*(?:runtime error: |(?:Address|Leak|Thread)Sanitizer[: ])(?s:.*)", re.M)


class Failure(Exception):
    """Something did not come out as it must; the text says what."""


def ports_of_this_process():
    """Each worker of a test run has ports of its own, below those that the system gives to clients (32768 and up)."""
    worker = re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", ""))
    first, count = 10_000 + 2_000 * (int(worker) % 8 if worker else 8 + os.getpid() % 3), 2_000
    while True:
        for step in range(count):
            yield first + (os.getpid() + step) % count


PORTS, PORTS_LOCK = ports_of_this_process(), threading.Lock()


def free_port():
    """A port that nobody listens on, and that is not given out again soon."""
    while True:
        with PORTS_LOCK:
            port = next(PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_until(condition, what, seconds=30):
    """The first true value of condition(); Failure after so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise Failure(f"not within {seconds} s: {what}")


class Person:
    """Somebody with a mail address and, unless kind is None, an S/MIME certificate made by the openssl command."""

    KINDS = {"rsa": ["-newkey", "rsa:2048"], "p256": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
             "p384": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
             "p521": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"], "rsa3072": ["-newkey", "rsa:3072"],
             "rsa4096": ["-newkey", "rsa:4096"]}

    def __init__(self, folder, address, kind=None, days=365):
        self.address = address
        self.kind = kind
        stem = pathlib.Path(folder) / address.replace("@", "-at-")
        self.certificate, self.key = stem.with_suffix(".crt"), stem.with_suffix(".key")
        if kind and not self.certificate.exists():
            stem.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["openssl", "req", "-x509", *self.KINDS[kind], "-nodes", "-keyout", self.key, "-out",
                            self.certificate, "-days", str(days), "-subj", f"/CN={address.split('@')[0]}",
                            "-addext", f"subjectAltName=email:{address}", "-addext", "extendedKeyUsage=emailProtection",
                            "-addext", "keyUsage=digitalSignature,keyEncipherment,keyAgreement"],
                           check=True, capture_output=True)

    def decrypt(self, message):
        """The signed inner message of an S/MIME copy, opened by `openssl cms -decrypt`. Failure if it does not open."""
        done = subprocess.run(["openssl", "cms", "-decrypt", "-inform", "SMIME", "-recip", self.certificate, "-inkey",
                               self.key], input=message, capture_output=True)
        if done.returncode != 0:
            raise Failure(f"{self.address} cannot open the copy: {done.stderr.decode(errors='replace')}")
        return done.stdout

    def read(self, message):
        """What the person reads: the copy decrypted, and its signature verified by `openssl cms -verify`."""
        signed = self.decrypt(message)
        done = subprocess.run(["openssl", "cms", "-verify", "-inform", "SMIME", "-noverify"], input=signed,
                              capture_output=True)
        if done.returncode != 0:
            raise Failure(f"the signature of the list does not verify: {done.stderr.decode(errors='replace')}")
        return done.stdout


class Received:
    """One message as the receiving server got it."""

    def __init__(self, envelope, tls):
        self.sender = envelope.mail_from
        self.recipients = list(envelope.rcpt_tos)
        self.raw = envelope.original_content
        self.tls = tls
        self.at = time.time()

    @property
    def message(self):
        return email.message_from_bytes(self.raw, policy=email.policy.default)


class Sink:
    """A receiving mail server (aiosmtpd) that keeps all it gets. `answer` may be set to a function
    (recipient) -> reply line, to refuse or defer."""

    def __init__(self, certificate=None, key=None):
        self.received = []
        self.answer = None
        context = None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
        self.port = free_port()
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, tls_context=context,
                                     data_size_limit=64 << 20, enable_SMTPUTF8=True)
        self.controller.start()

    async def handle_RCPT(self, server, session, envelope, address, options):
        reply = self.answer(address) if self.answer else "250 OK"
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server, session, envelope):
        self.received.append(Received(envelope, session.ssl is not None))
        return "250 OK"

    def of(self, address, since=0):
        return [m for m in self.received if address in m.recipients and m.at >= since]

    def wait(self, address, count=1, since=0, seconds=30):
        wait_until(lambda: len(self.of(address, since)) >= count, f"{count} message(s) for {address}", seconds)
        return self.of(address, since)

    def stop(self):
        self.controller.stop()


class Refused(Exception):
    """`postern` said no: its exit code and its error."""

    def __init__(self, code, error):
        super().__init__(f"exit {code}: {error}")
        self.code, self.error = code, error


class Site:
    """A site in a data folder with the programs of a build."""

    def __init__(self, data, programs, host_name="postern.lists.example"):
        self.data = pathlib.Path(data)
        self.programs = pathlib.Path(programs)
        self.host_name = host_name
        self.process = None
        self.log = self.data / "postern.log"
        self.offset = 0

    def run_cli(self, *arguments, input=None):
        return subprocess.run([self.programs / "postern", "--data", self.data, *arguments], input=input,
                              capture_output=True)

    def cli(self, *arguments, input=None):
        """Runs `postern --json …` and returns its answer; Refused when it says no."""
        done = self.run_cli("--json", *arguments, input=input)
        text = done.stdout.decode()
        if done.returncode != 0:
            raise Refused(done.returncode, text or done.stderr.decode())
        return json.loads(text) if text.strip().startswith(("{", "[")) else text

    def init(self, settings=None):
        self.smtp_port, self.smtps_port, self.web_port = free_port(), free_port(), free_port()
        done = self.run_cli("init", "--host-name", self.host_name, "--smtp", f"127.0.0.1:{self.smtp_port}", "--smtps",
                            f"127.0.0.1:{self.smtps_port}", "--web", f"127.0.0.1:{self.web_port}")
        if done.returncode != 0:
            raise Failure(f"postern init: {done.stderr.decode()}")
        (self.data / "ports.json").write_text(json.dumps([self.smtp_port, self.smtps_port, self.web_port]))
        for key, value in (settings or {}).items():
            self.set(key, value)

    def reopen(self):
        self.smtp_port, self.smtps_port, self.web_port = json.loads((self.data / "ports.json").read_text())

    def set(self, key, value):
        """Changes a line of postern.toml: set("delivery.first_retry", "1")."""
        section, name = key.rsplit(".", 1)
        lines, here = [], ""
        for line in (self.data / "postern.toml").read_text().splitlines():
            if line.startswith("["):
                here = line.strip("[]")
            if here == section and line.startswith(name + " ="):
                line = f"{name} = {value}"
            lines.append(line)
        (self.data / "postern.toml").write_text("\n".join(lines) + "\n")

    def at_offset(self, seconds):
        """Starts the site again with its clock so far ahead of the machine's."""
        running = self.process is not None
        self.stop()
        self.offset = seconds
        self.set("testing.clock_offset", str(seconds))
        if running:
            self.start()

    def start(self, seconds=60):
        log = open(self.log, "ab")
        self.process = subprocess.Popen([self.programs / "postern", "--data", self.data, "run"], stdout=log, stderr=log,
                                        stdin=subprocess.DEVNULL)
        self.wait_ready(seconds)

    def wait_ready(self, seconds=60):
        try:
            wait_until(self.ready, "the site is ready", seconds)
        except Failure as failure:
            raise Failure(f"{failure}\n{self.log.read_text()[-9000:]}") from None

    def ready(self):
        if self.process and self.process.poll() is not None:
            raise Failure(f"postern run ended: {self.log.read_text()[-2000:]}")
        try:
            if not self.cli("status")["gateway"]["connected"]:
                return False
            with socket.create_connection(("127.0.0.1", self.smtp_port), 1) as s:
                s.settimeout(2)
                if not s.recv(200).startswith(b"220"):
                    return False
            with socket.create_connection(("127.0.0.1", self.web_port), 1):
                return True
        except (Refused, OSError, KeyError):
            return False

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(60)
            self.process = None
            finding = SANITIZER_FINDING.search(self.log.read_bytes())
            if finding:
                raise Failure("a sanitizer found: " + finding[0].decode(errors="replace")[:6000])

    def pids(self):
        """Process ids of the site by program name."""
        found = {}
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                arguments = (entry / "cmdline").read_bytes().split(b"\0")
                if os.fsencode(self.data) in arguments:
                    found[os.path.basename(arguments[0]).decode()] = int(entry.name)
            except OSError:
                pass
        return found

    def kill(self, program):
        process = self.pids().get(program)
        if process:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return process

    def web(self, path):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return urllib.request.urlopen(f"https://127.0.0.1:{self.web_port}{path}", context=context, timeout=10)


def swaks(port, sender, recipients, message, *more, tls=True, seconds=60):
    """Sends a message with swaks through a real TLS session; returns (exit code, dialogue)."""
    command = ["swaks", "--server", f"127.0.0.1:{port}", "--from", sender, "--to", ",".join(recipients), "--ehlo",
               "mail.example.org", "--timeout", str(seconds), "--data", "-", *more]
    if tls:
        command.append("--tls")
    done = subprocess.run(command, input=message.encode() if isinstance(message, str) else message,
                          capture_output=True, timeout=seconds + 30)
    return done.returncode, done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")


def make_message(sender, to, subject, body, **more):
    extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in more.items())
    return (f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\n"
            f"Message-ID: <{os.urandom(8).hex()}@example.org>\r\nMIME-Version: 1.0\r\n"
            f"Content-Type: text/plain; charset=utf-8\r\n{extra}\r\n{body}\r\n")


def files_with(folder, needle):
    """Files below the folder that hold the bytes."""
    found = []
    for path in pathlib.Path(folder).rglob("*"):
        try:
            if path.is_file() and needle in path.read_bytes():
                found.append(path)
        except OSError:
            pass
    return found


class Background:
    """A function on a thread of its own; leaving the block stops (sets `stopping`) and joins it."""

    def __init__(self, work):
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=work, args=(self.stopping,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join(120)
