"""The front door: other names of the server, relays with certificates, TLS demands, load balancers and filters in front.
The openssl command, swaks and haproxy are the other side."""
import datetime
import pathlib
import shutil
import smtplib
import socket
import ssl
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sitekit import Refused, free_port, make_message, swaks, wait_until

OUT, BOARD = "outbound@lists.example", "board@lists.example"
ANN, SAM = "ann@example.org", "sam@smime.example"
OLD, RETIRED = "old.example", "retired.example"


class Maker:
    """A CA for clients, and certificates of it or of nobody."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Client CA")])
        self.ca = self.write("ca", self.build(self.name, self.key, [], days=(-9, 99), authority=True), self.key)[0]

    def build(self, subject, key, names, days, authority=False, self_signed=False):
        now = datetime.datetime.utcnow()
        made = (x509.CertificateBuilder().subject_name(subject)
                .issuer_name(subject if self_signed else self.name).public_key(key.public_key())
                .serial_number(x509.random_serial_number()).not_valid_before(now + datetime.timedelta(days=days[0]))
                .not_valid_after(now + datetime.timedelta(days=days[1]))
                .add_extension(x509.BasicConstraints(authority, None), True))
        if names:
            made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
        return made.sign(key if self_signed else self.key, hashes.SHA256())

    def write(self, name, certificate, key):
        files = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption()))
        return files

    def make(self, file, name, days=(-1, 60), **more):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return self.write(file, self.build(subject, key, [name], days, **more), key)


def day(offset):
    return (datetime.datetime.utcnow() + datetime.timedelta(days=offset)).strftime("%Y-%m-%d")


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    from conftest import Stage
    stage = Stage(tmp_path_factory.mktemp("frontdoor"))
    site = stage.site
    stage.maker = Maker(site.data / "names")
    stage.strict, stage.v1, stage.v2, stage.filter = free_port(), free_port(), free_port(), free_port()
    site.set("gateway.listen", f'["127.0.0.1:{site.smtp_port}", "127.0.0.1:{stage.strict} tls=required tls-min=1.3", '
             f'"127.0.0.1:{stage.v1} proxy=127.0.0.1", "127.0.0.1:{stage.filter}"]')
    site.set("gateway.listen_tls", f'["127.0.0.1:{site.smtps_port}", "127.0.0.1:{stage.v2} proxy=127.0.0.1"]')
    site.set("gateway.client_authorities", '"names/ca.pem"')
    site.set("gateway.sender_checks", '"off"')
    for name in (OLD, RETIRED):
        stage.maker.make(name, name, days=(-1, 40))
    toml = site.data / "postern.toml"
    stage.plain_toml = toml.read_text()
    stage.aliases = lambda retired: "".join(
        f'\n[[gateway.alias]]\nname = "{name}"\ncertificate = "names/{name}.pem"\ncertificate_key = "names/{name}.key"\n{more}'
        for name, more in ((OLD, ""), (RETIRED, retired)))
    toml.write_text(stage.plain_toml + stage.aliases(f'retires = "{day(30)}"\nafterwards = "refuse"\n') +
                    '\n[[gateway.sender_tls]]\ndomain = "partner.example"\n')
    try:
        stage.open()
        stage.person(SAM, "rsa")
        stage.make_list(OUT, [], ladder="smime")
        stage.make_list(BOARD, [stage.person("sue@members.example", "rsa")])
        yield stage
    finally:
        stage.close()


def s_client(port, *more, starttls=True, text=b"QUIT\n"):
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *(["-starttls", "smtp"] if starttls else []),
               "-crlf", "-ign_eof", *more]
    done = subprocess.run(command, input=text, capture_output=True, timeout=60)
    return done.returncode, done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")


def subject(port, *more):
    return next((line for line in s_client(port, *more)[1].splitlines() if line.startswith("subject=")), "")


def post(port, *more, to=BOARD, sender=ANN, tls=True):
    return swaks(port, sender, [to], make_message(sender, to, "Secure: plan" if to == SAM else "hello", "words"), *more,
                 tls=tls)


def client_of(scene, dialogue):
    """Who handed over the message of this dialogue, as its trace says."""
    queue_id = dialogue.rsplit("accepted as ", 1)[1].split()[0]

    def known():
        try:
            return scene.site.cli("trace", queue_id)["post"]["client"]
        except Refused:
            return None
    return wait_until(known, "the message is known")


# ---- other names ------------------------------------------------------------------------------------------------

def test_openssl_gets_the_certificate_of_the_name_it_asks_for(scene):
    port = scene.site.smtp_port
    assert OLD in subject(port, "-servername", OLD)
    assert RETIRED in subject(port, "-servername", RETIRED)
    first = subject(port, "-noservername")
    assert first and OLD not in first
    for odd in ("nobody.example", "127.0.0.1", "a" * 63 + ".example", "old.example.evil.example", "x" * 255):
        assert subject(port, "-servername", odd) == first, odd
    assert OLD in s_client(scene.site.smtps_port, "-servername", OLD, starttls=False)[1]


def test_mail_over_an_old_name_goes_its_way_and_is_counted(scene):
    code, dialogue = post(scene.site.smtp_port, "--tls-sni", OLD, sender="sue@members.example")
    assert code == 0, dialogue
    scene.sink.wait("sue@members.example")
    shown = scene.site.cli("hostname", "show", OLD)
    assert shown["state"] == "in-use" and shown["messages"] >= 1 and shown["lastUseAt"] > 0
    assert shown["networks"][0]["network"] == "127.0.0.0/24" and shown["days"][0]["sessions"] >= 1
    assert shown["certificateEndsAt"] > 0 and not shown["certificateProblem"]
    with pytest.raises(Refused):
        scene.site.cli("hostname", "show", "nobody.example")
    text = scene.site.run_cli("hostname", "list").stdout.decode()
    assert OLD in text and "retiring" in text


def test_a_name_retires_at_a_reload_and_open_sessions_stay(scene):
    site, toml = scene.site, scene.site.data / "postern.toml"
    before = toml.read_text()
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP("127.0.0.1", site.smtp_port, timeout=60) as session:
        session._host = RETIRED
        session.starttls(context=context)
        assert session.ehlo("mail.example.org")[1].startswith(RETIRED.encode())
        toml.write_text(before.replace(f'retires = "{day(30)}"', f'retires = "{day(-1)}"'))
        site.cli("reload")
        assert session.noop()[0] == 250
    code, dialogue = post(site.smtp_port, "--tls-sni", RETIRED)
    assert code != 0 and "550 5.7.1" in dialogue and f"{RETIRED} is retired since" in dialogue, dialogue
    shown = site.cli("hostname", "show", RETIRED)
    assert shown["state"] == "refused" and shown["refused"] >= 1
    assert any(one["rule"] == "name.retired" and RETIRED in one["what"] for one in site.cli("status")["problems"])
    toml.write_text(toml.read_text().replace('afterwards = "refuse"', 'afterwards = "warn"'))
    site.cli("reload")
    code, dialogue = post(site.smtp_port, "--tls-sni", RETIRED)
    assert code == 0, dialogue
    assert site.cli("hostname", "show", RETIRED)["messages"] >= 1


def test_the_certificate_of_a_name_is_watched_and_renewed_without_a_restart(scene):
    site, maker = scene.site, scene.maker
    problems = lambda: [one for one in site.cli("status")["problems"] if one["rule"].startswith("certificate.")]
    assert not [one for one in problems() if OLD in one["what"]]
    maker.make(OLD, OLD, days=(-1, 2))
    wait_until(lambda: [one for one in problems() if OLD in one["what"] and one["severity"] == "error"],
               "the end of the certificate is told")
    serial = lambda: next(line for line in s_client(site.smtp_port, "-servername", OLD)[1].splitlines()
                          if "NotAfter" in line)
    short = wait_until(serial, "a certificate")
    maker.make(OLD, OLD, days=(-1, 40))
    wait_until(lambda: serial() != short, "the new certificate is served")
    assert not [one for one in problems() if OLD in one["what"]]


def test_the_settings_are_checked_with_line_and_column(scene):
    toml = scene.site.data / "postern.toml"
    before = toml.read_text()
    line = before.count("\n") + 2
    try:
        for text, place in (('\n[[gateway.alias]]\nname = "two words"\n', f"{line + 1}:8"),
                            ('\n[[gateway.sender_tls]]\ndomain = "x.example"\nleast = "1.1"\n', f"{line + 2}:9")):
            toml.write_text(before + text)
            done = scene.site.run_cli("config", "check")
            assert done.returncode == 3 and f"postern.toml:{place}: " in done.stderr.decode() + done.stdout.decode()
    finally:
        toml.write_text(before)


# ---- relays with certificates -----------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def relays(scene):
    """Certificates: of a relay by fingerprint, of one by name, an expired one, and one of nobody that bears the name."""
    maker = scene.maker
    made = {"pinned": maker.make("pinned", "pin.example.org", self_signed=True),
            "named": maker.make("named", "mail.example.org"), "other": maker.make("other", "else.example.org"),
            "expired": maker.make("expired", "mail.example.org", days=(-9, -1)),
            "forged": maker.make("forged", "mail.example.org", self_signed=True),
            "nul": maker.make("nul", "mail.example.org\0.evil.example"),
            "wild": maker.make("wild", "*.example.org")}
    site = scene.site
    site.cli("relay", "add", "any", "pinned.example", OUT, "--certificate", str(made["pinned"][0]))
    site.cli("relay", "add", "any", "example.org", OUT, "--issuer", "CN=Client CA", "--name", "mail.example.org")
    return made


def relay(scene, relays, which, sender=ANN):
    more = ["--tls-cert", str(relays[which][0]), "--tls-key", str(relays[which][1])] if which else []
    return post(scene.site.smtp_port, *more, to=SAM, sender=sender)


def test_a_relay_is_known_by_its_certificate(scene, relays):
    for which, sender, worth in (("named", ANN, "verified"), ("pinned", "ann@pinned.example", "pinned")):
        count = len(scene.sink.of(SAM))
        code, dialogue = relay(scene, relays, which, sender)
        assert code == 0, dialogue
        assert b"words" in scene.people[SAM].decrypt(scene.sink.wait(SAM, count + 1)[-1].raw)
        assert client_of(scene, dialogue)["tls"]["verification"] == worth


@pytest.mark.parametrize("which, sender", [(None, ANN), ("other", ANN), ("expired", ANN), ("forged", ANN), ("nul", ANN), ("wild", ANN),
                                           ("pinned", ANN), ("named", "ann@pinned.example"), (None, "ann@pinned.example")])
def test_any_other_certificate_is_a_strangers(scene, relays, which, sender):
    code, dialogue = relay(scene, relays, which, sender)
    assert code != 0 and "550 5.7.1 mail for this domain is not relayed here" in dialogue, dialogue


def test_the_log_says_why_a_certificate_did_not_count(scene, relays):
    relay(scene, relays, "expired")
    wait_until(lambda: "expired on" in scene.site.log.read_text(), "the reason stands in the log")
    text = scene.site.run_cli("relay", "list").stdout.decode()
    assert "mail.example.org" in text and "CN=Client CA" in text


def test_a_relay_that_is_removed_is_a_stranger_again(scene, relays):
    site = scene.site
    site.cli("relay", "remove", "any", "pinned.example")
    code, dialogue = relay(scene, relays, "pinned", "ann@pinned.example")
    assert code != 0 and "550 5.7.1" in dialogue, dialogue


# ---- TLS demands ------------------------------------------------------------------------------------------------

def test_a_listener_takes_nothing_in_clear_and_no_older_tls(scene):
    code, dialogue = post(scene.strict, tls=False)
    assert code != 0 and "530 5.7.0" in dialogue, dialogue
    code, dialogue = s_client(scene.strict, "-tls1_2")
    assert code != 0 and "alert protocol version" in dialogue, dialogue
    assert s_client(scene.site.smtp_port, "-tls1_2")[0] == 0
    code, dialogue = post(scene.strict)
    assert code == 0, dialogue


def test_mail_of_some_senders_comes_over_tls_alone(scene):
    code, dialogue = post(scene.site.smtp_port, sender="bob@mail.partner.example", tls=False)
    assert code != 0 and "530 5.7.0 mail of partner.example is taken over TLS only" in dialogue, dialogue
    code, dialogue = post(scene.site.smtp_port, sender="bob@mail.partner.example")
    assert code == 0, dialogue


# ---- load balancers ---------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def haproxy(scene, tmp_path_factory):
    program = shutil.which("haproxy") or "/usr/sbin/haproxy"
    folder = tmp_path_factory.mktemp("haproxy")
    scene.front1, scene.front2 = free_port(), free_port()
    config = folder / "haproxy.cfg"
    config.write_text(f"""
