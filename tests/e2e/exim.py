"""A real Exim on loopback, from Debian's package exim4-daemon-light. That package cannot be installed beside Postfix, so it
is fetched and unpacked, and runs where its user exists: in a mount namespace with users of its own. Needs root."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from sitekit import Failure, free_port, wait_until

CACHE = pathlib.Path(__file__).resolve().parents[2] / "build/exim"
USER, NUMBER = "Debian-exim", 65533
INSIDE = "mount --bind $1/passwd /etc/passwd && mount --bind $1/group /etc/group && exec $2 -C $1/conf -bdf"


def program():
    found = CACHE / "usr/sbin/exim4"
    if not found.exists():
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            done = subprocess.run(["apt-get", "download", "exim4-daemon-light"], cwd=folder, capture_output=True, text=True)
            if done.returncode != 0:
                raise Failure(f"Exim cannot be fetched: {done.stderr}")
            package = next(pathlib.Path(folder).glob("*.deb"))
            unpacked = pathlib.Path(folder) / "unpacked"
            subprocess.run(["dpkg-deb", "-x", package, unpacked], check=True)
            CACHE.parent.mkdir(exist_ok=True)
            shutil.rmtree(CACHE, ignore_errors=True)
            shutil.move(unpacked, CACHE)
    return found


class Exim:
    """Puts mail for example.org into one Maildir and sends other mail to `relay_port`. `tls`: whether it has a certificate."""

    def __init__(self, relay_port, certificate, key, tls=True):
        self.program = program()
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="postern-exim-"))
        os.chmod(self.base, 0o755)
        self.port, self.process = free_port(), None
        for name in ("spool", "box"):
            (self.base / name).mkdir()
        for name, source in (("cert.pem", certificate), ("key.pem", key)):
            shutil.copy(source, self.base / name)
        for path in self.base.iterdir():
            os.chown(path, NUMBER, NUMBER)
        lines = {"passwd": f"{USER}:x:{NUMBER}:{NUMBER}::/nonexistent:/usr/sbin/nologin\n", "group": f"{USER}:x:{NUMBER}:\n"}
        for name, line in lines.items():
            (self.base / name).write_text(pathlib.Path("/etc", name).read_text() + line)
        (self.base / "conf").write_text(f"""\
exim_path = {self.program}
spool_directory = {self.base}/spool
log_file_path = {self.base}/spool/%slog
pid_file_path = {self.base}/spool/pid
daemon_smtp_ports = {self.port}
local_interfaces = 127.0.0.1
primary_hostname = exim.example.org
tls_advertise_hosts = {'*' if tls else ''}
tls_certificate = {self.base}/cert.pem
tls_privatekey = {self.base}/key.pem
acl_smtp_rcpt = accept
keep_environment =
begin routers
here:
  driver = accept
  domains = example.org
  transport = box
elsewhere:
  driver = manualroute
  route_list = * 127.0.0.1::{relay_port}
  self = send
  transport = out
begin transports
box:
  driver = appendfile
  directory = {self.base}/box
  maildir_format
  user = {USER}
out:
  driver = smtp
  hosts_require_tls = *
  tls_verify_hosts =
  tls_try_verify_hosts =
begin retry
* * F,1h,5s
""")

    def start(self):
        self.process = subprocess.Popen(["unshare", "--mount", "sh", "-c", INSIDE, "sh", self.base, self.program])
        wait_until(lambda: "daemon started" in self.log(), "Exim runs")
        return self

    def log(self):
        path = self.base / "spool/mainlog"
        return path.read_text(errors="replace") if path.exists() else ""

    def box(self):
        """The messages, oldest first, with CRLF."""
        files = sorted((self.base / "box/new").glob("*"), key=lambda path: path.stat().st_mtime)
        return [re.sub(rb"\r?\n", b"\r\n", path.read_bytes()) for path in files]

    def wait_for(self, needle, seconds=60):
        """The first message that holds the bytes."""
        try:
            return wait_until(lambda: next((mail for mail in self.box() if needle in mail), None), f"mail with {needle}", seconds)
        except Failure as failure:
            raise Failure(f"{failure}\n{self.log()[-3000:]}")

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)
        shutil.rmtree(self.base, ignore_errors=True)
