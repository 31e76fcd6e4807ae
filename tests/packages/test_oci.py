"""The OCI image: read back by other programs, made twice, and run by runc to a sealed post, all in one and one by one."""
import hashlib
import json
import shutil
import ssl
import smtplib
import subprocess
import tarfile
import time

import pytest
from conftest import PACKAGES, ROOT, demand
from machine import run
from sitekit import Person, Sink, free_port, make_message, wait_until

BOARD = "board@lists.example.org"
ARCHIVE = PACKAGES / "postern-oci.tar"
# What engines give to root in a container, and `postern init` needs to give its files away.
CAPABILITIES = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID"]


@pytest.fixture(scope="module")
def image(debs):
    demand("image")
    run(ROOT / "tools/oci", debs["postern"])
    return ARCHIVE


@pytest.fixture(scope="module")
def bundle(image, tmp_path_factory):
    """The image as umoci unpacks it: checked digests, a root, and a configuration for runc."""
    folder = tmp_path_factory.mktemp("oci")
    with tarfile.open(image) as archive:
        archive.extractall(folder / "layout")
    tag = json.loads((folder / "layout/index.json").read_text())["manifests"][0]["annotations"]
    run("umoci", "unpack", "--image", f"{folder / 'layout'}:{tag['org.opencontainers.image.ref.name']}", folder / "bundle")
    return folder / "bundle"


class Container:
    """A container of the image under runc: a read-only root, no privilege, the host's network."""

    def __init__(self, bundle, folder, name, mounts, user=(64025, 64025), groups=(), capabilities=()):
        self.name, self.folder = f"postern-{name}-{time.time_ns()}", folder / name
        self.log = folder / f"{name}.log"
        self.config = json.loads((bundle / "config.json").read_text())
        self.config["root"] = {"path": str(bundle / "rootfs"), "readonly": True}
        process = self.config["process"]
        process.update(terminal=False, noNewPrivileges=True, rlimits=[],
                       capabilities={kind: list(capabilities) for kind in ["bounding", "effective", "permitted"]},
                       user={"uid": user[0], "gid": user[1], "additionalGids": list(groups), "umask": 0o077})
        self.config["linux"]["namespaces"] = [n for n in self.config["linux"]["namespaces"] if n["type"] != "network"]
        self.config["mounts"] = [m for m in self.config["mounts"] if m["destination"] not in mounts and
                                 m["destination"] != "/sys/fs/cgroup"]
        everything = {**mounts, "/etc/resolv.conf": "/etc/resolv.conf"}  # as engines do
        self.config["mounts"] += [{"destination": to, "type": "bind", "source": str(source), "options": ["bind", "rw"]}
                                  for to, source in everything.items()]
        self.process = None

    def command(self, arguments):
        self.config["process"]["args"] = arguments
        self.folder.mkdir(exist_ok=True)
        (self.folder / "config.json").write_text(json.dumps(self.config))
        return ["runc", "run", "--bundle", str(self.folder), self.name]

    def once(self, *arguments):
        return run(*self.command(list(arguments)))

    def start(self, *arguments):
        self.process = subprocess.Popen(self.command(list(arguments)), stdin=subprocess.DEVNULL,
                                        stdout=open(self.log, "w"), stderr=subprocess.STDOUT)

    def inside(self, *arguments):
        return run("runc", "exec", self.name, *arguments)

    def stop(self):
        if self.process:
            subprocess.run(["runc", "kill", self.name, "TERM"], capture_output=True)
            try:
                self.process.wait(60)
            finally:
                subprocess.run(["runc", "delete", "--force", self.name], capture_output=True)


def sealed_post(cli, port, folder):
    """Makes a list by `cli`, sends a post to the port; it must come out sealed for its member."""
    sink, ann = Sink(), Person(folder, "ann@example.org", "p256")
    try:
        wait_until(lambda: succeeds(cli, "status") and "not connected" not in cli("status"), "the site answers", 120)
        for command in [["domain", "add", "lists.example.org"], ["list", "create", BOARD, "--secure"],
                        ["list", "protect", BOARD, "--ladder", "smime"], ["member", "add", BOARD, "ann@example.org"],
                        ["route", "add", "*", "127.0.0.1", "--port", str(sink.port)]]:
            cli(*command)
        (folder / "data/ann.pem").write_text(ann.certificate.read_text())
        (folder / "data/ann.pem").chmod(0o644)
        cli("key", "import", "ann@example.org", "DATA/ann.pem")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
            client.starttls(context=context)
            client.sendmail("ann@example.org", [BOARD], make_message("ann@example.org", BOARD, "first", "a canary sings"))
        copy = sink.wait("ann@example.org", seconds=120)[-1]
        assert b"canary" not in copy.raw and b"a canary sings" in ann.read(copy.raw)
    finally:
        sink.stop()


