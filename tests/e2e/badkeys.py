"""Keys that a member should not have, each with the words that Postern says about it. Attack 21: hostile sizes too."""
import base64
import datetime
import os
import pathlib
import subprocess
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

P256 = ec.generate_private_key(ec.SECP256R1())  # of an issuer; one for all, since keys take time
PEM = serialization.Encoding.PEM


def certificate(addresses, key=None, days=(-10, 300), digest=None, signs_only=False, version=None):
    """PEM of a certificate; `key`: private, or public where nobody could have the private one."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    public = key.public_key() if hasattr(key, "public_key") else key
    now = datetime.datetime.utcnow()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Member")])
    flags = dict.fromkeys(("content_commitment", "data_encipherment", "key_cert_sign", "crl_sign", "encipher_only",
                           "decipher_only"), False)
    is_rsa = isinstance(public, rsa.RSAPublicKey)
    flags.update(digital_signature=True, key_encipherment=is_rsa and not signs_only,
                 key_agreement=not is_rsa and not signs_only)
    builder = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(public)
               .serial_number(x509.random_serial_number()).not_valid_before(now + datetime.timedelta(days[0]))
               .not_valid_after(now + datetime.timedelta(days[1]))
               .add_extension(x509.SubjectAlternativeName([x509.RFC822Name(a) for a in addresses]), False)
               .add_extension(x509.KeyUsage(**flags), True)
               .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False))
    signer = key if hasattr(key, "public_key") else P256
    return builder.sign(signer, digest or hashes.SHA256()).public_bytes(PEM)


def rsa_of(bits, exponent=65537):
    """A public key of that size that nobody has: a modulus of random bits."""
    modulus = int.from_bytes(os.urandom(bits // 8), "big") | 1 | 1 << (bits - 1)
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def pem_of(der):
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"


def gpg_key(address, algorithm="ed25519", usage="cv25519", *options, expires="1y"):
    """The binary public key of somebody, by gpg."""
    with tempfile.TemporaryDirectory(prefix="gpg-", ignore_cleanup_errors=True) as folder:
        def run(*arguments):
            done = subprocess.run(["gpg", "--homedir", folder, "--batch", "--passphrase", "", "--pinentry-mode", "loopback",
                                   "--trust-model", "always", "--no-auto-check-trustdb", *options, *arguments], capture_output=True)
            assert done.returncode == 0, done.stderr.decode()
            return done.stdout
        run("--quick-generate-key", f"Member <{address}>", algorithm, "sign", expires)
        if usage:
            listed = run("--with-colons", "--list-keys").decode()
            fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))
            run("--quick-add-key", fingerprint, usage, "encr", expires)
        exported = run("--export", address)
        subprocess.run(["gpgconf", "--homedir", folder, "--kill", "all"])
        return exported


def packets(data):
    """(tag, body) of each packet, of definite length."""
    while data:
        head, data = data[0], data[1:]
        if head & 0x40:
            tag, size = head & 0x3f, data[0]
            used = 1 if size < 192 else 2 if size < 224 else 5
            length = size if used == 1 else ((size - 192) << 8) + data[1] + 192 if used == 2 else int.from_bytes(data[1:5], "big")
        else:
            tag, used = head >> 2 & 15, (1, 2, 4)[head & 3]
            length = int.from_bytes(data[:used], "big")
        yield tag, data[used:used + length]
        data = data[used + length:]


def packet(tag, body):
    return bytes([0xc0 | tag, 255]) + len(body).to_bytes(4, "big") + body


def bad_keys(folder):
    """name -> (address, bytes, words that the answer must have, by itself or in one of several forms)."""
    made = {}

    def add(name, make, *words):
        address = f"m{len(made):02}@members.example"  # so that no word of the answers stands in it
        made[name] = (address, make(address), words)

    add("expired", lambda a: certificate([a], days=(-400, -30)), "expired")
    add("notyet", lambda a: certificate([a], days=(30, 300)), "not-yet-valid", "not valid yet", "not valid before")
    add("others", lambda a: certificate(["somebody@else.example"]), "it is for somebody@else.example")
    add("signing", lambda a: certificate([a], signs_only=True), "encrypt")
    add("rsa1024", lambda a: certificate([a], rsa.generate_private_key(65537, 1024)), "1024")
    add("sha1", lambda a: certificate([a], rsa.generate_private_key(65537, 2048), digest=hashes.SHA1()), "SHA-1")
    add("rsa16384", lambda a: certificate([a], rsa_of(16384)), "more than 8192 bits")
    add("exponent", lambda a: certificate([a], rsa_of(2048, int.from_bytes(os.urandom(250), "big") | 1)), "exponent", "too")
    add("oddcurve", lambda a: certificate([a], ec.generate_private_key(ec.SECP256K1())), "not supported")
    add("manynames", lambda a: certificate([a] * 400), "more than 64 alternative names")
    add("toolarge", lambda a: certificate([a] * 9000), "at most 32 KiB")
    add("cut", lambda a: certificate([a])[:-80], "cut short", "cannot be read", "not a")
    add("pkcs8", lambda a: P256.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        "private key")

    year = ("--faked-system-time", "20200101T000000")
    add("pgpexpired", lambda a: gpg_key(a, "ed25519", "cv25519", *year), "expired", "ended")
    add("pgpothers", lambda a: gpg_key("somebody@else.example"), "somebody@else.example")
    add("pgpsigning", lambda a: gpg_key(a, usage=None), "encrypt")
    add("pgprsa1024", lambda a: gpg_key(a, "rsa1024", "rsa1024"), "fewer than 2048 bits")
    add("pgpsha1", lambda a: gpg_key(a, "rsa3072", "rsa3072", "--cert-digest-algo", "SHA1"), "SHA-1", "weak", "sign")

    def bent(address, bend):
        return b"".join(packet(tag, body) for tag, body in bend(list(packets(gpg_key(address)))))
    add("pgpuserids", lambda a: bent(a, lambda p: p[:1] + [(13, b"u%d <%s>" % (i, a.encode())) for i in range(200)] + p[1:]),
        "user ids", "too")
    add("pgpsubkeys", lambda a: bent(a, lambda p: p + p[3:5] * 60), "subkeys", "too")
    add("pgpsignatures", lambda a: bent(a, lambda p: p[:3] + [(2, p[2][1][:-1] + bytes([i & 255]) if i < 256 else p[2][1][:-2] +
        i.to_bytes(2, "big")) for i in range(1000)] + p[3:]), "signatures", "too")
    for version in (3, 5, 6):
        add(f"pgpversion{version}", lambda a: bent(a, lambda p: [(6, bytes([version]) + p[0][1][1:])] + p[1:]), f"version {version}",
            "version")
    add("pgptoolarge", lambda a: bent(a, lambda p: p + [(63, bytes(600_000))]), "too large")
    add("pgplength", lambda a: b"\xc6\xff\xff\xff\xff\xff" + os.urandom(100), "damaged", "cannot be read", "malformed", "not a")
    for name, (address, data, words) in made.items():
        pathlib.Path(folder, name).write_bytes(data)
    return made
