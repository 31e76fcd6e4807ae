"""What the measures stand on: CPU and memory of process trees, the load and sink programs, a Postfix and a Postern site."""
import json
import math
import os
import pathlib
import pwd
import resource
import shutil
import socket
import sqlite3
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from sitekit import Failure, Site, free_port, wait_until  # noqa: E402

BUILD = ROOT / "build/bench"
TICK = os.sysconf("SC_CLK_TCK")


# --- processes ---------------------------------------------------------------------------------------------------------


def stat_fields(pid):
    """The fields of /proc/PID/stat behind the name, or None when the process is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None


def tree(root):
    """The process and all its descendants."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := stat_fields(entry)):
            children.setdefault(int(fields[1]), []).append(int(entry))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def cpu_of(root):
    """CPU seconds of the whole tree, children that have ended included."""
    return sum(sum(int(x) for x in fields[11:15]) for pid in tree(root) if (fields := stat_fields(pid))) / TICK


def pss_of(root):
    """Proportional memory of the tree in MB."""
    total = 0
    for pid in tree(root):
        try:
            for line in open(f"/proc/{pid}/smaps_rollup"):
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except OSError:
            pass
    return total / 1024


def busy_seconds():
    numbers = [int(x) for x in open("/proc/stat").readline().split()[1:]]
    return (sum(numbers) - numbers[3] - numbers[4]) / TICK


class Meter:
    """CPU of one server between start and stop, and how many cores worked for nobody in this benchmark meanwhile."""

    def __init__(self, root):
        self.root = root
        self.start = self.now()

    def now(self):
        return time.time(), cpu_of(self.root) if self.root else 0, cpu_of(os.getpid()), busy_seconds()

    def stop(self):
        end = self.now()
        wall, cpu, own, busy = (b - a for a, b in zip(self.start, end))
        mine = own if self.root in (None, *tree(os.getpid())) else own + cpu
        return {"cpu": cpu, "others": max(0.0, (busy - mine) / wall)}


class PeakMemory:
    """Samples the memory of a tree until left."""

    def __init__(self, root):
        self.root, self.peak, self.stopping = root, 0, threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def watch(self):
        while not self.stopping.wait(0.1):
            self.peak = max(self.peak, pss_of(self.root))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()


def settle(root, seconds=60):
    """Waits until the tree has stopped working, so that what a message costs afterwards is counted with it."""
    deadline = time.time() + seconds
    last, quiet = cpu_of(root), 0
    while quiet < 2 and time.time() < deadline:
        time.sleep(0.2)
        now = cpu_of(root)
        quiet = quiet + 1 if now - last <= 0.011 else 0
        last = now


# --- load and sink -----------------------------------------------------------------------------------------------------


class Tools:
    """pload, psink and rawbench of the peers folder, built once, and smtp-source of Postfix."""

    def __init__(self):
        self.folder = pathlib.Path(os.environ.get("POSTERN_PEERS", ROOT.parent / "shared/peers"))
        sources = self.folder / "tools"
        if not (sources / "psink.cpp").exists():
            raise Failure(f"the load and sink programs are missing: {sources}/psink.cpp; set POSTERN_PEERS to their folder")
        self.smtp_source = shutil.which("smtp-source", path="/usr/sbin:/usr/bin")
        if not self.smtp_source:
            raise Failure("smtp-source is missing: apt-get install postfix")
        BUILD.mkdir(parents=True, exist_ok=True)
        self.rawbench = BUILD / "rawbench"
        for name in ("psink", "pload", "rawbench"):
            program = BUILD / name
            if not program.exists() or program.stat().st_mtime < (sources / f"{name}.cpp").stat().st_mtime:
                subprocess.run(["g++", "-O2", "-std=c++17", "-pthread", "-o", program, sources / f"{name}.cpp", "-lssl",
                                "-lcrypto"], check=True)

    def sink(self, port, *arguments, seconds=180):
        process = subprocess.Popen([BUILD / "psink", "-p", str(port), "-t", str(seconds), *map(str, arguments)],
                                   stdout=subprocess.PIPE, text=True)
        wait_until(lambda: listens(port), "the sink listens", 5)
        return process

    def pload(self, port, *arguments):
        done = subprocess.run([BUILD / "pload", "-p", str(port), *map(str, arguments)], capture_output=True, text=True)
        figures = figures_of(done.stdout)
        if done.returncode != 0 or not figures.get("ok"):
            raise Failure(f"pload: {done.stdout} {done.stderr}")
        return figures

    def source(self, port, sessions, messages, size, to):
        """Sends by smtp-source over kept connections; start and end in seconds since the epoch."""
        start = time.time()
        done = subprocess.run([self.smtp_source, "-d", "-s", str(sessions), "-m", str(messages), "-l", str(size), "-f",
                               "ann@example.org", "-t", to, f"127.0.0.1:{port}"], capture_output=True, text=True)
        if done.returncode != 0 or done.stderr:
            raise Failure(f"smtp-source: {done.stdout} {done.stderr}")
        return start, time.time()


