"""The measures of tests/bench/run. Each gives rows for the table: ours beside a peer or a raw limit of the same run."""
import json
import os
import re
import socket
import ssl
import subprocess
import time

from benchkit import Failure, Meter, PeakMemory, cpu_of, end_of, median, pss_of

SIZES = (4096, 20480)


class Series:
    """Values of one figure over the rounds, with what else the machine did meanwhile."""

    def __init__(self):
        self.values, self.others, self.load = [], [], []

    def add(self, value, others=0.0):
        self.values.append(value)
        self.others.append(others)
        self.load.append(os.getloadavg()[0])

    def json(self):
        return {"median": median(self.values), "least": min(self.values), "most": max(self.values), "n": len(self.values),
                "others": median(self.others), "load": median(self.load)} if self.values else None


def row(target, work, variant, unit, ours, peer=None, peer_name="", wanted=None, ratio="rate"):
    """`wanted`: the least (rate) or most (cost, time) that ours / peer may be; without a peer, of ours itself."""
    a, b = ours.json(), peer.json() if peer else None
    found = {"target": target, "work": work, "variant": variant, "unit": unit, "ours": a, "peer": b, "peerName": peer_name,
             "wanted": wanted, "kind": ratio}
    value = a["median"] / b["median"] if b and b["median"] else a["median"] if not peer else None
    found["ratio"] = value if peer else None
    if wanted is not None and value is not None:
        found["met"] = value >= wanted if ratio == "rate" else value <= wanted
    return found


# --- accept and hand on ------------------------------------------------------------------------------------------------


class HandOn:
    """Messages through a server to the sink: what is accepted and handed on a second, and CPU time a message."""

    def __init__(self):
        self.accepted, self.delivered, self.cpu = Series(), Series(), Series()

    def run(self, bench, server, count, send):
        sink = bench.tools.sink(bench.sink_port, "-m", count)
        meter = Meter(server.pid)
        start, end = send()
        report = end_of(sink)
        server.settle()
        used = meter.stop()
        self.accepted.add(count / (end - start), used["others"])
        self.delivered.add(count / (report["last"] - start), used["others"])
        self.cpu.add(used["cpu"] / count * 1000, used["others"])


def measure_accept(bench, options):
    to = bench.site.list_of(1)
    rows = []
    for size in SIZES:
        for sessions in (1, 10, 50, 100):
            ours, postfix, raw = HandOn(), HandOn(), Series()
            many, few = (3000, 600) if sessions > 1 else (1000, 500)
            for _ in range(options.rounds):
                ours.run(bench, bench.site, many,
                         lambda: bench.tools.source(bench.site.smtp_port, sessions, many, size, to))
                postfix.run(bench, bench.postfix, few,
                            lambda: bench.tools.source(bench.postfix.port, sessions, few, size, "m0@example.com"))
                raw_accept(bench, raw, sessions, size)
            variant = f"{size // 1024} kB, {sessions} sessions"
            rows += [row("N1", "accept", variant, "msg/s", ours.accepted, postfix.accepted, "Postfix",
                         10 if sessions > 1 else 3),
                     row("N1", "accept", variant, "msg/s", ours.accepted, raw, "raw ceiling", 0.6),
                     row("N1", "accept and hand on", variant, "msg/s", ours.delivered, postfix.delivered, "Postfix"),
                     row("N1", "CPU through to the next hop", variant, "ms/msg", ours.cpu, postfix.cpu, "Postfix", 0.1, "cost")]
    return rows


def raw_accept(bench, series, sessions, size):
    """SMTP receive and group commit, nothing else: what the disk and the load program let through."""
    count, path = 4000 if sessions > 1 else 1500, bench.folder / "raw"
    sink = bench.tools.sink(bench.sink_port, "-m", count, "-D", path)
    meter = Meter(None)
    start, _ = bench.tools.source(bench.sink_port, sessions, count, size, "m0@example.com")
    report = end_of(sink)
    series.add(count / (report["last"] - start), meter.stop()["others"])
    path.unlink()


