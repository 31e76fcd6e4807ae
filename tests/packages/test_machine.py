"""A bare Debian 12 machine with systemd: `apt install`, `postern init`, a sealed post out, faults, upgrades, removal, purge.

One machine lives through all of it, in the order of this file.
"""
import re
import shutil
import smtplib
import ssl
import subprocess
import time

import pytest
import machine
from conftest import demand
from sitekit import Person, Sink, free_port, make_message, wait_until

SERVICES = ["postern-gateway", "postern-listd", "postern-webadmin"]
BOARD = "board@lists.example.org"


def other_version(deb, version, folder, **scripts):
    """The same package under another version; `scripts` are put at the begin of its maintainer scripts."""
    tree = folder / f"tree-{version}"
    shutil.rmtree(tree, ignore_errors=True)
    machine.run("dpkg-deb", "--raw-extract", deb, tree)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"^Version: .*$", f"Version: {version}", control.read_text(), flags=re.M))
    for name, text in scripts.items():
        script = tree / "DEBIAN" / name
        old = script.read_text() if script.exists() else "#!/bin/sh\n"
        script.write_text(old.replace("#!/bin/sh\n", f"#!/bin/sh\n{text}\n", 1))
        script.chmod(0o755)
    new = folder / f"postern_{version}_amd64.deb"
    machine.run("dpkg-deb", "--build", "-Zgzip", "-z1", tree, new)
    return new


class Bare:
    """The machine with what the tests share."""

    def __init__(self, disk, folder):
        self.sink = Sink()
        self.ann = Person(folder, "ann@example.org", "p256")
        self.smtp, self.web, self.submission = free_port(), free_port(), free_port()
        self.ports = [(self.smtp, 25), (self.web, 443), (self.submission, 587)]
        self.machine = machine.Machine(disk, folder, self.ports)
        self.sh = self.machine.sh

    def wait(self, command, seconds=240):
        wait_until(lambda: "yes" in self.sh(f"if {command}; then echo yes; else echo no; fi"), command, seconds)

    def wait_running(self):
        self.wait("postern status >/dev/null 2>&1 && systemctl is-active -q postern-webadmin")

    def greeting(self):
        with smtplib.SMTP("127.0.0.1", self.smtp, timeout=60) as client:
            return client.ehlo_resp or client.noop()

    def post(self, subject):
        """A post to the board; what Ann reads. It arrives sealed, or this fails."""
        since = time.time()
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with smtplib.SMTP("127.0.0.1", self.smtp, timeout=120) as client:
            client.starttls(context=context)
            client.sendmail("ann@example.org", [BOARD], make_message("ann@example.org", BOARD, subject, "the canary sings"))
        copy = self.sink.wait("ann@example.org", since=since, seconds=240)[-1]
        assert b"canary" not in copy.raw and subject.encode() not in copy.raw
        read = self.ann.read(copy.raw)
        assert b"the canary sings" in read
        return read

    def restarts(self, service):
        return int(self.sh(f"systemctl show -P NRestarts {service}"))

    def pid(self, service):
        return int(self.sh(f"systemctl show -P MainPID {service}"))


@pytest.fixture(scope="module")
def bare(debs, cache, tmp_path_factory):
    demand("machine")
    root = cache / "root"
    machine.unpack(machine.bare_root(cache), root)
    assert not [name for name in ["poco", "sqlite", "gmime"] if list(root.glob(f"usr/lib/*/lib*{name}*"))]
    machine.fetch_dependencies(root, debs["postern"])
    machine.make_bootable(root)
    given = root / "root/debs"
    given.mkdir()
    shutil.copy(debs["postern"], given)
    other_version(debs["postern"], "0.9.1", given)
    other_version(debs["postern"], "0.9.2", given, preinst="exit 1")
    other_version(debs["postern"], "0.9.3", given, postinst="[ -e /root/let-it-pass ] || exit 1")
    for tree in given.glob("tree-*"):
        shutil.rmtree(tree)
    folder = tmp_path_factory.mktemp("machine")
    machine.make_disk(root, folder / "base.img")
    world = Bare(folder / "base.img", folder / "it")
    world.machine.boot()
    yield world
    world.machine.cut_power()
    world.sink.stop()
    (cache / "console.log").write_text(world.machine.console)


