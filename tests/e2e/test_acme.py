"""ACME with the packaged client (lego) against a real ACME server (Pebble), without a person: got, installed, taken over by the
running processes, renewed by the same command, refused without harm."""
import json
import os
import ssl
import subprocess
import tempfile
import time

import pytest
from sitekit import free_port, wait_until

NAME = "mail.postern.test"


class Authority:
    """Pebble and its DNS, in which every name is this machine."""

    def __init__(self, folder):
        self.folder, self.http, self.port, manage, dns, api = folder, free_port(), free_port(), free_port(), free_port(), free_port()
        self.certificate = f"{folder}/authority.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                        f"{folder}/authority.key", "-out", self.certificate], check=True, capture_output=True)
        with open(f"{folder}/pebble.json", "w") as file:
            json.dump({"pebble": {"listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{manage}",
                                  "certificate": self.certificate, "privateKey": f"{folder}/authority.key",
                                  "httpPort": self.http, "tlsPort": free_port(), "ocspResponderURL": ""}}, file)
        log = open(f"{folder}/pebble.log", "wb")
        self.dns = subprocess.Popen(["pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dns01", f"127.0.0.1:{dns}",
                                     "-management", f"127.0.0.1:{api}", "-http01", "", "-https01", "", "-tlsalpn01", ""],
                                    stdout=log, stderr=log)
        self.server = subprocess.Popen(["pebble", "-config", f"{folder}/pebble.json", "-strict", "-dnsserver", f"127.0.0.1:{dns}"],
                                       stdout=log, stderr=log, env={**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "5"})
        wait_until(self.answers, "Pebble answers", 20)

    def answers(self):
        import urllib.request
        context = ssl.create_default_context(cafile=self.certificate)
        try:
            return urllib.request.urlopen(f"https://localhost:{self.port}/dir", context=context, timeout=2).status == 200
        except OSError:
            return False

    def stop(self):
        for process in (self.server, self.dns):
            process.terminate()
            process.wait(10)


@pytest.fixture
def authority():
    with tempfile.TemporaryDirectory(prefix="postern-acme-") as folder:
        made = Authority(folder)
        yield made
        made.stop()


def served(stage):
    return ssl.get_server_certificate(("127.0.0.1", stage.site.web_port))


def acme(stage, authority, *more):
    return subprocess.run([stage.site.programs / "postern", "--data", stage.site.data, "--json", "certificate", "acme", *more],
                          capture_output=True, timeout=120, env={**os.environ, "LEGO_CA_CERTIFICATES": authority.certificate})


def test_a_certificate_is_got_installed_served_and_renewed_without_a_person(make_stage, authority):
    stage = make_stage().open()
    before = served(stage)
    wanted = ["--mail", "admin@postern.test", "--domain", NAME, "--server", f"https://localhost:{authority.port}/dir",
              "--http-port", str(authority.http)]
    refused = acme(stage, authority, *wanted)
    assert refused.returncode == 3 and b"--agree" in refused.stdout, refused
    assert served(stage) == before
    done = acme(stage, authority, *wanted, "--agree")
    assert done.returncode == 0, done
    told = json.loads(done.stdout)
    assert "Pebble Intermediate" in told["issuer"] and told["daysLeft"] > 30
    new = wait_until(lambda: (lambda now: now if now != before else None)(served(stage)), "the web serves it", 20)
    chain = (stage.site.data / "tls/cert.pem").read_text()
    assert chain.count("BEGIN CERTIFICATE") >= 2, "the chain of the authority is missing"
    assert (stage.site.data / "tls/key.pem").stat().st_mode & 0o077 == 0
    again = acme(stage, authority)
    assert again.returncode == 0 and json.loads(again.stdout)["what"].startswith("The certificate need not be renewed")
    assert served(stage) == new
    settings = stage.site.data / "acme/settings.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "note": 1}))  # as after a change of what is asked
    third = acme(stage, authority, "--domain", NAME, "--domain", "smtp.postern.test")
    assert third.returncode == 0, third
    wait_until(lambda: served(stage) not in (before, new), "the renewed one is served", 20)
    rules = [one["rule"] for one in stage.site.cli("status")["problems"]]
    assert not any(rule.startswith("certificate.") for rule in rules), rules


def test_an_authority_that_cannot_reach_this_machine_leaves_the_old_certificate(make_stage, authority):
    stage = make_stage().open()
    before = (stage.site.data / "tls/cert.pem").read_bytes()
    done = acme(stage, authority, "--mail", "admin@postern.test", "--domain", NAME, "--agree", "--server",
                f"https://localhost:{authority.port}/dir", "--http-port", str(free_port()))
    assert done.returncode == 3 and b"stays in force" in done.stdout, done
    assert (stage.site.data / "tls/cert.pem").read_bytes() == before


def test_a_certificate_and_a_key_that_do_not_fit_or_are_over_are_not_installed(make_stage):
    stage = make_stage()
    folder = stage.folder
    for name, days in (("one", "30"), ("two", "30")):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", days,
                        "-subj", f"/CN={name}.example", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"],
                       check=True, capture_output=True)
    before = (stage.site.data / "tls/cert.pem").read_bytes()
    assert stage.site.run_cli("certificate", "install", str(folder / "one.pem"), str(folder / "two.key")).returncode == 3
    assert (stage.site.data / "tls/cert.pem").read_bytes() == before
    assert stage.site.run_cli("certificate", "install", str(folder / "one.pem"), str(folder / "one.key")).returncode == 0
    assert "one.example" in stage.site.cli("certificate", "server")["subject"]