def measure_tls(bench, options):
    to = bench.site.list_of(1)
    rows = []
    for sessions in (10, 50):
        ours, postfix = HandOn(), HandOn()

        def load(port, count, address):
            figures = bench.tools.pload(port, "-s", sessions, "-n", count, "-l", 4096, "-1", "-S", "-t", address)
            return figures["t0"], figures["t1"]

        for _ in range(options.rounds):
            ours.run(bench, bench.site, 2000, lambda: load(bench.site.smtp_port, 2000, to))
            postfix.run(bench, bench.postfix, 400, lambda: load(bench.postfix.port, 400, "m0@example.com"))
        variant = f"4 kB, {sessions} sessions"
        rows += [row("N2", "accept, STARTTLS a message", variant, "msg/s", ours.accepted, postfix.accepted, "Postfix", 5),
                 row("N2", "CPU, STARTTLS a message", variant, "ms/msg", ours.cpu, postfix.cpu, "Postfix")]
    return rows


# --- fan-out -----------------------------------------------------------------------------------------------------------


class FanOut:
    """One post to many: copies a second from the 250 of the post on, CPU time a copy, first and last copy, memory."""

    def __init__(self):
        self.rate, self.cpu, self.first, self.last, self.law, self.memory = (Series() for _ in range(6))

    def run(self, bench, server, count, size, to, seconds=180):
        sink = bench.tools.sink(bench.sink_port, "-n", count, seconds=seconds)
        with PeakMemory(server.pid) as memory:
            meter = Meter(server.pid)
            load = bench.tools.pload(server.port if server is bench.postfix else server.smtp_port, "-s", 1, "-n", 1, "-l",
                                     size, "-f", "ann@example.org", "-t", to)
            report = end_of(sink)
            if report["rcpts"] < count:
                raise Failure(f"only {report['rcpts']:.0f} of {count} copies arrived for {to}")
            server.settle()
            used = meter.stop()
        seconds = report["last"] - load["t1"]
        self.rate.add(count / seconds, used["others"])
        self.cpu.add(used["cpu"] / count * 1000, used["others"])
        self.first.add((report["first"] - load["t1"]) * 1000, used["others"])
        self.last.add(seconds * 1000, used["others"])
        # the law: what the steady rate between first and last copy would take for all
        self.law.add(seconds / (report["last"] - report["first"]), used["others"])
        self.memory.add(memory.peak)


def fanout_rows(target, work, variant, ours, postfix, times, cpu_wanted):
    rows = [row(target, work, variant, "copies/s", ours.rate, postfix.rate, "Postfix, in clear", times)]
    if cpu_wanted:
        rows.append(row(target, f"{work}, CPU", variant, "ms/copy", ours.cpu, wanted=cpu_wanted, ratio="cost"))
    rows += [row(target, f"{work}, CPU", variant, "ms/copy", ours.cpu, postfix.cpu, "Postfix, in clear"),
             row("N7", f"{work}, 250 to first copy", variant, "ms", ours.first, wanted=100, ratio="cost"),
             row("N7", f"{work}, 250 to first copy", variant, "ms", ours.first, postfix.first, "Postfix, in clear"),
             row("N7", f"{work}, last copy against rate law", variant, "", ours.law, wanted=1.2, ratio="cost"),
             row("", f"{work}, peak memory", variant, "MB", ours.memory, postfix.memory, "Postfix, in clear")]
    return rows


def measure_fanout(bench, options):
    rows = []
    for count in options.fanouts:
        ours, postfix = FanOut(), FanOut()
        for _ in range(options.rounds):
            ours.run(bench, bench.site, count, 4096, bench.site.list_of(count))
            postfix.run(bench, bench.postfix, count, 4096, f"v{count}@virt.example.com")
        rows += fanout_rows("N3", "plain fan-out", f"4 kB, {count} members", ours, postfix, 8, None)
    return rows


def measure_sealed(bench, options):
    count = max(options.fanouts)
    to = bench.site.list_of(count, ["rsa"])
    ours, postfix = FanOut(), FanOut()
    for _ in range(options.rounds):
        ours.run(bench, bench.site, count, 20480, to)
        postfix.run(bench, bench.postfix, count, 20480, f"v{count}@virt.example.com")
    imported = Series()
    imported.add(count / bench.site.have[to])
    return (fanout_rows("N4", "sealed fan-out", f"20 kB, {count} RSA-2048 members", ours, postfix, 5, 0.10) +
            [row("", "certificates taken in", f"{count} orders", "keys/s", imported)])


