"""The outside world of verified TLS, on loopback: a name server (nsd) with signed and unsigned zones, web servers of
MTA-STS policies, and mail servers that remember every octet they heard. One mail server for each domain, at an address
of its own, all at one port (settings testing.mx_port and testing.https_port)."""
import datetime
import hashlib
import pathlib
import socket
import ssl
import subprocess
import threading
import time
import warnings

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sitekit import Failure, free_port, wait_until

SIGNED, PLAIN = "signed.test", "plain.test"


class Authority:
    """A CA, and the certificates that it makes."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])
        self.certificate = self.build(self.name, self.key, [], x509.BasicConstraints(True, None))
        self.file = self.folder / "ca.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def build(self, subject, key, names, constraints, days=(-1, 10), issuer=None):
        now = datetime.datetime.utcnow()
        made = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer or self.name)
                .public_key(key.public_key()).serial_number(x509.random_serial_number())
                .not_valid_before(now + datetime.timedelta(days=days[0]))
                .not_valid_after(now + datetime.timedelta(days=days[1])).add_extension(constraints, True))
        if names:
            made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
        return made.sign(self.key if issuer is None else key, hashes.SHA256())

    def server(self, name, days=(-1, 10), self_signed=False):
        """(context for a server, the digest of its key for "3 1 1")"""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self.build(subject, key, [name], x509.BasicConstraints(False, None), days,
                                 subject if self_signed else None)
        file = self.folder / f"{x509.random_serial_number()}.pem"
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        spki = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return context, hashlib.sha256(spki).hexdigest()


def only_tls10(context):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    return context


class Listening:
    """Accepts connections at one address, each on a thread of its own."""

    def __init__(self, address, port):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, port))
        self.socket.listen(50)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            connection.settimeout(30)
            threading.Thread(target=self.safely, args=(connection,), daemon=True).start()

    def safely(self, connection):
        try:
            self.talk(connection)
        except (OSError, ssl.SSLError, ValueError):
            pass
        finally:
            connection.close()

    def stop(self):
        self.socket.close()


class MailServer(Listening):
    """`heard` is every line with whether TLS stood then; `mails` are the contents."""

    def __init__(self, address, port, name):
        self.name, self.context, self.strips, self.extensions = name, None, False, ["REQUIRETLS"]
        self.heard, self.mails = [], []
        super().__init__(address, port)

    def talk(self, connection):
        stream, encrypted = connection.makefile("rwb", buffering=0), False
        reader = connection.makefile("rb")

        def say(text):
            stream.write(text.encode() + b"\r\n")

        say(f"220 {self.name} ESMTP")
        while line := reader.readline():
            self.heard.append((encrypted, line))
            verb = line.strip().upper()
            if verb.startswith(b"EHLO"):
                offered = ["STARTTLS"] if self.context and not self.strips and not encrypted else []
                lines = [self.name, "SIZE 10000000", "8BITMIME", *offered, *(self.extensions if encrypted else [])]
                for i, text in enumerate(lines):
                    say(f"250{'-' if i + 1 < len(lines) else ' '}{text}")
            elif verb == b"STARTTLS" and self.context:
                say("220 go ahead")
                connection = self.context.wrap_socket(connection, server_side=True)
                stream, reader, encrypted = connection.makefile("rwb", buffering=0), connection.makefile("rb"), True
            elif verb == b"DATA":
                say("354 go on")
                content = b""
                while (line := reader.readline()) not in (b".\r\n", b""):
                    self.heard.append((encrypted, line))
                    content += line
                self.mails.append((encrypted, content))
                say("250 taken")
            elif verb == b"QUIT":
                say("221 bye")
                return
            else:
                say("250 OK")

    def heard_mail(self):
        """Whether it was told more than greetings."""
        return any(not line.strip().upper().startswith((b"EHLO", b"STARTTLS", b"QUIT")) for _, line in self.heard)

    def octets(self, encrypted=None):
        return b"".join(line for tls, line in self.heard if encrypted in (None, tls))


class PolicyHost(Listening):
    """Serves `text` at any path over HTTPS; None: does not answer. POSTed documents are in `posted`."""

    def __init__(self, address, port, context):
        self.context, self.text, self.posted = context, "", []
        super().__init__(address, port)

    def talk(self, connection):
        if self.text is None:
            return
        with self.context.wrap_socket(connection, server_side=True) as tls:
            reader, length = tls.makefile("rb"), 0
            first = reader.readline()
            fields = [first]
            while (line := reader.readline()).strip():
                fields.append(line)
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            if length:
                self.posted.append((b"".join(fields), reader.read(length)))
            body = self.text.encode()
            tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: "
                        + str(len(body)).encode() + b"\r\n\r\n" + body)


class TlsWorld:
    """`records` are lines of the zones by zone; call publish() after changing them."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.zones = self.folder / "zones"
        self.zones.mkdir(parents=True)
        self.authority = Authority(self.folder / "ca")
        self.dns_port, self.mx_port, self.https_port = free_port(), free_port(), free_port()
        self.records = {SIGNED: {}, PLAIN: {}}
        self.forge, self.nsd, self.servers, self.hosts, self.last = "", None, {}, {}, 1
        key = subprocess.run(["ldns-keygen", "-a", "ECDSAP256SHA256", "-k", SIGNED], cwd=self.zones, check=True,
                             capture_output=True, text=True).stdout.strip()
        self.key = key
        self.anchor = self.zones / f"{key}.ds"

    def settings(self):
        return {"dns.resolver": f'"127.0.0.1:{self.dns_port}"', "dns.trust_anchor": f'"{self.anchor}"',
                "delivery.trust_anchors": f'"{self.authority.file}"', "delivery.connect_timeout": "5",
                "delivery.reply_timeout": "5", "testing.mx_port": str(self.mx_port),
                "testing.https_port": str(self.https_port)}

    def address(self):
        self.last += 1
        return f"127.0.3.{self.last}"

    def domain(self, label, zone, mx=None):
        """A domain with a mail server `mx`, by default "mx" below it. Its server has no TLS yet."""
        domain = f"{label}.{zone}"
        host = mx or f"mx.{domain}"
        address = self.address()
        self.servers[domain] = MailServer(address, self.mx_port, host)
        self.records[zone][f"{label} mx"] = f"{domain}. IN MX 10 {host}."
        self.records[host.split(".", host.count(".") - 1)[-1]][f"{label} a"] = f"{host}. IN A {address}"
        return self.servers[domain]

    def tlsa(self, server, digest, label, zone=SIGNED):
        self.records[zone][f"{label} tlsa"] = f"_{self.mx_port}._tcp.{server.name}. IN TLSA 3 1 1 {digest}"

    def sts(self, domain, mode, mx, max_age=86400, number=1):
        zone = domain.split(".", 1)[1]
        if domain not in self.hosts:
            context, _ = self.authority.server(f"mta-sts.{domain}")
            address = self.address()
            self.hosts[domain] = PolicyHost(address, self.https_port, context)
            self.records[zone][f"{domain} policy host"] = f"mta-sts.{domain}. IN A {address}"
        self.records[zone][f"{domain} policy"] = f'_mta-sts.{domain}. IN TXT "v=STSv1; id={number};"'
        self.hosts[domain].text = f"version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: {max_age}\n"

    def publish(self):
        for zone, records in self.records.items():
            (self.zones / f"{zone}.zone").write_text(
                f"$ORIGIN {zone}.\n$TTL 1\n@ IN SOA ns a 1 3600 600 86400 1\n@ IN NS ns\nns IN A 127.0.0.1\n"
                + "\n".join(records.values()) + "\n")
        subprocess.run(["ldns-signzone", "-n", "-f", "signed", f"{SIGNED}.zone", self.key], cwd=self.zones, check=True,
                       capture_output=True)
        text = (self.zones / "signed").read_text()
        for old, new in self.forge or []:
            assert old in text
            text = text.replace(old, new)
        (self.zones / "served").write_text(text)
        (self.zones / "nsd.conf").write_text(
            f'server:\n ip-address: 127.0.0.1\n port: {self.dns_port}\n username: ""\n zonesdir: "{self.zones}"\n'
            f' pidfile: "{self.zones}/pid"\n xfrdfile: ""\n zonelistfile: "{self.zones}/zone.list"\n database: ""\n'
            f' logfile: "{self.zones}/log"\n server-count: 1\nremote-control:\n control-enable: no\n'
            f"zone:\n name: {SIGNED}\n zonefile: served\nzone:\n name: {PLAIN}\n zonefile: {PLAIN}.zone\n")
        self.stop_nsd()
        self.nsd = subprocess.Popen(["/usr/sbin/nsd", "-d", "-c", self.zones / "nsd.conf"], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL)
        wait_until(self.answers, "the name server answers")
        time.sleep(2.2)  # what resolvers remember of it is over

    def answers(self):
        if self.nsd.poll() is not None:
            raise Failure("nsd ended: " + (self.zones / "log").read_text()[-2000:])
        question = b"\0\1\1\0\0\1\0\0\0\0\0\0\2ns\5plain\4test\0\0\1\0\1"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(0.3)
            try:
                asking.sendto(question, ("127.0.0.1", self.dns_port))
                return asking.recv(512)[3] & 15 == 0
            except OSError:
                return False

    def stop_nsd(self):
        if self.nsd:
            self.nsd.terminate()
            self.nsd.wait(20)
            self.nsd = None

    def stop(self):
        self.stop_nsd()
        for listening in [*self.servers.values(), *self.hosts.values()]:
            listening.stop()