def listens(port):
    wanted = f"0100007F:{port:04X}"
    return any(line.split()[1] == wanted and line.split()[3] == "0A" for line in open("/proc/net/tcp").readlines()[1:])


def figures_of(text):
    return {name: float(value) for name, value in (part.split("=") for part in text.split() if "=" in part)}


def end_of(sink):
    """The report of a sink that has had what it waited for."""
    return figures_of(sink.communicate(timeout=200)[0])


# --- the two servers ---------------------------------------------------------------------------------------------------


class BenchPostfix:
    """A private Postfix that relays everything to the sink; the settings are those of the peers folder."""

    MASTER = """127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

    def __init__(self, folder, sink_port, certificate, key, fanouts):
        self.port, self.base = free_port(), pathlib.Path(folder) / "postfix"
        self.config = self.base / "etc"
        for name in ("etc", "spool", "data", "log"):
            (self.base / name).mkdir(parents=True)
        owner = pwd.getpwnam("postfix")
        os.chown(self.base / "data", owner.pw_uid, owner.pw_gid)
        (self.config / "master.cf").write_text(self.MASTER.format(port=self.port))
        (self.config / "main.cf").write_text(f"""\
compatibility_level = 3.6
queue_directory = {self.base}/spool
data_directory = {self.base}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = bench.example.com
mydestination =
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{sink_port}
disable_dns_lookups = yes
smtp_host_lookup = native
local_recipient_maps =
alias_maps =
virtual_alias_domains = virt.example.com
virtual_alias_maps = hash:{self.config}/virtual
virtual_alias_expansion_limit = 200000
smtpd_recipient_limit = 20000
smtpd_relay_restrictions = permit_mynetworks, reject
smtp_destination_recipient_limit = 1
maillog_file = {self.base}/log/maillog
maillog_file_prefixes = {self.base}
message_size_limit = 50000000
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_loglevel = 0
""")
        rows = (f"v{n}@virt.example.com " + ",".join(f"m{i}@example.com" for i in range(n)) for n in fanouts)
        (self.config / "virtual").write_text("\n".join(rows) + "\n")
        subprocess.run(["/usr/sbin/postmap", "-c", self.config, f"hash:{self.config}/virtual"], check=True)

    def start(self):
        done = subprocess.run(["/usr/sbin/postfix", "-c", self.config, "start"], capture_output=True, text=True)
        wait_until(lambda: listens(self.port), f"Postfix listens ({done.stderr[-500:]})", 20)
        self.pid = int((self.base / "spool/pid/master.pid").read_text())

    def settle(self):
        """Waits until the queue is empty."""
        folders = [self.base / "spool" / name for name in ("incoming", "active", "maildrop")]
        wait_until(lambda: not any(f for folder in folders for _, _, files in os.walk(folder) for f in files),
                   "the queue of Postfix is empty", 60)
        settle(self.pid)

    def stop(self):
        subprocess.run(["/usr/sbin/postfix", "-c", self.config, "stop"], capture_output=True)


class Orders:
    """Gives orders to listd over its local socket (core/app/Orders.h)."""

    def __init__(self, data):
        self.path = str(pathlib.Path(data) / "listd/command.sock")
        self.key = (pathlib.Path(data) / "listd/command.key").read_text()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(self.path)

    def give(self, order, **args):
        actor = {"kind": "cli", "name": "bench", "token": self.key}
        frame = json.dumps({"order": order, "actor": actor, "args": args}).encode()
        self.socket.sendall(struct.pack(">I", len(frame)) + frame)
        size = struct.unpack(">I", self.take(4))[0]
        answer = json.loads(self.take(size))
        if not answer["ok"]:
            raise Failure(f"{order}: {answer['error']}")
        return answer["result"]

    def take(self, size):
        parts = bytearray()
        while len(parts) < size:
            part = self.socket.recv(size - len(parts))
            if not part:
                raise Failure("listd closed the connection")
            parts += part
        return bytes(parts)


class BenchSite(Site):
    """A fresh site with the lists of the measures, all routed to the sink."""

    def __init__(self, folder, programs, sink_port):
        super().__init__(pathlib.Path(folder) / "site", programs)
        self.init({"gateway.max_connections_per_client": "20000", "gateway.max_connections": "20000"})
        start = time.monotonic()
        self.start()
        self.start_seconds = time.monotonic() - start
        self.pid = self.process.pid
        self.orders = Orders(self.data)
        self.orders.give("domain.add", name="lists.example")
        self.orders.give("route.add", domain="*", host="127.0.0.1", port=sink_port, tls="opportunistic")
        self.have, self.keys_of = {}, {}

    def list_of(self, count, keys=None):
        """The address of a list with so many members, made when first asked for. `keys`: the kinds of their keys, in
        turn ("rsa", "ec", "openpgp"); a list whose members have keys is secure. rsa0@example.com has an RSA key."""
        address = f"{'-'.join(keys) if keys else 'open'}{count}@lists.example"
        if address not in self.have:
            self.orders.give("list.create", address=address, secure=bool(keys))
            self.orders.give("list.set", address=address, posting="anyone")
            kinds = [keys[i % len(keys)] if keys else "m" for i in range(count)]
            start = time.monotonic()
            if keys:
                for kind in keys:
                    self.import_keys(kind, 1 + max(i for i in range(count) if kinds[i] == kind))
            self.have[address] = time.monotonic() - start
            csv = "".join(f"{kinds[i]}{i}@example.com\r\n" for i in range(count))
            result = self.orders.give("member.import", list=address, csv=csv)
            if result["added"] != count:
                raise Failure(f"member.import: {result}")
            settle(self.pid)
        return address

    def import_keys(self, kind, count):
        """Sees to it that the addresses KIND0@example.com … have keys."""
        have = self.keys_of.get(kind, 0)
        material = make_keys(kind, have, count)
        self.keys_of[kind] = max(have, count)
        links = [Orders(self.data) for _ in range(8)]  # orders of several connections share a commit
        def give(part):
            for i in range(part, len(material), len(links)):
                links[part].give("key.import", address=f"{kind}{have + i}@example.com", certificate=material[i])
        with ThreadPoolExecutor(len(links)) as pool:
            list(pool.map(give, range(len(links))))

    def multiply_keys(self, kind, have, count):
        """Gives KINDn@example.com for n of have to count-1 the keys of KIND0 to KIND(have-1), in turn, while the site rests."""
        self.stop()
        with sqlite3.connect(self.data / "listd/site.db") as database:
            columns = [row[1] for row in database.execute("PRAGMA table_info(member_keys)")]
            kept = [name for name in columns if name not in ("id", "address", "fingerprint")]
            names = ", ".join(["address", "fingerprint", *kept])
            for first in range(have, count, have):
                database.execute(
                    f"INSERT INTO member_keys ({names}) SELECT '{kind}' || (CAST(substr(address, {len(kind) + 1}) AS INTEGER)"
                    f" + {first}) || '@example.com', fingerprint || '-{first}', {', '.join(kept)} FROM member_keys"
                    f" WHERE address GLOB '{kind}[0-9]*' AND CAST(substr(address, {len(kind) + 1}) AS INTEGER) < {have}")
        database.close()
        self.start()
        self.pid = self.process.pid
        self.orders = Orders(self.data)
        self.keys_of[kind] = max(self.keys_of.get(kind, 0), count)

    def settle(self):
        """Waits until every copy has been delivered and the ledger says so."""
        done = lambda: (lambda g: g["waitingAccepted"] == 0 and g["queued"] == 0)(self.orders.give("status")["gateway"])
        wait_until(done, "the queue of Postern is empty", 600)
        settle(self.pid)


def make_keys(kind, start, end):
    """Keys or certificates of KIND<start>@example.com … as text, all different."""
    if kind == "openpgp":
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(make_openpgp_key, range(start, end)))
    return make_certificates(kind, start, end)


def make_openpgp_key(number):
    """An Ed25519 key with a Curve25519 subkey, made by Sequoia; kept for the next run."""
    kept = BUILD / "openpgp" / f"{number}.asc"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        secret = kept.with_suffix(".secret")
        subprocess.run(["sq", "key", "generate", "--userid", f"<openpgp{number}@example.com>", "--export", secret,
                        "--rev-cert", "-"], capture_output=True, check=True)
        public = subprocess.run(["sq", "key", "extract-cert", secret], capture_output=True, check=True).stdout
        secret.unlink()
        kept.write_bytes(public)
    return kept.read_text()


def make_certificates(kind, start, end):
    """PEM certificates with RSA-2048 ("rsa") or P-256 ("ec") keys that all differ. A modulus nobody knows the factors of
    costs the same to seal to, and is made much faster than a real key; the issuer signs with P-256 for the same reason."""
    import datetime
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    issuer_key = ec.generate_private_key(ec.SECP256R1())
    name = lambda text: x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
    issuer, today = name("Bench CA"), datetime.datetime.utcnow()
    usage = x509.KeyUsage(True, False, True, False, kind == "ec", False, False, False, False)
    small = math.prod(n for n in range(3, 2000) if all(n % d for d in range(2, n)))

    def public_key():
        if kind == "ec":
            return ec.generate_private_key(ec.SECP256R1()).public_key()
        modulus = 0
        while math.gcd(modulus, small) != 1:  # small factors are found at import
            modulus = int.from_bytes(os.urandom(256), "big") | 1 << 2047 | 1
        return rsa.RSAPublicNumbers(65537, modulus).public_key()

    found = []
    for i in range(start, end):
        certificate = (x509.CertificateBuilder().subject_name(name(f"{kind}{i}")).issuer_name(issuer)
                       .public_key(public_key()).serial_number(i + 1)
                       .not_valid_before(today - datetime.timedelta(days=1))
                       .not_valid_after(today + datetime.timedelta(days=365))
                       .add_extension(x509.SubjectAlternativeName([x509.RFC822Name(f"{kind}{i}@example.com")]), False)
                       .add_extension(usage, True)
                       .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
                       .sign(issuer_key, hashes.SHA256()))
        found.append(certificate.public_bytes(serialization.Encoding.PEM).decode())
    return found


def make_tls_pair(folder):
    certificate, key = pathlib.Path(folder) / "bench.crt", pathlib.Path(folder) / "bench.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    key, "-out", certificate, "-days", "30", "-subj", "/CN=bench"], check=True, capture_output=True)
    return certificate, key


class Bench:
    """Both servers, fresh, for one run of the measures."""

    def __init__(self, programs, fanouts):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-bench-"))
        os.chmod(self.folder, 0o755)
        self.tools, self.sink_port = Tools(), free_port()
        self.postfix = BenchPostfix(self.folder, self.sink_port, *make_tls_pair(self.folder), fanouts)
        self.site = None
        try:
            self.postfix.start()
            self.site = BenchSite(self.folder, programs, self.sink_port)
        except BaseException:
            self.close()
            raise

    def close(self):
        self.postfix.stop()
        if self.site:
            self.site.stop()
        if not os.environ.get("POSTERN_BENCH_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)


def median(values):
    return statistics.median(values)
