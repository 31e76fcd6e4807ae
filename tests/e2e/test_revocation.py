"""A real authority of the openssl command: its revocation list by http, and `openssl ocsp` answering behind the same port."""
import functools
import http.server
import pathlib
import subprocess
import threading

from sitekit import wait_until

LISTED, ASKED, GOOD = "listed@example.org", "asked@example.org", "good@example.org"


def openssl(*arguments, **more):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, **more)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


class Responder(http.server.SimpleHTTPRequestHandler):
    def do_POST(self):
        answer = self.server.answer(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Type", "application/ocsp-response")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class Authority:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.public = self.folder / "public"
        self.public.mkdir(parents=True)
        self.config = self.folder / "ca.cnf"
        self.config.write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndir={self.folder}\ndatabase=$dir/index.txt\nnew_certs_dir=$dir\nserial=$dir/serial\n"
            "crlnumber=$dir/number\ncertificate=$dir/ca.pem\nprivate_key=$dir/ca.key\ndefault_md=sha256\ndefault_days=100\n"
            "default_crl_days=2\npolicy=p\ncopy_extensions=copy\n[p]\ncommonName=supplied\n")
        (self.folder / "index.txt").write_text("")
        (self.folder / "serial").write_text("1000\n")
        (self.folder / "number").write_text("1000\n")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                self.folder / "ca.key", "-out", self.folder / "ca.pem", "-days", "300", "-subj", "/CN=Example CA", "-addext",
                "keyUsage=critical,keyCertSign,cRLSign")
        self.web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Responder, directory=self.public))
        self.web.answer = self.answer
        threading.Thread(target=self.web.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.web.server_port}/"

    def issue(self, address, source):
        place = {"crl": f"crlDistributionPoints=URI:{self.url}list.crl", "ocsp": f"authorityInfoAccess=OCSP;URI:{self.url}"}[source]
        certificate = self.folder / f"{address}.pem"
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                self.folder / f"{address}.key", "-out", self.folder / "m.csr", "-subj", f"/CN={address}", "-addext",
                f"subjectAltName=email:{address}", "-addext", place)
        openssl("ca", "-batch", "-config", self.config, "-in", self.folder / "m.csr", "-out", certificate, "-notext")
        return certificate

    def revoke(self, address):
        openssl("ca", "-config", self.config, "-revoke", self.folder / f"{address}.pem")

    def publish(self):
        openssl("ca", "-config", self.config, "-gencrl", "-out", self.folder / "list.pem")
        openssl("crl", "-in", self.folder / "list.pem", "-outform", "DER", "-out", self.public / "list.crl")

    def answer(self, question):
        asked, answered = self.folder / "question.der", self.folder / "answer.der"
        asked.write_bytes(question)
        openssl("ocsp", "-reqin", asked, "-respout", answered, "-index", self.folder / "index.txt", "-CA", self.folder / "ca.pem",
                "-rsigner", self.folder / "ca.pem", "-rkey", self.folder / "ca.key", "-nmin", "5")
        return answered.read_bytes()

    def close(self):
        self.web.shutdown()


def says(stage):
    return {key["address"]: (key["issuerSays"], key["reason"]) for key in stage.site.cli("key", "list")["items"]}


def planned(stage):
    return {(g["protection"], g["reason"]): g["count"] for g in stage.site.cli("list", "plan", "board@lists.example")["counts"]}


def begin(make_stage, authority, **settings):
    stage = make_stage({"smime.certificate_authorities": f'"{authority.folder / "ca.pem"}"', **settings})
    stage.open()
    stage.make_list("board@lists.example", [])
    for address, source in ((LISTED, "crl"), (ASKED, "ocsp"), (GOOD, "crl")):
        stage.site.cli("key", "import", address, str(authority.issue(address, source)))
        stage.site.cli("member", "add", "board@lists.example", address)
    return stage


def test_what_the_issuer_revoked_is_not_used(make_stage, tmp_path):
    authority = Authority(tmp_path / "ca")
    try:
        stage = begin(make_stage, authority, **{"smime.revocation_hosts": '"private"'})
        authority.revoke(LISTED)
        authority.revoke(ASKED)
        authority.publish()
        stage.site.cli("key", "check-all")
        wait_until(lambda: says(stage)[GOOD][0] == "good", "the issuer's word")
        assert says(stage) == {LISTED: ("revoked", "revoked"), ASKED: ("revoked", "revoked"),
                               GOOD: ("good", "valid-certificate")}
        assert planned(stage) == {("smime", "valid-certificate"): 1, ("withheld", "revoked"): 2}
    finally:
        authority.close()


def test_addresses_of_the_own_network_are_not_asked_unless_allowed(make_stage, tmp_path):
    authority = Authority(tmp_path / "ca")
    try:
        authority.publish()
        stage = begin(make_stage, authority, **{"smime.revocation": '"strict"'})
        stage.site.cli("key", "check-all")
        wait_until(lambda: says(stage)[GOOD][0] == "unknown", "the look at the keys")
        assert set(says(stage).values()) == {("unknown", "revocation-unknown")}
        assert planned(stage) == {("withheld", "revocation-unknown"): 3}
    finally:
        authority.close()