def measure_memory(bench, options):
    """Peak memory while one post after another goes to the same list. The page cache of site.db fills to its 16 MB
    meanwhile; nothing else may grow."""
    posts, count = 50, 200
    rows = []
    for size in (20480, 1_000_000):
        to, ours = bench.site.list_of(count, ["rsa"]), FanOut()
        for _ in range(posts):
            ours.run(bench, bench.site, count, size, to)
        peaks = ours.memory.values
        early, late = Series(), Series()
        for peak in peaks[10:20]:
            early.add(peak)
        for peak in peaks[-10:]:
            late.add(peak)
        rows.append(row("", "peak memory of the last ten of 50 posts", f"{size // 1000} kB, {count} members", "MB", late, early,
                        "posts 11 to 20", 1.15, "cost"))
    return rows


def measure_large(bench, options):
    """N8: one post to 100,000 members beside one to 1,000. The large list's certificates are those of the small one, each
    under a hundred addresses: a hundred thousand different ones would take longer to make than all the rest."""
    small, large = 1000, 100_000
    lists = {small: bench.site.list_of(small, ["rsa"])}
    bench.site.multiply_keys("rsa", small, large)
    lists[large] = bench.site.list_of(large, ["rsa"])
    runs = {count: FanOut() for count in lists}
    for _ in range(options.rounds):
        for count, to in lists.items():
            for _ in range(20 if count == small else 1):  # so that what a second costs anyway is a like part of both
                runs[count].run(bench, bench.site, count, 20480, to, seconds=1800)
    variant = f"20 kB, {large} RSA-2048 members"
    return [row("N8", "memory of all processes", variant, "MB", runs[large].memory, wanted=300, ratio="cost"),
            row("", "memory of all processes", f"20 kB, {small} RSA-2048 members", "MB", runs[small].memory),
            row("N8", "CPU a copy", variant, "ms/copy", runs[large].cpu, runs[small].cpu, f"{small} members", 1.1, "cost"),
            row("", "copies a second", variant, "copies/s", runs[large].rate, runs[small].rate, f"{small} members")]


MIXES = {"RSA-2048": ["rsa"], "P-256": ["ec"], "OpenPGP Curve25519": ["openpgp"], "mixed": ["rsa", "ec", "openpgp"]}


def measure_ladder(bench, options):
    """N4 to N6: one sealed post to members with keys of each kind, beside what others need for a copy, and beside the one
    operation with the member's key that no copy can do without."""
    crypt_smime, gpg = crypt_smime_rate(bench), gpg_rate(bench)
    limits = wrap_limits(options)
    rows = []
    for name, keys in MIXES.items():
        limit = single(sum(1000 / limits[key] for key in keys) / len(keys))
        for count in options.fanouts:
            to = bench.site.list_of(count, keys)
            for size in (20480, 1_000_000):
                ours, variant = FanOut(), f"{size // 1000} kB, {count} members, {name}"
                for _ in range(options.rounds if size * count < 5e9 else 1):
                    ours.run(bench, bench.site, count, size, to)
                rows += [row("N4", "sealed fan-out", variant, "copies/s", ours.rate),
                         row("N4", "sealed fan-out, CPU", variant, "ms/copy", ours.cpu, wanted=0.10 if size < 1e5 else None,
                             ratio="cost"),
                         row("", "sealed fan-out, CPU", variant, "ms/copy", ours.cpu, limit, "bare wrap", ratio="cost"),
                         row("", "sealed fan-out, peak memory", variant, "MB", ours.memory)]
                if size < 1e5:
                    rows.append(row("N6", "sealed fan-out", variant, "copies/s", ours.rate, gpg, "gpg, a process a copy"))
                    rows.append(row("N6", "sealed fan-out", variant, "copies/s", ours.rate, crypt_smime,
                                    "Crypt::SMIME alone, RSA-2048, 4 kB", 10))
    return rows


