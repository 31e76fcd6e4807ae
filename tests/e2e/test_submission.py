"""Submission: people's mail programs on listeners of their own. They sign in with an access token, write as themselves
only, and their marked mail goes out sealed. swaks, smtplib and a Postfix as a smart host's client."""
import smtplib
import ssl

import pytest
from postfix import Postfix
from sitekit import free_port, make_message, swaks, wait_until
from staff import Staff

OUT, BOARD = "outbound@lists.example", "board@lists.example"
ADA, SAM = "ada@example.org", "sam@smime.example"


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    from conftest import Stage
    stage = Stage(tmp_path_factory.mktemp("submission"))
    site = stage.site
    stage.clear, stage.tls = free_port(), free_port()
    site.set("gateway.listen", f'["127.0.0.1:{site.smtp_port}", "127.0.0.1:{stage.clear} submission"]')
    site.set("gateway.listen_tls", f'["127.0.0.1:{site.smtps_port}", "127.0.0.1:{stage.tls} submission"]')
    try:
        stage.open()
        stage.person(SAM, "rsa")
        stage.make_list(OUT, [], ladder="smime")
        stage.make_list(BOARD, [stage.person("sue@members.example", "rsa")])
        # Mail of the domain has rules; no relay may use them from here.
        site.cli("relay", "add", "198.51.100.0/24", "example.org", OUT)
        stage.ada = Staff(site, "ada", "admin", ["mail:write"])
        site.cli("user", "set", "ada", "--mail", ADA)
        stage.ada.sign_in()  # changed accounts sign in anew where roles changed; the token stays
        stage.token = stage.ada.token.read_text().strip()
        yield stage
    finally:
        stage.close()


def context():
    made = ssl.create_default_context()
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


def client(scene, sign_in=True):
    made = smtplib.SMTP("127.0.0.1", scene.clear, timeout=30)
    made.starttls(context=context())
    made.ehlo("laptop.example")
    if sign_in:
        made.login("ada", scene.token)
    return made


def test_marked_mail_for_outside_goes_out_sealed_and_with_the_fields_that_were_missing(scene):
    code, dialogue = swaks(scene.clear, ADA, [SAM], f"From: {ADA}\r\nTo: {SAM}\r\nSubject: Secure: plan\r\n\r\nwords\r\n",
                           "--auth", "PLAIN", "--auth-user", "ada", "--auth-password", scene.token)
    assert code == 0, dialogue
    copy = scene.sink.wait(SAM)[-1]
    assert copy.message["Subject"] == "[...]" and b"words" not in copy.raw
    inner = scene.people[SAM].decrypt(copy.raw)
    assert b"words" in inner and b"Message-ID:" in inner and b"Date:" in inner


def test_a_list_takes_it_over_implicit_tls_by_login(scene):
    code, dialogue = swaks(scene.tls, ADA, [BOARD], make_message(ADA, BOARD, "hello", "words"), "--tls-on-connect",
                           "--auth", "LOGIN", "--auth-user", ADA, "--auth-password", scene.token, tls=False)
    assert code == 0, dialogue


def test_mail_that_is_not_marked_does_not_go_out(scene):
    with client(scene) as made, pytest.raises(smtplib.SMTPDataError) as refused:
        made.sendmail(ADA, [SAM], make_message(ADA, SAM, "plain", "words"))
    assert refused.value.smtp_code == 550 and b"Secure:" in refused.value.smtp_error


@pytest.mark.parametrize("sender, author", [("bob@example.org", ADA), (ADA, "bob@example.org"), ("", ADA)])
def test_nobody_writes_as_somebody_else(scene, sender, author):
    with client(scene) as made:
        with pytest.raises((smtplib.SMTPSenderRefused, smtplib.SMTPDataError)) as refused:
            made.sendmail(sender, [BOARD], make_message(author, BOARD, "hello", "words"))
    assert refused.value.smtp_code == 550 and b"you may write as ada@example.org only" in refused.value.smtp_error


