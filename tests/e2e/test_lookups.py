"""Keys of members looked for in a real LDAP directory (slapd), over TLS, as somebody: proposed or taken, never forged."""
import pathlib
import socket
import subprocess

import pytest

from sitekit import Person, Refused, make_message, swaks, wait_until
from test_ladder import GnuPg

BOARD, ANN, BEN, EVE = "board@lists.example", "ann@example.org", "ben@example.org", "eve@elsewhere.example"
PASSWORD, BASE = "directory secret 7", "dc=example,dc=org"

def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

class Slapd:
    """A directory that answers nobody but its reader."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        (self.folder / "data").mkdir(parents=True)
        self.port = free_port()
        self.url = f"ldap://127.0.0.1:{self.port}"
        self.authority = self.folder / "ca.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                self.folder / "ca.key", "-out", self.authority, "-days", "30", "-subj", "/CN=Directory CA")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                self.folder / "server.key", "-out", self.folder / "server.csr", "-subj", "/CN=ldap.example.org", "-addext",
                "subjectAltName=IP:127.0.0.1")
        openssl("x509", "-req", "-in", self.folder / "server.csr", "-CA", self.authority, "-CAkey", self.folder / "ca.key",
                "-out", self.folder / "server.pem", "-days", "30", "-copy_extensions", "copy")
        (self.folder / "slapd.conf").write_text(f"""
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.3.6.1.4.1.3401.8.2.11 NAME 'pgpKey' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.3.6.1.4.1.3401.8.2.99 NAME 'pgpPerson' SUP top AUXILIARY MAY pgpKey )
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {self.folder}/slapd.pid
TLSCACertificateFile {self.authority}
TLSCertificateFile {self.folder}/server.pem
TLSCertificateKeyFile {self.folder}/server.key
security tls=1
database mdb
suffix "{BASE}"
rootdn "cn=reader,{BASE}"
rootpw "{PASSWORD}"
directory {self.folder}/data
access to * by anonymous auth by * none
""")
        self.add(f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n")
        self.process = None

    def add(self, ldif):
        done = subprocess.run(["/usr/sbin/slapadd", "-f", self.folder / "slapd.conf"], input=ldif.encode(), capture_output=True)
        assert done.returncode == 0, done.stderr.decode()

    def person(self, name, mail, certificate=None, pgp=None):
        entry = f"dn: cn={name},{BASE}\nobjectClass: inetOrgPerson\nobjectClass: pgpPerson\ncn: {name}\nsn: {name}\nmail: {mail}\n"
        if certificate:
            entry += f"userCertificate;binary:< file://{certificate}\n"
        if pgp:
            entry += f"pgpKey:< file://{pgp}\n"
        self.add(entry)

    def start(self):
        self.process = subprocess.Popen(["/usr/sbin/slapd", "-d", "0", "-f", self.folder / "slapd.conf", "-h", self.url + "/"])

        def answers():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0
        wait_until(answers, "slapd listens")

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None

@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    slapd = Slapd(tmp_path_factory.mktemp("ldap"))
    yield slapd
    slapd.stop()

@pytest.fixture(scope="module")
def scene(stage, directory):
    ann = Person(directory.folder, ANN, "rsa")
    ben = GnuPg(BEN, "ed25519", "cv25519")
    der = directory.folder / "ann.der"
    openssl("x509", "-in", ann.certificate, "-outform", "DER", "-out", der)
    directory.person("ann", ANN, certificate=der)
    directory.person("ben", BEN, pgp=ben.public)
    directory.person("eve", EVE, certificate=der)  # Ann's, under another's address
    directory.start()
    stage.make_list(BOARD, [], ladder="smime,openpgp")
    secret = directory.folder / "password"
    secret.write_text(PASSWORD + "\n")
    return stage, directory, secret, ann, ben

def add(stage, directory, secret, *more, name="people", domains="example.org", url=None, authorities=True):
    trusted = ["--authorities", str(directory.authority)] if authorities else []
    return stage.site.cli("directory", "add", name, url or directory.url, domains, "--base", BASE, "--bind",
                          f"cn=reader,{BASE}", "--password-file", str(secret), *trusted, *more)

def keys_of(stage, address):
    return [(key["state"], key["kind"]) for key in stage.site.cli("key", "list", address)["items"]]

def test_a_directory_is_asked_over_trusted_tls_only(scene):
    stage, directory, secret, *_ = scene
    add(stage, directory, secret, name="stranger", authorities=False)
    answer = stage.site.cli("directory", "test", "stranger", ANN)
    assert "TLS" in answer["outcome"] and not answer["keys"]
    add(stage, directory, secret, name="other-name", url=directory.url.replace("127.0.0.1", "127.0.0.2"))
    assert not stage.site.cli("directory", "test", "other-name", ANN)["keys"]
    add(stage, directory, secret, name="plain", url=directory.url.replace("ldap:", "ldaps:"))
    assert not stage.site.cli("directory", "test", "plain", ANN)["keys"]
    for name in ("stranger", "other-name", "plain"):
        stage.site.cli("directory", "remove", name)

def test_a_key_is_proposed_and_one_of_an_authoritative_directory_is_used(scene):
    stage, directory, secret, ann, ben = scene
    add(stage, directory, secret)
    assert stage.site.cli("directory", "test", "people", ANN)["keys"][0]["usable"]
    stage.site.cli("member", "add", BOARD, BEN)
    wait_until(lambda: keys_of(stage, BEN) == [("proposed", "openpgp")], "the key of the new member is proposed")
    add(stage, directory, secret, "--authoritative")
    wait_until(lambda: keys_of(stage, BEN) == [("confirmed", "openpgp")], "it is in use")
    stage.site.cli("member", "add", BOARD, ANN)
    wait_until(lambda: keys_of(stage, ANN) == [("confirmed", "smime")], "the certificate of the new member is in use")
    code, dialogue = swaks(stage.site.smtp_port, ANN, [BOARD], make_message(f"Ann <{ANN}>", BOARD, "Secure: figures", "CANARY-9"))
    assert code == 0, dialogue
    copy = wait_until(lambda: stage.sink.of(BEN), "the copy")[0]
    assert b"CANARY-9" in ben.run("--decrypt", input=copy.message.get_payload()[1].get_payload(decode=True))
    copy = wait_until(lambda: stage.sink.of(ANN), "the copy")[0]
    assert b"CANARY-9" in ann.read(copy.raw)

def test_a_directory_speaks_for_its_domains_and_no_other_address(scene):
    stage, directory, secret, *_ = scene
    stage.site.cli("member", "add", BOARD, EVE)
    with pytest.raises(Refused) as refused:
        stage.site.cli("key", "lookup", EVE)
    assert "no place" in str(refused.value.error)
    add(stage, directory, secret, "--authoritative", domains="example.org,elsewhere.example")
    found = stage.site.cli("key", "lookup", EVE)
    assert found["found"] == 0
    assert not found["places"][0]["keys"][0]["usable"]
    assert keys_of(stage, EVE) == []

def test_a_directory_that_is_away_is_told_and_stops_nothing(scene):
    stage, directory, secret, *_ = scene
    directory.stop()
    answer = stage.site.cli("key", "lookup", BEN)
    assert answer["found"] == 0 and "does not answer" in answer["places"][0]["outcome"]
    assert keys_of(stage, BEN) == [("confirmed", "openpgp")]
    directory.start()

def test_a_filter_has_no_room_for_more_than_the_address(scene):
    stage, directory, secret, *_ = scene
    with pytest.raises(Refused):
        add(stage, directory, secret, "--filter", "(mail=*)", name="all")
    sly = '"*)(cn=ann"@example.org'
    answer = stage.site.cli("directory", "test", "people", sly)
    assert answer["outcome"] == "no entry fits", answer

def test_trust_is_told_before_it_changes(scene, tmp_path):
    stage, *_ = scene
    authority = tmp_path / "ca.pem"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", tmp_path / "ca.key",
            "-out", authority, "-days", "30", "-subj", "/CN=Members CA")
    told = stage.site.cli("trust", "add", str(authority), "--preview")
    assert told["effect"] == {"gained": 0, "lost": 1} and not told["done"]
    assert stage.site.cli("trust", "list")["items"] == []
    stage.site.cli("trust", "add", str(authority))
    wait_until(lambda: stage.site.cli("key", "list", ANN)["items"][0]["reason"] == "untrusted", "keys are judged")
    fingerprint = stage.site.cli("trust", "list")["items"][0]["fingerprint"]
    with pytest.raises(Refused) as refused:
        stage.site.cli("trust", "remove", fingerprint)
    assert "last authority" in str(refused.value.error)
    stage.site.cli("trust", "remove", fingerprint, "--last")
    wait_until(lambda: stage.site.cli("key", "list", ANN)["items"][0]["reason"] == "valid-certificate", "judged again")