def wrap_limits(options):
    """Bare public-key operations a second on one core, by kind of key."""
    rounds = ("--json", "--rounds", 3)
    smime = {one["key"]: one["limit"] for one in json.loads(program(options, "SealBench", *rounds))["copies"]}
    openpgp = {one["key"]: one["limit"] for one in json.loads(program(options, "PgpSealBench", *rounds))["copies"]}
    return {"rsa": smime["RSA-2048"], "ec": smime["P-256"], "openpgp": openpgp["cv25519"]}


def crypt_smime_rate(bench):
    """What Sympa seals with, in one process: Crypt::SMIME to one RSA-2048 certificate."""
    folder = bench.folder / "smime"
    folder.mkdir(exist_ok=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "k", "-out", folder / "c",
                    "-subj", "/CN=m", "-days", "9"], check=True, capture_output=True)
    script = ("use Crypt::SMIME; local $/; open F, shift; my $c = <F>; my $b = 'X' x 4096;"
              "for (1..1000) { my $s = Crypt::SMIME->new; $s->setPublicKey($c);"
              'length $s->encrypt("Content-Type: text/plain\r\n\r\n$b") or die }')
    start = time.monotonic()
    done = subprocess.run(["perl", "-e", script, folder / "c"], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"apt-get install libcrypt-smime-perl ({done.stderr.strip()[:200]})")
    return single(1000 / (time.monotonic() - start))


def gpg_rate(bench):
    """The lower bound of Schleuder and all that start gpg for each copy: signed and encrypted, Curve25519."""
    home = bench.folder / "gpg"
    home.mkdir(mode=0o700, exist_ok=True)
    gpg = ["gpg", "--homedir", home, "--batch", "--no-tty", "--passphrase", "", "--pinentry-mode", "loopback"]
    subprocess.run([*gpg, "--quick-generate-key", "m@example.com", "future-default"], check=True, capture_output=True)
    seal = [*gpg, "--trust-model", "always", "--armor", "--sign", "--encrypt", "-r", "m@example.com"]
    start = time.monotonic()
    for _ in range(50):
        subprocess.run(seal, input=b"X" * 4096, check=True, capture_output=True)
    return single(50 / (time.monotonic() - start))


# --- the rest ----------------------------------------------------------------------------------------------------------


def measure_idle(bench, options):
    """N10: idle TLS sessions, then the time until the next client is greeted."""
    count = 500 if options.quick else 5000
    at_rest, grown, greeted, start = Series(), Series(), Series(), Series()
    gateway = bench.site.pids()["postern-gateway"]
    at_rest.add(pss_of(bench.site.pid))
    start.add(bench.site.start_seconds * 1000)
    before = pss_of(gateway)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    sessions = []
    for _ in range(count):
        session = context.wrap_socket(socket.create_connection(("127.0.0.1", bench.site.smtps_port), 10))
        session.recv(500)
        sessions.append(session)
    grown.add(pss_of(gateway) - before)
    for _ in range(20):
        begin = time.perf_counter()
        with socket.create_connection(("127.0.0.1", bench.site.smtp_port), 10) as client:
            if not client.recv(500).startswith(b"220"):
                raise Failure("the client after the idle ones is not greeted")
        greeted.add((time.perf_counter() - begin) * 1000)
    for session in sessions:
        session.close()
    return [row("N10", "idle TLS sessions, memory", f"{count} sessions", "MB", grown, wanted=120, ratio="cost"),
            row("N10", "next client greeted", f"behind {count} idle", "ms", greeted, wanted=50, ratio="cost"),
            row("N13", "memory at rest, all processes", "as this run left it", "MB", at_rest, wanted=60, ratio="cost"),
            row("N13", "start to all listeners ready", "empty site, first start", "ms", start)]


def program(options, name, *arguments):
    done = subprocess.run([options.programs / name, *map(str, arguments)], capture_output=True, text=True,
                          cwd=options.root)
    if done.returncode != 0:
        raise Failure(f"{name}: {done.stdout} {done.stderr}")
    return done.stdout


