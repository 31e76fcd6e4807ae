"""The main job on one site: a tagged post to a secure list leaves as one encrypted copy per recipient."""
import email
import email.policy
import pathlib
import re
import subprocess
import tempfile

import pytest
from gpgsm import import_key
from sitekit import Refused, files_with, make_message, swaks, wait_until

BOARD, SOCIAL = "board@lists.example", "social@lists.example"
CANARY = "Kanarienvogel-7f3a-singt"
SUBJECT = "Secure: Zeisig-91c2-fliegt"


@pytest.fixture(scope="module")
def lists(stage):
    members = [stage.person("ann@example.org", "rsa"), stage.person("bob@example.org", "p256"),
               stage.person("cid@example.net"), stage.person("dora@example.org", "rsa3072"),
               stage.person("emil@example.org", "p384")]
    stage.make_list(BOARD, members)
    stage.make_list(SOCIAL, members, secure=False)
    return stage


@pytest.fixture(scope="module")
def post(lists):
    code, dialogue = swaks(lists.site.smtp_port, "ann@example.org", [BOARD],
                           make_message("Ann Bee <ann@example.org>", BOARD, SUBJECT, CANARY))
    assert code == 0, dialogue
    copies = {address: wait_until(lambda: copies_of(lists, address), f"the copy for {address}")[0]
              for address in lists.people}
    return dialogue, copies


def copies_of(stage, address):
    """What lists sent to somebody; reports to the author apart."""
    return [m for m in stage.sink.of(address) if m.message.get_content_type() != "multipart/report"]


def reading(stage, copies, address):
    return email.message_from_bytes(stage.people[address].read(copies[address].raw), policy=email.policy.default)


def test_the_post_is_taken_over_tls_with_250(post):
    dialogue, _ = post
    assert "TLS started with cipher TLSv1.3" in dialogue
    assert re.search(r"<~  250 2\.0\.0 ", dialogue), dialogue


@pytest.mark.parametrize("address", ["ann@example.org", "bob@example.org", "dora@example.org", "emil@example.org"])
def test_each_member_with_a_certificate_reads_the_post_with_openssl(lists, post, address):
    inner = reading(lists, post[1], address)
    assert inner["Subject"] == SUBJECT
    assert inner.get_content().strip() == CANARY


def test_gpgsm_opens_the_copy_and_finds_the_signature_of_the_list_good(lists, post):
    ann = lists.people["ann@example.org"]
    with tempfile.TemporaryDirectory() as home:
        subprocess.run(["chmod", "700", home], check=True)
        gpgsm = ["gpgsm", "--homedir", home, "--batch", "--disable-crl-checks", "--pinentry-mode", "loopback"]
        import_key(pathlib.Path(home), ann.key, ann.certificate)
        body = post[1]["ann@example.org"].raw.split(b"\r\n\r\n", 1)[1]
        copy = pathlib.Path(home) / "copy.p7m"
        copy.write_bytes(body)
        opened = subprocess.run([*gpgsm, "--assume-base64", "--passphrase-fd", "0", "--decrypt", copy], input=b"x\n",
                                capture_output=True)
        assert CANARY.encode() in opened.stdout, opened.stderr
        signed = email.message_from_bytes(opened.stdout, policy=email.policy.SMTP)
        text = re.search(rb"\r\n--(.+?)\r\n(.*?)\r\n--\1\r\n", b"\r\n" + opened.stdout, re.S).group(2)
        (pathlib.Path(home) / "text").write_bytes(text)
        (pathlib.Path(home) / "signature").write_bytes(signed.get_payload()[1].get_payload(decode=True))
        checked = subprocess.run([*gpgsm, "--status-fd", "1", "--verify", pathlib.Path(home) / "signature",
                                  pathlib.Path(home) / "text"], capture_output=True)
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], capture_output=True)
        assert b"GOODSIG" in checked.stdout or b"VALIDSIG" in checked.stdout, checked.stderr + checked.stdout


def test_no_copy_shows_text_subject_or_another_recipient(lists, post):
    for address, copy in post[1].items():
        assert CANARY.encode() not in copy.raw
        assert b"Zeisig" not in copy.raw
        for other in lists.people:
            if other != address and other != "ann@example.org":  # ann wrote it: Reply-To may name her
                assert other.encode() not in copy.raw, f"{other} shows in the copy for {address}"


def test_the_outer_header_is_that_of_the_list(lists, post):
    message = post[1]["bob@example.org"].message
    assert message["Subject"] == "[...]"
    assert "board@lists.example" in message["From"]
    assert message["List-Id"].strip().endswith("<board.lists.example>")
    assert message["List-Post"] == "<mailto:board@lists.example>"
    assert post[1]["bob@example.org"].sender.startswith("board-bounces+")
    assert message.get_content_type() == "application/pkcs7-mime"


def test_each_copy_has_exactly_one_recipient_info(post):
    for address in ("ann@example.org", "bob@example.org"):
        shown = subprocess.run(["openssl", "cms", "-cmsout", "-print", "-inform", "SMIME"],
                               input=post[1][address].raw, capture_output=True, text=False).stdout.decode()
        assert len(re.findall(r"^\s+d\.(ktri|kari):", shown, re.M)) == 1, shown[:2000]


def test_the_member_without_a_key_gets_a_notice_without_content(post):
    notice = post[1]["cid@example.net"]
    text = notice.message.get_content()
    assert "board@lists.example" in text
    assert CANARY not in text and "Zeisig" not in notice.raw.decode()
    assert "ann@example.org" not in notice.raw.decode()
    assert notice.message["Auto-Submitted"].startswith("auto-")