def succeeds(call, *arguments):
    try:
        call(*arguments)
        return True
    except Exception:
        return False


def test_every_blob_is_what_its_name_says(image):
    with tarfile.open(image) as archive:
        blobs = [entry for entry in archive if entry.name.startswith("blobs/sha256/")]
        assert len(blobs) == 3
        for entry in blobs:
            assert hashlib.sha256(archive.extractfile(entry).read()).hexdigest() == entry.name.split("/")[-1]


def test_skopeo_reads_it_and_it_runs_as_nobody_but_postern(image):
    told = json.loads(run("skopeo", "inspect", f"oci-archive:{image}"))
    assert told["Os"] == "linux" and told["Labels"]["org.opencontainers.image.title"] == "Postern"
    config = json.loads(run("skopeo", "inspect", "--config", f"oci-archive:{image}"))["config"]
    assert config["User"] == "postern" and config["Entrypoint"] == ["/usr/bin/postern"] and config["Cmd"] == ["run"]


def test_no_program_in_it_gains_privilege(bundle):
    risen = run("find", bundle / "rootfs", "-xdev", "-type", "f", "-perm", "/6000")
    assert risen == ""


def test_all_in_one_sends_a_sealed_post(bundle, tmp_path):
    smtp, web = free_port(), free_port()
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    shutil.chown(data, 64025, 64025)
    mounts = {"/srv/postern": data}
    Container(bundle, tmp_path, "init", mounts).once("/usr/bin/postern", "init", "--host-name", "postern.lists.example",
                                                     "--smtp", f"127.0.0.1:{smtp}", "--web", f"127.0.0.1:{web}")
    site = Container(bundle, tmp_path, "site", mounts)
    site.start("/usr/bin/postern", "run")
    try:
        def cli(*arguments):
            return site.inside("/usr/bin/postern", *[a.replace("DATA", "/srv/postern") for a in arguments])
        sealed_post(cli, smtp, tmp_path)
        assert {path.stat().st_uid for path in data.rglob("*") if path.name != "ann.pem"} == {64025}
    finally:
        site.stop()


def test_one_process_in_each_container_sends_a_sealed_post(bundle, tmp_path):
    """The volumes are filled from the image with its owners, as engines do with a new volume."""
    smtp, web = free_port(), free_port()
    data, settings = tmp_path / "data", tmp_path / "settings"
    run("cp", "-a", bundle / "rootfs/var/lib/postern", data)
    run("cp", "-a", bundle / "rootfs/etc/postern", settings)
    mounts = {"/var/lib/postern": data, "/etc/postern": settings}

    def container(name, uid, *groups, **more):
        return Container(bundle, tmp_path, name, mounts, user=(uid, uid), groups=groups, **more)

    container("init", 0, capabilities=CAPABILITIES).once(
        "/usr/bin/postern", "--data", "/var/lib/postern", "init", "--host-name", "postern.lists.example", "--smtp",
        f"127.0.0.1:{smtp}", "--web", f"127.0.0.1:{web}")
    started = {"gateway": container("gateway", 64026, 64025, 64029), "listd": container("listd", 64027, 64025),
               "webadmin": container("webadmin", 64028, 64025, 64029)}
    try:
        for name, one in started.items():
            one.start(f"/usr/lib/postern/postern-{name}", "--data", "/var/lib/postern")

        def cli(*arguments):
            return started["listd"].inside("/usr/bin/postern", "--data", "/var/lib/postern",
                                           *[a.replace("DATA", "/var/lib/postern") for a in arguments])
        sealed_post(cli, smtp, tmp_path)
        context = ssl._create_unverified_context()
        import urllib.request
        assert urllib.request.urlopen(f"https://127.0.0.1:{web}/healthz", context=context, timeout=30).status == 200
        for folder in ["keys", "vault", "listd"]:
            for name in ["gateway", "webadmin"]:
                assert not succeeds(started[name].inside, "ls", f"/var/lib/postern/{folder}")
    finally:
        for one in started.values():
            one.stop()


def test_the_same_packages_make_the_same_image(image, debs):
    before = hashlib.sha256(image.read_bytes()).hexdigest()
    run(ROOT / "tools/oci", debs["postern"])
    assert hashlib.sha256(image.read_bytes()).hexdigest() == before