def single(value):
    series = Series()
    series.add(value)
    return series


def measure_seal(bench, options):
    """N5 by SealBench and PgpSealBench, and the in-process CMS_encrypt of OpenSSL beside it."""
    rounds = ("--json", "--rounds", 3 if options.quick else 9)
    found = json.loads(program(options, "SealBench", *rounds))["copies"]
    openpgp = json.loads(program(options, "PgpSealBench", *rounds))["copies"]
    rows = []
    for one in found + openpgp:
        ours, limit = single(one["copies"]), single(one["limit"])
        variant = f"{one['key']}, {one.get('cipher', 'OpenPGP')}, {one['bytes'] // 1000} kB"
        rows.append(row("N5", "sealing alone, one core", variant, "copies/s", ours, limit, "raw wrap limit",
                        0.75 if one["bytes"] < 100_000 else 0.7))
    raw = subprocess.run([bench.tools.rawbench, "cms", "3000", "rsa", "20480"], capture_output=True, text=True).stdout
    rate = re.search(r": (\d+) /s", raw)
    if not rate:
        raise Failure(f"rawbench: {raw}")
    usual = next(one for one in found if one["key"] == "RSA-2048" and one["cipher"] == "CBC" and one["bytes"] < 100_000)
    rows.append(row("N5", "sealing alone, one core", "RSA-2048, CBC, 20 kB", "copies/s", single(usual["copies"]),
                    single(float(rate[1])), "CMS_encrypt for each"))
    return rows


def measure_policy(bench, options):
    """N9 by PolicyBench."""
    rows = []
    for line in program(options, "PolicyBench", 2000 if options.quick else 10000).splitlines():
        found = re.match(r"(.+?) +(\d+) callers +([0-9.]+) us CPU", line)
        if found:
            rows.append(row("N9", "policy, worker round trip included", f"{found[1].strip()}, {found[2]} callers", "us CPU/msg",
                            single(float(found[3])), wanted=150, ratio="cost"))
        found = re.match(r"the shipped set costs ([0-9.]+) times .*, with a text of 64 kB ([0-9.]+) times", line)
        if found:
            for variant, times in (("the shipped set, 2 kB of text", found[1]), ("the shipped set, 64 kB of text", found[2])):
                rows.append(row("N9", "policy, beside one that passes all", variant, "times", single(float(times)),
                                ratio="cost"))
    return rows


def measure_queue(bench, options):
    """The gateway's queue alone beside a bare append with group sync."""
    rows = []
    for line in program(options, "QueueBench", bench.folder / "queue").splitlines():
        found = re.match(r"(\d+) +(\d+) +(\d+) +(\d+) +\d+% +([0-9.]+) +([0-9.]+)$", line)
        step = re.match(r"(\S.+?) {2,}(\d+) /s +([0-9.]+) us CPU each", line)
        if found:
            rows.append(row("N1", "durable accept, queue alone", f"{int(found[1]) // 1000} kB, {found[2]} threads", "op/s",
                            single(float(found[4])), single(float(found[3])), "bare append", 0.6))
        elif step:
            rows.append(row("", "queue of copies", step[1], "copies/s", single(float(step[2]))))
    return rows


def measure_deliver(bench, options):
    """The deliverer alone, from memory, beside a bare loop of writes and reads."""
    rates = {"deliverer": Series(), "bare loop": Series()}
    for line in program(options, "DeliverBench", 5000 if options.quick else 20000).splitlines():
        found = re.match(r"(deliverer|bare loop) +(\d+) copies/s", line)
        if found:
            rates[found[1]].add(float(found[2]))
    return [row("", "delivery alone", "20 kB, 8 connections", "copies/s", rates["deliverer"], rates["bare loop"],
                "bare loop on one connection")]


MEASURES = {"accept": measure_accept, "tls": measure_tls, "fanout": measure_fanout, "sealed": measure_sealed, "large": measure_large,
            "ladder": measure_ladder,
            "memory": measure_memory, "idle": measure_idle, "seal": measure_seal, "policy": measure_policy, "queue": measure_queue,
            "deliver": measure_deliver}