def test_the_ledger_tells_protection_reason_key_and_tls_of_each_recipient(lists, post):
    site = lists.site
    newest = site.cli("post", "list", BOARD)["items"][0]["id"]
    wait_until(lambda: all(r["state"] in ("delivered", "withheld") for r in site.cli("trace", str(newest))["recipients"]),
               "the ledger is complete")
    rows = {row["address"]: row for row in site.cli("trace", str(newest))["recipients"]}
    assert set(rows) == set(lists.people)
    assert rows["ann@example.org"]["protection"] == "smime"
    assert len(rows["ann@example.org"]["keyFingerprint"]) == 64
    attempt = rows["ann@example.org"]["attempts"][-1]
    assert attempt["replyCode"] == 250 and attempt["tls"]["version"] == "TLSv1.3"
    assert rows["cid@example.net"]["state"] == "withheld" and rows["cid@example.net"]["reason"] == "no-key"


def test_a_tagged_post_to_the_open_list_is_refused_with_reason_and_help_link(lists):
    before = len(lists.sink.received)
    code, dialogue = swaks(lists.site.smtp_port, "ann@example.org", [SOCIAL],
                           make_message("ann@example.org", SOCIAL, SUBJECT, CANARY))
    assert code != 0
    reply = [line for line in dialogue.splitlines() if re.match(r"<\S+ +550", line)]
    assert "550-5.7.1" in " ".join(reply), dialogue
    assert "social@lists.example" in " ".join(reply) and "http" in " ".join(reply)
    assert len(lists.sink.received) == before


def test_an_untagged_post_to_the_open_list_reaches_everybody(lists):
    code, dialogue = swaks(lists.site.smtp_port, "ann@example.org", [SOCIAL],
                           make_message("ann@example.org", SOCIAL, "Picnic", "Bring cake."))
    assert code == 0, dialogue
    for address in lists.people:
        wait_until(lambda: any(b"Bring cake." in m.raw for m in lists.sink.of(address)), f"the picnic for {address}")


def test_a_stranger_may_not_post_to_the_board(lists):
    before = len(lists.sink.of("bob@example.org"))
    code, _ = swaks(lists.site.smtp_port, "eve@evil.example", [BOARD],
                    make_message("eve@evil.example", BOARD, "Secure: hello", "Eve was here"))
    if code == 0:  # taken and answered by a report, which tells nothing of the post
        report = lists.sink.wait("eve@evil.example")[0]
        assert b"Eve was here" not in report.raw
    assert len(lists.sink.of("bob@example.org")) == before


def test_relaying_is_refused(lists):
    code, dialogue = swaks(lists.site.smtp_port, "ann@example.org", ["x@elsewhere.example"],
                           make_message("ann@example.org", "x@elsewhere.example", "x", "x"))
    assert code != 0 and "550" in dialogue


def test_nothing_of_the_secure_post_is_readable_in_the_data_folder(lists, post):
    newest = lists.site.cli("post", "list", BOARD)["items"][0]["id"]
    assert newest
    for needle in (CANARY, "Zeisig", "Kanarienvogel"):
        for form in (needle.encode(), needle.encode("utf-16-le")):
            assert files_with(lists.site.data, form) == []


def test_postern_send_hands_a_file_in_as_a_mail_program_would(lists, tmp_path):
    file = tmp_path / "post.eml"
    file.write_text(make_message("ann@example.org", BOARD, "Secure: sent", "by hand"), newline="")
    assert lists.site.run_cli("send", str(file)).returncode == 0
    file.write_text(make_message("ann@example.org", SOCIAL, "Secure: sent", "by hand"), newline="")
    done = lists.site.run_cli("send", str(file))
    assert done.returncode == 1 and b"550" in done.stdout + done.stderr


def test_errors_of_the_command_line_say_what_to_do(lists):
    for arguments, code, words in [
            (("list", "show", "nolist@lists.example"), 1, "list list"),
            (("member", "add", BOARD, "not an address"), 2, "address"),
            (("list", "create", "x@unknown.example"), 1, "domain add"),
            (("key", "import", "ann@example.org", "/etc/hostname"), 2, "certificate")]:
        with pytest.raises(Refused) as refused:
            lists.site.cli(*arguments)
        assert refused.value.code == code, (arguments, refused.value.error)
        assert words in refused.value.error, refused.value.error


@pytest.mark.parametrize("program", ["postern-gateway", "postern-webadmin"])
def test_a_hole_in_a_process_that_faces_the_network_does_not_give_stored_mail(lists, post, program):
    """The debugger makes the running process open files, as code that somebody smuggled in would."""
    data, pid = lists.site.data, lists.site.pids()[program]

    def opens(path):
        done = subprocess.run(["gdb", "--batch", "-nx", "-p", str(pid), "-ex",
                               f'print (int)((long(*)(long,...))syscall)(2, "{path}", 0)'], capture_output=True, text=True)
        found = re.search(r"^\$1 = (-?\d+)", done.stdout, re.M)
        assert found, done.stdout + done.stderr
        return int(found.group(1)) >= 0

    assert opens(data / "postern.toml"), "the probe itself does not work"
    for path in ("keys/root.key", "keys/keys.db", "listd/site.db", "vault", "people"):
        assert not opens(data / path), f"{program} can open {path}"
    # gdb leaves the texts it passed in the process' memory, and a leak detector would report them when it ends
    lists.site.kill(program)
    lists.site.wait_ready()
