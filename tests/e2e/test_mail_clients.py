"""Joining and leaving with real mail programs: s-nail and mutt of Debian write the request and answer our mail. What they
hand to their mail server is signed there with DKIM and sent on, as a provider does."""
import os
import pathlib
import pty
import select
import subprocess
import time

import pytest
from authworld import AuthWorld, Signer
from sitekit import Failure, swaks, wait_until

LIST = "news@lists.example"


class Desk:
    """A person's computer: programs hand their mail to `outbox` (as to /usr/sbin/sendmail) and read `inbox`."""

    def __init__(self, scene, folder, address):
        self.scene, self.address, self.folder = scene, address, pathlib.Path(folder)
        self.folder.mkdir()
        self.inbox, self.sendmail = self.folder / "inbox", self.folder / "sendmail"
        (self.folder / "out").mkdir()
        self.sendmail.write_text(f'#!/bin/sh\nf="{self.folder}/out/$$.$(date +%N)"\ncat > "$f.part" && mv "$f.part" "$f.eml"\n')
        self.sendmail.chmod(0o755)
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "TERM": "vt100", "LC_ALL": "C.UTF-8",
                            "TMPDIR": str(self.folder), "USER": "ann", "LOGNAME": "ann"}

    def receive(self, received):
        """The mail as a delivery agent puts it into a mailbox."""
        lines = [">" + line if line.startswith(b"From ") else line for line in received.raw.replace(b"\r\n", b"\n").split(b"\n")]
        self.inbox.write_bytes(b"From postmaster@lists.example Mon Nov 23 10:00:00 2026\n" + b"\n".join(lines).rstrip(b"\n") + b"\n\n")

    def sent(self):
        """What the program handed over, once it did."""
        wait_until(lambda: list((self.folder / "out").glob("*.eml")), "the mail program sent something")
        path = next((self.folder / "out").glob("*.eml"))
        raw = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        path.unlink()
        return raw

    def deliver(self, to):
        """Sends on what the program wrote; when."""
        since, raw = time.time(), self.sent()
        assert to.encode() in raw, raw.decode()
        code, talk = swaks(self.scene.site.smtp_port, self.address, [to], self.scene.signer.sign(raw))
        assert code == 0, talk
        return since, raw

    def run(self, *command, input=""):
        done = subprocess.run(command, input=input.encode(), env=self.environment, cwd=self.folder, capture_output=True,
                              timeout=60)
        if done.returncode != 0:
            raise Failure(f"{command}: {done.stdout.decode()} {done.stderr.decode()}")

    def run_in_terminal(self, *command):
        """Runs a program that wants a terminal until it ends by itself."""
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self.folder)
            os.execvpe(command[0], command, self.environment)
        screen, end = b"", time.monotonic() + 60
        while time.monotonic() < end:
            if select.select([terminal], [], [], 0.2)[0]:
                try:
                    part = os.read(terminal, 4096)
                except OSError:
                    break
                if not part:
                    break
                screen += part
        else:
            os.kill(child, 9)
        _, status = os.waitpid(child, 0)
        if status != 0:
            raise Failure(f"{command} ended with {status}: {screen.decode(errors='replace')[-3000:]}")


class SNail:
    """s-nail, the `mail` of many systems."""

    @staticmethod
    def options(desk):
        return ["s-nail", "-n", "-#", "-S", "v15-compat=yes", "-S", f"mta={desk.sendmail}", "-S", f"from=Ann <{desk.address}>",
                "-S", "sendwait", "-S", "quote", "-S", "reply-to-honour=yes", "-S", f"record={desk.folder}/record", "-S", "expandaddr"]

    def write(self, desk, to, subject, text):
        desk.run(*self.options(desk), "-s", subject, to, input=text)

    def answer(self, desk, text):
        desk.run(*self.options(desk), "-f", str(desk.inbox), input=f"reply 1\n{text}\n~.\nexit\n")


class Mutt:
    """mutt, in a terminal, with an editor that types the text above the quote."""

    def settings(self, desk, text):
        editor = desk.folder / "editor"
        editor.write_text(f'#!/bin/sh\n{{ printf "%s\\n" "{text}"; cat "$1"; }} > "$1.new" && mv "$1.new" "$1"\n')
        editor.chmod(0o755)
        # An editor that leaves the file as it was would end the draft; its time has to move.
        (desk.folder / "muttrc").write_text(
            f'set sendmail="{desk.sendmail}"\nset from="{desk.address}"\nset realname="Ann"\nset use_from=yes\n'
            f'set editor="{editor}"\nset folder="{desk.folder}"\nset record=""\nset fast_reply=yes\nset include=yes\n'
            f'set reply_to=yes\nset abort_unmodified=no\nset autoedit=yes\nset wait_key=no\nset mail_check=0\n'
            f'set confirmappend=no\nset quit=yes\nset delete=no\nset move=no\nset sendmail_wait=60\nset mark_old=no\n')
        return ["mutt", "-n", "-F", str(desk.folder / "muttrc")]

    def write(self, desk, to, subject, text):
        desk.run(*self.settings(desk, text), "-s", subject, "--", to, input=text)

    def answer(self, desk, text):
        desk.run_in_terminal(*self.settings(desk, text), "-f", str(desk.inbox), "-e",
                             'push "<first-entry><reply><send-message><exit>"')


class Scene:
    def __init__(self, stage, world):
        self.site, self.sink = stage.site, stage.sink
        self.signer = Signer(world, "members.example")
        world.publish(records={"members.example": "v=spf1 -all", "_dmarc.members.example": "v=DMARC1; p=reject"})
        stage.site.set("web.url", f'"https://localhost:{stage.site.web_port}"')
        stage.open()
        stage.make_list(LIST, [], secure=False)

    def is_member(self, address):
        return address in {member["address"] for member in self.site.cli("member", "list", LIST)["items"]}


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    from conftest import Stage
    world = AuthWorld(tmp_path_factory.mktemp("dns") / "world")
    stage = Stage(tmp_path_factory.mktemp("clients"), {**world.settings()})
    try:
        yield Scene(stage, world)
    finally:
        stage.close()
        world.stop()


@pytest.mark.parametrize("program", [SNail(), Mutt()], ids=["s-nail", "mutt"])
def test_subscribe_confirm_and_leave_with_a_real_mail_program(scene, tmp_path, program):
    name = type(program).__name__.lower()
    desk = Desk(scene, tmp_path / "desk", f"{name}@members.example")
    program.write(desk, "news-request@lists.example", "subscribe", "")
    since, _ = desk.deliver("news-request@lists.example")
    asked = scene.sink.wait(desk.address, since=since)[0]
    confirm = asked.message["Reply-To"].strip("<>")
    desk.receive(asked)
    program.answer(desk, "Yes, that was me.")
    since, raw = desk.deliver(confirm)
    assert b"Re: Please confirm" in raw and b"Yes, that was me." in raw
    wait_until(lambda: scene.is_member(desk.address), "the member is on the list")
    welcome = scene.sink.wait(desk.address, since=since)[0]
    assert "on a mailing list now" in welcome.message["Subject"]

    program.write(desk, "news-leave@lists.example", "", "")
    since, _ = desk.deliver("news-leave@lists.example")
    # The second mail of the day about the list does not come: the link in copies takes off at once.
    scene.site.cli("subscription", "set", LIST, "--leaving", "open")
    program.write(desk, "news-request@lists.example", "unsubscribe", "")
    desk.deliver("news-request@lists.example")
    wait_until(lambda: not scene.is_member(desk.address), "the member is off the list")
    scene.site.cli("subscription", "set", LIST, "--leaving", "confirm")
