"""A real Postfix on loopback: the org mail server that submits to Postern and receives from it."""
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import tempfile
import time

from sitekit import Failure, free_port, wait_until

MASTER = """\
{port} inet n - n - - smtpd
pickup unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


PEOPLE = ["ann", "bob", "cid", "dora"]


class Postfix:
    """Holds the mailboxes of PEOPLE at example.org as Maildirs and sends all other mail to `relay_port`, over TLS only."""

    def __init__(self, relay_port, certificate, key):
        if shutil.which("postfix", path="/usr/sbin:/usr/bin") is None:
            raise Failure("Postfix is missing: apt-get install postfix")
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="postern-postfix-"))
        os.chmod(self.base, 0o755)
        self.port = free_port()
        self.config, self.boxes = self.base / "etc", self.base / "boxes"
        for folder in (self.config, self.boxes, self.base / "spool", self.base / "data"):
            folder.mkdir()
        owner = pwd.getpwnam("postfix")
        os.chown(self.base / "data", owner.pw_uid, owner.pw_gid)
        nobody = pwd.getpwnam("nobody")
        os.chown(self.boxes, nobody.pw_uid, nobody.pw_gid)
        for name, source in (("cert.pem", certificate), ("key.pem", key)):
            shutil.copy(source, self.config / name)
        (self.config / "master.cf").write_text(MASTER.format(port=f"127.0.0.1:{self.port}"))
        (self.config / "main.cf").write_text(f"""\
compatibility_level = 3.6
queue_directory = {self.base}/spool
data_directory = {self.base}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {self.base}/spool/maillog
maillog_file_prefixes = {self.base}
myhostname = mail.example.org
mydomain = example.org
myorigin = example.org
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = example.org
virtual_mailbox_base = {self.boxes}
virtual_mailbox_maps = texthash:{self.config}/boxes
virtual_uid_maps = static:{nobody.pw_uid}
virtual_gid_maps = static:{nobody.pw_gid}
relayhost = [127.0.0.1]:{relay_port}
smtp_tls_security_level = encrypt
smtp_tls_loglevel = 1
smtpd_tls_security_level = may
smtpd_tls_loglevel = 1
smtpd_tls_received_header = yes
smtpd_tls_cert_file = {self.config}/cert.pem
smtpd_tls_key_file = {self.config}/key.pem
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions =
smtputf8_enable = yes
notify_classes =
minimal_backoff_time = 5s
maximal_backoff_time = 10s
queue_run_delay = 5s
""")
        (self.config / "boxes").write_text("".join(f"{name}@example.org {name}/Maildir/\n" for name in PEOPLE))

    def command(self, *arguments):
        return subprocess.run(["/usr/sbin/postfix", "-c", str(self.config), *arguments], capture_output=True, text=True)

    def start(self):
        done = self.command("start")
        if done.returncode != 0:
            raise Failure(f"Postfix does not start: {done.stderr}")
        wait_until(lambda: self.command("status").returncode == 0, "Postfix runs")
        return self

    def send(self, sender, recipients, message):
        """Hands a message to Postfix as a person's mail program would."""
        done = subprocess.run(["/usr/sbin/sendmail", "-C", str(self.config), "-i", "-f", sender, *recipients],
                              input=message.replace("\r\n", "\n").encode(), capture_output=True)
        if done.returncode != 0:
            raise Failure(f"sendmail: {done.stderr.decode()}")

    def box(self, name):
        """The messages in somebody's mailbox, oldest first, as bytes with CRLF."""
        files = sorted((self.boxes / name / "Maildir/new").glob("*"), key=lambda path: path.stat().st_mtime)
        return [re.sub(rb"\r?\n", b"\r\n", path.read_bytes()) for path in files]

    def wait_box(self, name, count=1, seconds=60):
        try:
            return wait_until(lambda: len(self.box(name)) >= count and self.box(name), f"{count} message(s) for {name}",
                              seconds)
        except Failure as failure:
            raise Failure(f"{failure}\n{self.maillog()[-3000:]}")

    def maillog(self):
        path = self.base / "spool/maillog"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self):
        self.command("stop")
        time.sleep(0.2)
        shutil.rmtree(self.base, ignore_errors=True)