def test_a_second_author_is_refused(scene):
    with client(scene) as made, pytest.raises(smtplib.SMTPDataError) as refused:
        made.sendmail(ADA, [BOARD], make_message(f"{ADA}, bob@example.org", BOARD, "hello", "words"))
    assert refused.value.smtp_code == 550


def test_nothing_is_taken_without_tls_and_sign_in(scene):
    with smtplib.SMTP("127.0.0.1", scene.clear, timeout=30) as clear:
        clear.ehlo("laptop.example")
        assert not clear.has_extn("auth")
        assert clear.docmd("AUTH PLAIN AGFkYQB4")[0] == 538
        assert clear.mail(ADA)[0] == 530
    with client(scene, sign_in=False) as made:
        assert made.mail(ADA)[0] == 530


def test_a_wrong_password_and_a_token_without_the_scope_are_refused(scene):
    other = Staff.__new__(Staff)
    other.__dict__.update(scene.ada.__dict__, scopes=["list:read"])
    weak = other.new_token().read_text().strip()
    for name, password in (("ada", "ptn_wrong"), ("ada", weak), ("bob", scene.token)):
        with client(scene, sign_in=False) as made, pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            made.user, made.password = name, password
            made.auth("PLAIN", made.auth_plain)
        assert refused.value.smtp_code == 535


def test_servers_cannot_sign_in_and_nobody_relays_on_their_listener(scene):
    with smtplib.SMTP("127.0.0.1", scene.site.smtp_port, timeout=30) as made:
        made.starttls(context=context())
        made.ehlo("laptop.example")
        assert not made.has_extn("auth") and made.docmd("AUTH PLAIN AGFkYQB4")[0] == 502
        made.mail(ADA)
        assert made.rcpt(SAM)[0] == 550


def test_postfix_signs_in_as_its_person(scene):
    """As in the home of somebody whose mail server uses Postern as its smart host."""
    postfix = Postfix(scene.clear, scene.site.data / "tls/cert.pem", scene.site.data / "tls/key.pem")
    (postfix.config / "sasl").write_text(f"[127.0.0.1]:{scene.clear} ada:{scene.token}\n")
    with open(postfix.config / "main.cf", "a") as config:
        config.write(f"smtp_sasl_auth_enable = yes\nsmtp_sasl_password_maps = texthash:{postfix.config}/sasl\n"
                     "smtp_sasl_security_options = noanonymous\n")
    try:
        postfix.start()
        postfix.send(ADA, [SAM], make_message(ADA, SAM, "Secure: by postfix", "sent by a smart host"))
        wait_until(lambda: any(b"sent by a smart host" in scene.people[SAM].decrypt(copy.raw)
                               for copy in scene.sink.received if SAM in copy.recipients), "the copy of Postfix's mail", 60)
    finally:
        postfix.stop()


def test_no_password_rests_anywhere(scene):
    from sitekit import files_with
    assert files_with(scene.site.data, scene.token.encode()) == []


def test_an_account_sends_while_its_address_is_its_own_and_it_is_enabled(scene):
    eva = Staff(scene.site, "eva", "member", ["mail:write"])
    scene.site.cli("user", "set", "eva", "--mail", "eva@example.org")
    token = eva.token.read_text().strip()

    def sign_in():
        with client(scene, sign_in=False) as made:
            made.user, made.password = "eva", token
            try:
                return made.auth("PLAIN", made.auth_plain)[0]
            except smtplib.SMTPAuthenticationError as refused:
                return refused.smtp_code

    scene.site.cli("user", "set", "eva", "--mail", ADA)
    assert sign_in() == 535
    scene.site.cli("user", "set", "eva", "--mail", "eva@example.org")
    assert sign_in() == 235
    scene.site.at_offset(61)  # the gateway remembers a yes for a minute
    scene.site.cli("user", "disable", "eva")
    assert sign_in() == 535
