"""A bare Debian 12 machine under qemu, driven over its serial console; needs root, no KVM, no loop device, no mount.

The disk is made from files alone (mmdebstrap, mkfs.ext4 -d), and each machine writes into a copy of its own.
"""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

MIRRORS = ["deb http://deb.debian.org/debian bookworm main",
           "deb http://deb.debian.org/debian bookworm-updates main",
           "deb http://deb.debian.org/debian-security bookworm-security main"]
# What any Debian machine has that boots: no library and no program of Postern's.
BARE = "systemd-sysv,udev,dbus,linux-image-cloud-amd64,initramfs-tools,iproute2"
PROMPT = "machine-is-idle"


class MachineFailure(Exception):
    """The machine did not do what it was told; the text ends with its console."""


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", **options)
    if done.returncode != 0:
        raise MachineFailure(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def bare_root(cache):
    """A tar of a bare Debian 12, made once a week."""
    tar = pathlib.Path(cache) / "bare.tar"
    if not tar.exists() or time.time() - tar.stat().st_mtime > 7 * 86400:
        tar.parent.mkdir(parents=True, exist_ok=True)
        new = tar.with_suffix(".new.tar")
        run("mmdebstrap", "--variant=minbase", f"--include={BARE}", "bookworm", new, *MIRRORS)
        new.rename(tar)
    return tar


def unpack(tar, folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    run("tar", "--extract", "--file", tar, "--directory", folder, "--numeric-owner", "--xattrs")


def fetch_dependencies(root, package):
    """Downloads what the package depends on into apt's own cache of the root, so that the machine needs no network."""
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    shutil.copy(package, root / "root/wanted.deb")
    run("chroot", root, "apt-get", "-q", "update")
    run("chroot", root, "apt-get", "-q", "-y", "install", "--no-install-recommends", "--download-only",
        "-o", "Binary::apt::APT::Keep-Downloaded-Packages=true", "-o", "APT::Keep-Downloaded-Packages=true",
        "/root/wanted.deb")
    (root / "root/wanted.deb").unlink()


def make_bootable(root):
    """A root shell on the serial console, an address by DHCP, and no more."""
    (root / "etc/systemd/network/80-all.network").write_text("[Match]\nType=ether\n[Network]\nDHCP=ipv4\n")
    (root / "etc/resolv.conf").write_text("nameserver 10.0.2.3\n")
    (root / "etc/fstab").write_text("/dev/vda / ext4 errors=remount-ro 0 1\n")
    (root / "etc/hostname").write_text("bare\n")
    getty = root / "etc/systemd/system/serial-getty@ttyS0.service.d"
    getty.mkdir(parents=True, exist_ok=True)
    (getty / "shell.conf").write_text(
        "[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin root --noclear ttyS0 vt102\n")
    (root / "root/.profile").write_text(
        "stty -echo -onlcr cols 200\nexport PAGER=cat SYSTEMD_PAGER= SYSTEMD_COLORS=0 DEBIAN_FRONTEND=noninteractive\n"
        f"PS1='{PROMPT} ' PS2= exec sh\n")
    run("chroot", root, "systemctl", "enable", "systemd-networkd.service")
    # Both wait for what this machine has not.
    run("chroot", root, "systemctl", "mask", "apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_reap.service")


def make_disk(root, disk):
    """The disk and what qemu needs to start it, beside each other."""
    size = int(run("du", "--summarize", "--block-size=1M", root).split()[0]) + 1500
    disk.unlink(missing_ok=True)
    run("mkfs.ext4", "-q", "-F", "-d", root, disk, f"{size}M")
    shutil.copy(next((root / "boot").glob("vmlinuz-*")), disk.parent / "vmlinuz")
    shutil.copy(next((root / "boot").glob("initrd.img-*")), disk.parent / "initrd")


class Machine:
    """One running machine. Its console is kept in `console`."""

    def __init__(self, disk, folder, ports=()):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.disk = self.folder / "disk.img"
        if not self.disk.exists():
            run("cp", "--sparse=always", disk, self.disk)
        self.base = pathlib.Path(disk).parent
        self.forwards = "".join(f",hostfwd=tcp:127.0.0.1:{host}-:{guest}" for host, guest in ports)
        self.console = ""
        self.process = None

    def boot(self, seconds=400):
        path = self.folder / "serial"
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen(1)
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "1024", "-display", "none",
             "-no-reboot", "-kernel", str(self.base / "vmlinuz"), "-initrd", str(self.base / "initrd"),
             "-append", "root=/dev/vda rw console=ttyS0 quiet systemd.show_status=0",
             "-drive", f"file={self.disk},format=raw,if=virtio,cache=unsafe", "-netdev", f"user,id=n{self.forwards}",
             "-device", "virtio-net-pci,netdev=n", "-chardev", f"socket,id=s,path={path}", "-serial", "chardev:s"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.folder / "qemu.log", "w"))
        listener.settimeout(30)
        self.serial, _ = listener.accept()
        listener.close()
        self.wait_for(PROMPT, seconds)
        return self

    def wait_for(self, text, seconds):
        """Reads the console until the text comes; returns what came before it."""
        deadline = time.monotonic() + seconds
        start = len(self.console)
        while text not in self.console[start:]:
            self.serial.settimeout(max(0.1, deadline - time.monotonic()))
            try:
                more = self.serial.recv(65536)
            except (TimeoutError, socket.timeout):
                more = b""
            if not more:
                raise MachineFailure(f"not within {seconds} s: {text}\n{self.console[-6000:]}")
            self.console += more.decode(errors="replace").replace("\r", "")
        return self.console[start:].split(text)[0]

    def sh(self, command, seconds=120, fails=False):
        """Runs a command line; its output. MachineFailure when it fails (or, with fails=True, when it does not)."""
        line = command.replace("'", "'\\''")
        self.serial.sendall(f"sh -c '{line}' 2>&1 </dev/null; echo \"-\"\"rc=$?-\"\n".encode())
        output = self.wait_for(PROMPT, seconds)
        code = re.findall(r"-rc=(\d+)-", output)
        output = re.sub(r"-rc=\d+-\n?$", "", output)
        if not code or (int(code[-1]) != 0) != fails:
            raise MachineFailure(f"exit code {code[-1] if code else 'none'} of: {command}\n{output[-6000:]}")
        return output

    def put(self, path, content):
        """Writes a small file."""
        text = content if isinstance(content, str) else content.decode()
        self.serial.sendall(f"cat >{path} <<'end-of-the-file'\n".encode())
        for line in text.rstrip("\n").split("\n"):
            self.serial.sendall(line.encode() + b"\n")
        self.serial.sendall(b"end-of-the-file\n")
        self.wait_for(PROMPT, 60)

    def cut_power(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self):
        if self.process:
            self.serial.sendall(b"systemctl poweroff\n")
            try:
                self.process.wait(120)
            except subprocess.TimeoutExpired:
                pass
            self.cut_power()