defaults
  mode tcp
  timeout connect 10s
  timeout client 60s
  timeout server 60s
frontend one
  bind 127.0.0.1:{scene.front1}
  default_backend clear
frontend two
  bind 127.0.0.1:{scene.front2}
  default_backend over
backend clear
  source 127.0.0.1
  option smtpchk EHLO balancer.example
  server postern 127.0.0.1:{scene.v1} send-proxy check check-send-proxy inter 500ms
backend over
  server postern 127.0.0.1:{scene.v2} send-proxy-v2
""")
    process = subprocess.Popen([program, "-db", "-f", config], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def answers():
        with socket.socket() as probe:
            return process.poll() is None and probe.connect_ex(("127.0.0.1", scene.front2)) == 0
    wait_until(answers, "haproxy listens")
    yield scene
    process.terminate()
    process.wait(30)


def fronted(port, client, *more, tls=True):
    """A message through haproxy from an address of the loopback network that is the client's."""
    return swaks(port, "ann@example.net", [BOARD], make_message("ann@example.net", BOARD, "hello", "words"),
                 "--local-interface", client, *more, tls=tls)


def test_haproxy_names_the_client_in_both_versions(haproxy):
    for port, more, client, tls in ((haproxy.front1, [], "127.0.0.21", True),
                                    (haproxy.front2, ["--tls-on-connect"], "127.0.0.22", False)):
        code, dialogue = wait_until(lambda: (lambda done: done if done[0] == 0 else None)(
            fronted(port, client, *more, tls=tls)), "haproxy has found its server")
        assert client_of(haproxy, dialogue)["address"] == client