def test_it_installs_from_the_package_alone_and_nothing_listens(bare):
    bare.sh("apt-get install -y -q --no-install-recommends /root/debs/postern_0.1.0_amd64.deb", seconds=900)
    assert "postern 0.1.0" in bare.sh("postern --version")
    assert bare.sh("systemctl --failed --no-legend").strip() == ""
    for service in SERVICES:
        assert bare.sh(f"systemctl is-active {service}", fails=True).strip() == "inactive"
        assert bare.sh(f"systemctl is-enabled {service}").strip() == "enabled"
    assert not re.search(r":(25|465|587|443)\s", bare.sh("ss -Hltn"))
    assert "there is no site" in bare.sh("postern status", fails=True)


def test_after_init_the_site_runs(bare):
    said = bare.sh("postern init --host-name postern.lists.example")
    assert "services are starting" in said
    bare.wait_running()
    listening = bare.sh("ss -Hltn")
    for port in (25, 465, 443):
        assert f"0.0.0.0:{port}" in listening and f"[::]:{port}" in listening
    assert not re.search(r":587\s", listening)
    assert bare.sh("systemctl is-system-running").strip() == "running"
    assert "already" in bare.sh("postern init --host-name another.example", fails=True)


def test_each_process_has_its_user_and_no_privilege(bare):
    for service in SERVICES:
        status = bare.sh(f"cat /proc/{bare.pid(service)}/status")
        user = int(re.search(r"^Uid:\s+(\d+)", status, re.M)[1])
        assert bare.sh(f"id -nu {user}").strip() == service
        assert re.search(r"^CapEff:\s+0+$", status, re.M) and re.search(r"^NoNewPrivs:\s+1$", status, re.M)
        assert re.search(r"^Seccomp:\s+2$", status, re.M)


def test_the_users_cannot_reach_what_is_not_theirs(bare):
    def tries(user, command, fails):
        return bare.sh(f"setpriv --reuid={user} --regid={user} --init-groups --no-new-privs {command}", fails=fails)

    own = {"postern-gateway": ["gateway", "run"], "postern-listd": ["listd", "keys", "vault", "journal"]}
    for user in SERVICES:
        tries(user, "cat /etc/postern/postern.toml", fails=False)
        for owner, folders in own.items():
            for folder in folders:
                tries(user, f"ls /var/lib/postern/{folder}", fails=user != owner)
        tries(user, "cat /var/lib/postern/tls/key.pem", fails=user == "postern-listd")
    tries("postern-webadmin", "cat /var/lib/postern/listd/command.key", fails=True)
    tries("postern-webadmin", "cat /var/lib/postern/listd/site.db", fails=True)
    tries("nobody", "ls /var/lib/postern", fails=True)
    tries("nobody", "cat /etc/postern/postern.toml", fails=True)
    kinds = bare.sh("stat -c '%A %U %G %n' /var/lib/postern/listd/*.sock /var/lib/postern/run/*.sock")
    assert "srw-rw---- postern-listd postern-webadmin /var/lib/postern/listd/web.sock" in kinds
    assert "srw------- postern-listd postern-webadmin /var/lib/postern/listd/command.sock" in kinds
    assert "srw-rw---- postern-gateway postern-listd /var/lib/postern/run/gateway.sock" in kinds


def test_a_post_comes_out_sealed(bare):
    for command in ["domain add lists.example.org", f"list create {BOARD} --secure",
                    f"list protect {BOARD} --ladder smime", f"member add {BOARD} ann@example.org",
                    f"route add '*' 10.0.2.2 --port {bare.sink.port}"]:
        bare.sh(f"postern {command}")
    bare.machine.put("/root/ann.pem", bare.ann.certificate.read_text())
    bare.sh("postern key import ann@example.org /root/ann.pem")
    bare.post("first")


