"""A DNS of one's own for mail authentication, and the verifiers and signers that Debian has beside ours."""
import base64
import pathlib
import socket
import subprocess

import dkim
import dns.resolver
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from sitekit import Failure, free_port, wait_until

ZONE = "example"


class AuthWorld:
    """The zone example. by nsd; `records` are TXT texts by name, and `others` whole lines."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.port, self.records, self.others, self.nsd = free_port(), {}, [], None

    def settings(self):
        return {"dns.resolver": f'"127.0.0.1:{self.port}"', "dns.trust_anchor": '""', "gateway.sender_checks": '"all"'}

    def publish(self, **more):
        self.records.update(more.pop("records", {}))
        lines = [f"$ORIGIN {ZONE}.\n$TTL 1\n@ IN SOA ns a 1 3600 600 86400 1\n@ IN NS ns\nns IN A 127.0.0.1"]
        for name, text in self.records.items():
            parts = " ".join(f'"{text[i:i + 255]}"' for i in range(0, len(text), 255))
            lines.append(f"{name}. IN TXT ( {parts} )")
        (self.folder / "zone").write_text("\n".join(lines + self.others) + "\n")
        (self.folder / "nsd.conf").write_text(
            f'server:\n ip-address: 127.0.0.1\n port: {self.port}\n username: ""\n zonesdir: "{self.folder}"\n'
            f' pidfile: "{self.folder}/pid"\n xfrdfile: ""\n zonelistfile: "{self.folder}/zone.list"\n database: ""\n'
            f' logfile: "{self.folder}/log"\n server-count: 1\nremote-control:\n control-enable: no\n'
            f"zone:\n name: {ZONE}\n zonefile: zone\n")
        self.stop()
        self.nsd = subprocess.Popen(["/usr/sbin/nsd", "-d", "-c", self.folder / "nsd.conf"],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.answers, "the name server answers")

    def answers(self):
        if self.nsd.poll() is not None:
            raise Failure("nsd ended: " + (self.folder / "log").read_text()[-2000:])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(0.3)
            try:
                asking.sendto(b"\0\1\1\0\0\1\0\0\0\0\0\0\2ns\7example\0\0\1\0\1", ("127.0.0.1", self.port))
                return asking.recv(512)[3] & 15 == 0
            except OSError:
                return False

    def stop(self):
        if self.nsd:
            self.nsd.terminate()
            self.nsd.wait(20)
            self.nsd = None

    def text(self, name, timeout=5):
        """As dkimpy asks: the TXT record, or None."""
        asking = dns.resolver.Resolver(configure=False)
        asking.nameservers, asking.port, asking.cache, asking.lifetime = ["127.0.0.1"], self.port, None, timeout
        try:
            answer = asking.resolve(name.decode() if isinstance(name, bytes) else name, "TXT")
            return b"".join(answer[0].strings)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return None

    # ---- verifiers that are not ours

    def dkimpy(self, raw, tlsrpt=False):
        """(domain, algorithm, good) of each signature, by dkimpy."""
        checker = dkim.DKIM(raw)
        found = []
        for index, (name, value) in enumerate(h for h in checker.headers if h[0].lower() == b"dkim-signature"):
            tags = dkim.util.parse_tag_value(value)
            try:
                good = dkim.DKIM(raw, tlsrpt=tlsrpt).verify(idx=index, dnsfunc=self.text)
            except dkim.DKIMException:
                good = False
            found.append((tags[b"d"].decode(), tags[b"a"].decode(), good))
        return found

    def opendkim(self, raw, keep):
        """The verdict of opendkim on a message whose only signature is the one whose algorithm is `keep`."""
        head, body = raw.split(b"\r\n\r\n", 1)
        fields = []
        for line in head.split(b"\r\n"):
            if line[:1] in b" \t" and fields:
                fields[-1] += b"\r\n" + line
            else:
                fields.append(line)
        kept = [f for f in fields if not f.lower().startswith(b"dkim-signature:") or keep.encode() in f]
        message = self.folder / "message.eml"
        message.write_bytes(b"\r\n".join(kept) + b"\r\n\r\n" + body)
        keys = self.folder / "keys.txt"
        keys.write_text("".join(f"{name} {text}\n" for name, text in self.records.items() if "_domainkey" in name))
        config = self.folder / "opendkim.conf"
        config.write_text(f"Mode v\nSyslog no\nTestPublicKeys {keys}\nFixCRLF no\n")
        done = subprocess.run(["/usr/sbin/opendkim", "-v", "-v", "-x", str(config), "-t", str(message)],
                              capture_output=True)
        return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


class Signer:
    """A key of somebody else, published in the world's DNS, with which dkimpy signs."""

    def __init__(self, world, domain, selector="k1", kind="rsa"):
        self.world, self.domain, self.selector, self.kind = world, domain, selector, kind
        if kind == "rsa":
            key = rsa.generate_private_key(65537, 2048)
            self.private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                                             serialization.NoEncryption())
            public = key.public_key().public_bytes(serialization.Encoding.DER,
                                                   serialization.PublicFormat.SubjectPublicKeyInfo)
        else:
            key = ed25519.Ed25519PrivateKey.generate()
            self.private = base64.b64encode(key.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw,
                                                              serialization.NoEncryption()))
            public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        world.records[f"{selector}._domainkey.{domain}"] = \
            f"v=DKIM1; k={kind}; p=" + base64.b64encode(public).decode()

    def sign(self, message):
        raw = message.encode() if isinstance(message, str) else message
        field = dkim.sign(raw, self.selector.encode(), self.domain.encode(), self.private,
                          canonicalize=(b"relaxed", b"relaxed"),
                          signature_algorithm=b"rsa-sha256" if self.kind == "rsa" else b"ed25519-sha256")
        return field + raw

    def opendkim(self, message):
        """The message signed by opendkim, as it would by a mail server's wish."""
        raw = message.encode() if isinstance(message, str) else message
        key, config, file = (self.world.folder / f"{self.selector}.{self.domain}.{end}" for end in ("pem", "conf", "eml"))
        key.write_bytes(self.private)
        key.chmod(0o600)
        file.write_bytes(raw)
        config.write_text(f"Mode s\nSyslog no\nDomain {self.domain}\nSelector {self.selector}\nKeyFile {key}\nFixCRLF no\n"
                          "Canonicalization relaxed/simple\nSignatureAlgorithm rsa-sha256\nRequireSafeKeys no\n"
                          "InternalHosts 0.0.0.0/0\n")
        done = subprocess.run(["/usr/sbin/opendkim", "-v", "-v", "-x", str(config), "-t", str(file)], capture_output=True)
        text = done.stdout.decode()
        start = text.index("hname='DKIM-Signature' hvalue='") + len("hname='DKIM-Signature' hvalue='")
        value = text[start:text.index("'", start)]
        return ("DKIM-Signature: " + value.strip().replace("\r\n", "\n").replace("\n", "\r\n") + "\r\n").encode() + raw

    def opendkim_sha1(self, message):
        """Signed with RSA and SHA-1, as the tool for tests of opendkim still does."""
        raw = message.encode() if isinstance(message, str) else message
        key = self.world.folder / f"{self.selector}.{self.domain}.pem"
        key.write_bytes(self.private)
        done = subprocess.run(["opendkim-testmsg", "-C", "-d", self.domain, "-s", self.selector, "-k", str(key)],
                              input=raw, capture_output=True)
        if done.returncode != 0:
            raise Failure(f"opendkim-testmsg: {done.stderr.decode()}")
        return done.stdout

    def arc(self, raw, authserv_id):
        """The message with one more set of ARC, sealed by dkimpy."""
        fields = dkim.arc_sign(raw, self.selector.encode(), self.domain.encode(), self.private,
                               authserv_id.encode(), timestamp="1700000000")
        return b"".join(fields) + raw