def test_who_is_no_balancer_or_brings_no_header_gets_nowhere(haproxy):
    with socket.create_connection(("127.0.0.1", haproxy.v1), timeout=60) as raw:
        raw.sendall(b"EHLO client.example\r\n")
        assert raw.recv(100) == b""
    with socket.socket() as raw:
        raw.settimeout(60)
        raw.bind(("127.0.0.9", 0))
        raw.connect(("127.0.0.1", haproxy.v1))
        assert raw.recv(200).startswith(b"554 ")


# ---- filters in front -------------------------------------------------------------------------------------------

def test_swaks_speaks_for_another_client_where_it_may(scene):
    site = scene.site
    site.set("gateway.xclient_hosts", '"127.0.0.1"')
    site.cli("reload")
    code, dialogue = swaks(site.smtp_port, "ann@example.net", [BOARD], make_message("ann@example.net", BOARD, "x", "y"),
                           "--xclient", "ADDR=203.0.113.9 NAME=spike.example HELO=spike.example", tls=False)
    try:
        assert code == 0 and "XCLIENT NAME ADDR" in dialogue, dialogue
        client = client_of(scene, dialogue)
        assert (client["address"], client["name"]) == ("203.0.113.9", "spike.example")
    finally:
        site.set("gateway.xclient_hosts", '""')
        site.cli("reload")
    with smtplib.SMTP("127.0.0.1", site.smtp_port, timeout=60) as made:
        made.ehlo("client.example")
        assert not made.has_extn("xclient") and made.docmd("XCLIENT ADDR=203.0.113.9")[0] == 500