def test_the_web_pages_answer(bare):
    context = ssl._create_unverified_context()
    import urllib.request
    with urllib.request.urlopen(f"https://127.0.0.1:{bare.web}/healthz", context=context, timeout=60) as answer:
        assert answer.status == 200
    link = bare.sh("postern user setup-link")
    assert "https://postern.lists.example/" in link


def test_the_audit_logs_checkpoint_is_carried_away(bare):
    bare.sh("systemctl start postern-anchor.service")
    assert bare.sh("ls /var/lib/postern/anchors").strip()
    bare.sh("postern audit verify")


def test_a_hanging_process_is_started_anew(bare):
    for service in SERVICES:
        bare.sh(f"mkdir -p /run/systemd/system/{service}.service.d")
        bare.machine.put(f"/run/systemd/system/{service}.service.d/soon.conf", "[Service]\nWatchdogSec=15\n")
    bare.sh("systemctl daemon-reload; systemctl restart postern-gateway postern-listd postern-webadmin")
    bare.wait_running()
    time.sleep(40)
    for service in SERVICES:  # alive, and therefore left alone
        assert bare.restarts(service) == 0
    before = {service: bare.pid(service) for service in SERVICES}
    for service in SERVICES:
        bare.sh(f"kill -STOP {before[service]}")
    for service in SERVICES:
        bare.wait(f"[ $(systemctl show -P NRestarts {service}) = 1 ]")
        assert "watchdog" in bare.sh(f"journalctl -q -u {service} --since -5min").lower()
    bare.wait_running()
    bare.sh("rm -r /run/systemd/system/postern-*.service.d; systemctl daemon-reload; systemctl restart postern.target")
    bare.wait_running()
    bare.post("after the watchdog")


def test_a_killed_process_is_started_anew(bare):
    for service in SERVICES:
        bare.sh(f"kill -KILL {bare.pid(service)}")
    bare.wait_running()
    bare.post("after the kill")


def test_a_reload_changes_the_level_and_nothing_else(bare):
    before = {service: bare.pid(service) for service in SERVICES}
    bare.sh("sed -i 's/^level = \"info\"/level = \"debug\"/' /etc/postern/postern.toml")
    for service in SERVICES:
        bare.sh(f"systemctl reload {service}")
        bare.wait(f"journalctl -q -u {service} | grep -q 'read again'")
        assert bare.pid(service) == before[service]
    bare.sh("sed -i 's/^level = \"debug\"/level = \"info\"/' /etc/postern/postern.toml")
    bare.sh("systemctl reload postern-gateway postern-listd postern-webadmin")


def test_submission_is_opened_on_wish(bare):
    bare.sh("systemctl enable postern-submission.socket; systemctl restart postern.target")
    bare.wait_running()
    with smtplib.SMTP("127.0.0.1", bare.submission, timeout=60) as client:
        assert client.has_extn("STARTTLS") or client.ehlo()[0] == 250
    bare.sh("systemctl disable --now postern-submission.socket")


def test_clients_wait_while_the_gateway_is_started_anew(bare):
    bare.sh("systemctl stop postern-gateway")
    greeted = subprocess.Popen(["/usr/bin/python3", "-c",
                                f"import smtplib; smtplib.SMTP('127.0.0.1', {bare.smtp}, timeout=120).quit()"])
    assert greeted.wait(150) == 0  # the socket itself starts the gateway
    bare.wait_running()


def test_the_root_key_can_be_a_sealed_credential(bare):
    bare.sh("mkdir -p /etc/credstore.encrypted && systemd-creds encrypt --name=postern-root-key "
            "/var/lib/postern/keys/root.key /etc/credstore.encrypted/postern-root-key")
    bare.sh("sed -i 's/^root_key_source = .*/root_key_source = \"credential:postern-root-key\"/' /etc/postern/postern.toml")
    bare.sh("cp -p /var/lib/postern/keys/root.key /root/ && shred -u /var/lib/postern/keys/root.key")
    bare.sh("systemctl restart postern-listd", seconds=300)
    bare.wait_running()
    bare.post("by the credential")
    digits = bare.sh("cat /root/root.key").strip()
    assert digits not in bare.sh("cat /etc/credstore.encrypted/postern-root-key")


def test_an_upgrade_keeps_what_is_there(bare):
    before = {service: bare.pid(service) for service in SERVICES}
    bare.sh("apt-get install -y -q /root/debs/postern_0.9.1_amd64.deb", seconds=600)
    bare.wait_running()
    for service in SERVICES:
        assert bare.pid(service) != before[service]
    assert BOARD in bare.sh("postern list list")
    bare.post("after the upgrade")


def test_an_upgrade_that_fails_before_it_begins_leaves_the_old_one_running(bare):
    bare.sh("dpkg -i /root/debs/postern_0.9.2_amd64.deb", seconds=600, fails=True)
    assert "0.9.1" in bare.sh("dpkg-query -W postern")
    assert "ok installed" in bare.sh("dpkg-query -W -f '${Status}' postern")
    bare.wait_running()
    bare.post("after the refused upgrade")


def test_an_upgrade_that_fails_halfway_can_be_finished(bare):
    for _ in range(2):  # also a second time, since scripts run again
        bare.sh("dpkg -i /root/debs/postern_0.9.3_amd64.deb", seconds=600, fails=True)
    bare.sh("dpkg --configure -a", seconds=600, fails=True)
    bare.sh("touch /root/let-it-pass && dpkg --configure -a", seconds=600)
    bare.wait_running()
    bare.post("after the finished upgrade")


def test_a_power_cut_loses_nothing(bare):
    bare.sh("sync")
    bare.machine.cut_power()
    bare.machine.boot()
    bare.wait_running()
    assert bare.sh("systemctl --failed --no-legend").strip() == ""
    bare.post("after the power cut")


def test_remove_keeps_the_site_and_a_new_install_takes_it_up(bare):
    bare.sh("apt-get remove -y -q postern", seconds=300)
    assert bare.sh("systemctl is-active postern-gateway", fails=True).strip() == "inactive"
    assert not re.search(r":(25|443)\s", bare.sh("ss -Hltn"))
    bare.sh("test -s /var/lib/postern/listd/site.db -a -s /etc/postern/postern.toml")
    bare.sh("apt-get install -y -q --no-install-recommends /root/debs/postern_0.9.1_amd64.deb", seconds=900)
    bare.wait_running()
    assert BOARD in bare.sh("postern list list")
    bare.post("after the return")


def test_a_purge_takes_everything_and_asks_nothing(bare):
    bare.sh("apt-get purge -y -q postern", seconds=300)
    bare.sh("ls -d /var/lib/postern /etc/postern /usr/lib/postern /etc/systemd/system/*.wants/postern* "
            "/var/lib/systemd/deb-systemd-helper-enabled/postern*", fails=True)
    left = bare.sh("find / -xdev -name '*postern*' -not -path '/root/*' -not -path '/var/cache/*' -not -path '/proc/*' "
                   "-not -path '/var/log/*' -not -path '/etc/credstore*' -not -path '/sys/*'").split()
    assert left == []
    assert "nothing" not in bare.sh("dpkg-query -W -f '${Status}' postern || echo gone").replace("gone", "")


def test_after_a_purge_a_new_site_is_made(bare):
    bare.sh("apt-get install -y -q --no-install-recommends /root/debs/postern_0.1.0_amd64.deb", seconds=900)
    bare.sh("postern init --host-name postern.lists.example")
    bare.wait_running()
    assert bare.sh("postern list list").strip().startswith("No lists.")
