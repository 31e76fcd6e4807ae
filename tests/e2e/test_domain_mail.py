"""Domain mail: a real Postfix hands over marked mail for people elsewhere, who have S/MIME, OpenPGP, verified TLS or
nothing; and attack 15: nobody gets mail to foreign places through Postern, whatever the address looks like."""
import email
import email.policy
import os
import smtplib

import pytest
from postfix import Postfix
from recipient import Recipient, link_in
from sitekit import Refused, files_with, make_message, swaks, wait_until
from test_ladder import GnuPg
from test_verified_tls import certificate

OUT, BOARD = "outbound@lists.example", "board@lists.example"
ANN, BOB = "ann@example.org", "bob@example.org"  # of the relay's own domain
SAM, OTTO, VERA, NORA = "sam@smime.example", "otto@pgp.example", "vera@tls.example", "nora@nothing.example"
CANARY, WORD = "Kanarienvogel-" + os.urandom(4).hex(), "Rohrsaenger-" + os.urandom(4).hex()
RELAY, STRANGER = "127.0.0.1", "127.0.0.2"


def quoted(path):
    return '"' + str(path) + '"'


class Scene:
    def __init__(self, stage, folder):
        proof = certificate(folder, "outside")
        stage.site.set("delivery.trust_anchors", quoted(proof[0]))
        stage.site.set("web.url", f'"https://localhost:{stage.site.web_port}"')
        self.stage, self.site = stage.open(), stage.site
        self.relay = Postfix(self.site.smtp_port, *certificate(folder, "relay"))
        self.outside = Postfix(self.site.smtp_port, *proof)
        config = self.outside.config / "main.cf"
        config.write_text(config.read_text().replace("virtual_mailbox_domains = example.org",
                                                     "virtual_mailbox_domains = example.org tls.example"))
        with open(self.outside.config / "boxes", "a") as boxes:
            boxes.write(f"{VERA} vera/Maildir/\n")
        self.relay.start()
        self.outside.start()
        for domain in ("example.org", "tls.example"):
            self.site.cli("route", "add", domain, "127.0.0.1", "--port", str(self.outside.port))
        stage.make_list(OUT, [], ladder="smime,openpgp,tls,pickup")
        stage.make_list(BOARD, [stage.person(ANN)], ladder="smime,pickup")
        self.site.cli("relay", "add", RELAY, "example.org", OUT)
        stage.person(SAM, "rsa")
        self.otto = GnuPg(OTTO, "ed25519", "cv25519")
        self.site.cli("key", "import", OTTO, str(self.otto.public))
        self.site.cli("probe", "tls.example")

    def posts(self):
        return self.site.cli("post", "list", OUT)["items"]

    def rows(self, post):
        return {row["address"]: row for row in self.site.cli("trace", str(post["id"]))["recipients"]}

    def stop(self):
        self.relay.stop()
        self.outside.stop()


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    from conftest import Stage
    stage = Stage(tmp_path_factory.mktemp("domain-mail"))
    made = None
    try:
        made = Scene(stage, tmp_path_factory.mktemp("people"))
        yield made
        # The last word of the module: what was marked rests nowhere readable, and the wire to strangers shows nothing.
        for word in (CANARY, WORD):
            assert files_with(stage.site.data, word.encode()) == []
            assert all(word.encode() not in mail.raw for mail in stage.sink.received)
    finally:
        if made:
            made.stop()
        stage.close()


@pytest.fixture(scope="module")
def sent(scene):
    """One marked mail from Ann's mail program to four people elsewhere, through her organisation's Postfix."""
    people = [SAM, OTTO, VERA, NORA]
    scene.relay.send(ANN, people, make_message(f"Ann <{ANN}>", ", ".join(people), f"Secure: {WORD}", CANARY))

    def finished():
        posts = scene.posts()
        rows = scene.rows(posts[0]) if posts else {}
        return (posts[0], rows) if {row["state"] for row in rows.values()} == {"delivered"} else None

    return wait_until(finished, "each recipient has a copy", 60)


def test_the_ledger_names_each_recipient_with_the_protection_of_the_copy(sent):
    _, rows = sent
    assert {address: row["protection"] for address, row in rows.items()} == {SAM: "smime", OTTO: "openpgp", VERA: "tls",
                                                                             NORA: "pickup"}
    assert rows[VERA]["attempts"][-1]["tls"]["verification"] == "verified"


def test_openssl_opens_the_copy_and_its_subject_keeps_the_mark(scene, sent):
    copy = scene.stage.sink.wait(SAM)[-1]
    assert copy.message["Subject"] == "[...]" and ANN in copy.message["From"]
    assert copy.sender == ANN
    inner = email.message_from_bytes(scene.stage.people[SAM].decrypt(copy.raw), policy=email.policy.default)
    assert inner["Subject"] == f"Secure: {WORD}" and ANN in inner["From"]
    assert inner.get_content().strip() == CANARY


def test_gpg_opens_the_copy(scene, sent):
    message = scene.stage.sink.wait(OTTO)[-1].message
    assert message["Subject"] == "[...]" and message.get_content_type() == "multipart/encrypted"
    opened = scene.otto.run("--decrypt", input=message.get_payload()[1].get_payload(decode=True))
    inner = email.message_from_bytes(opened, policy=email.policy.default)
    assert inner["Subject"] == f"Secure: {WORD}" and inner.get_content().strip() == CANARY


def test_the_server_that_proves_itself_gets_it_readable_over_verified_tls(scene, sent):
    assert CANARY.encode() in scene.outside.wait_box("vera")[-1]


def test_one_who_has_nothing_gets_an_envelope(scene, sent):
    letter = scene.stage.sink.wait(NORA)[-1]
    assert b"/pickup" in letter.raw and CANARY.encode() not in letter.raw and WORD.encode() not in letter.raw


def test_the_envelope_leads_to_the_message_on_the_pages_and_the_ledger_knows_the_time(scene, sent):
    nora = Recipient(scene.site)
    nora.first_visit(link_in(scene.stage.sink.wait(NORA)[-1].raw))
    path = next(path for subject, path in nora.subjects().items() if WORD in subject)
    nora.send(nora.get(path), path + "/open")
    kept = email.message_from_bytes(nora.get(path + "/message.eml").body, policy=email.policy.default)
    assert ANN in kept["From"] and kept["Subject"] == f"Secure: {WORD}" and kept.get_content().strip() == CANARY
    assert scene.rows(sent[0])[NORA]["pickup"]["openedAt"] > 0


def test_a_reply_to_the_subject_is_marked(scene, sent):
    before = len(scene.posts())
    for number, subject in enumerate((f"Re: Secure: {WORD}", f"AW: [encrypt] {WORD}"), 1):
        scene.relay.send(ANN, [SAM], make_message(ANN, SAM, subject, CANARY))
        wait_until(lambda: len(scene.posts()) == before + number, f"{subject} was taken")


def test_own_domain_gets_it_directly_over_verified_tls(scene, sent):
    code, dialogue = swaks(scene.site.smtp_port, ANN, [BOB], make_message(ANN, BOB, f"Secure: {WORD}", CANARY + "-own"))
    assert code == 0, dialogue
    assert (CANARY + "-own").encode() in scene.outside.wait_box("bob")[-1]
    row = wait_until(lambda: next((rows[BOB] for rows in map(scene.rows, scene.posts())
                                   if BOB in rows and rows[BOB]["state"] == "delivered"), None), "the ledger has it")
    assert row["protection"] == "tls" and row["attempts"][-1]["tls"]["verification"] == "verified"


def test_trusted_domains_get_it_directly_though_the_ladder_has_no_tls(scene, sent):
    """Known to prove itself, but not trusted: by the ladder. Trusted: over verified TLS, without any key."""
    scene.site.cli("list", "protect", OUT, "--ladder", "smime,openpgp,pickup")
    try:
        for number, (mark, wanted) in enumerate((("before", "pickup"), ("after", "tls"))):
            if mark == "after":
                scene.site.cli("domain", "trust", "tls.example", "--reason", "our clinic")
                scene.site.cli("probe", "tls.example")
            boxed = len(scene.outside.box("vera"))
            scene.relay.send(ANN, [VERA], make_message(ANN, VERA, f"Secure: {WORD} {mark}", CANARY + mark))
            row = wait_until(lambda: next((rows[VERA] for rows in map(scene.rows, scene.posts()) if set(rows) == {VERA} and
                                           rows[VERA]["protection"] == wanted and rows[VERA]["state"] == "delivered"), None),
                             f"the copy {mark} the domain is trusted", 60)
            if mark == "after":
                assert row["attempts"][-1]["tls"]["verification"] == "verified"
                assert (CANARY + mark).encode() in scene.outside.wait_box("vera", boxed + 1)[-1]
            else:
                assert CANARY.encode() not in scene.outside.wait_box("vera", boxed + 1)[-1]
    finally:
        scene.site.cli("list", "protect", OUT, "--ladder", "smime,openpgp,tls,pickup")


@pytest.mark.parametrize("subject, words", [("Lunch", "does not mark this message"), ("Secure; plan", "nearly marks"),
                                            ("[encrypted] plan", "nearly marks")])
def test_what_is_not_marked_comes_back_with_advice_and_goes_nowhere(scene, sent, subject, words):
    posts, boxed = len(scene.posts()), len(scene.relay.box("ann"))
    heard = len(scene.stage.sink.of(NORA))
    scene.relay.send(ANN, [NORA], make_message(ANN, NORA, subject, "nothing secret"))
    bounce = scene.relay.wait_box("ann", boxed + 1)[-1]
    unfolded = b" ".join(bounce.split())
    assert words.encode() in unfolded and b"[encrypt]" in unfolded
    assert len(scene.posts()) == posts and len(scene.stage.sink.of(NORA)) == heard


# Attack 15.
FORMS = ["<user%other.example@foreign.example>", "<other.example!user@foreign.example>",
         '<"user@other.example"@foreign.example>', "<user@[127.0.0.1]>", "<user@[IPv6:::1]>", "<user@foreign.example.>",
         "<user@foreign.example\0.other.example>", "<user@foreign.example@other.example>", "<user@localhost>",
         "<user%foreign.example@lists.example>", "<foreign.example!user@lists.example>",
         '<"user@foreign.example"@lists.example>']


def ask(scene, source, sender, *recipients):
    """The codes with which a client at this address gets its recipients answered."""
    with smtplib.SMTP("127.0.0.1", scene.site.smtp_port, "mail.example.org", 30, (source, 0)) as client:
        client.ehlo()
        assert client.docmd("MAIL", f"FROM:<{sender}>")[0] == 250
        codes = []
        for recipient in recipients:
            client.send(f"RCPT TO:{recipient}\r\n".encode())
            codes.append(client.getreply()[0])
        return codes


@pytest.mark.parametrize("form", FORMS, ids=range(len(FORMS)))
@pytest.mark.parametrize("source", [RELAY, STRANGER])
def test_15_no_form_of_address_is_a_way_through(scene, source, form):
    code, = ask(scene, source, ANN, form)
    assert 500 <= code < 600


def test_15_only_the_relay_and_only_for_its_senders(scene):
    assert ask(scene, RELAY, ANN, "<user@foreign.example>") == [250]
    assert ask(scene, STRANGER, ANN, "<user@foreign.example>", "<@lists.example:user@foreign.example>") == [550, 550]
    assert ask(scene, RELAY, "eve@other.example", "<user@foreign.example>") == [550]
    assert ask(scene, RELAY, "", "<user@foreign.example>") == [550]


def test_15_lists_and_outsiders_do_not_mix(scene):
    assert ask(scene, RELAY, ANN, f"<{BOARD}>", "<user@foreign.example>") == [250, 452]
    assert ask(scene, RELAY, ANN, "<user@foreign.example>", f"<{BOARD}>") == [250, 452]


def test_15_the_author_must_be_of_the_senders_domain(scene):
    posts = len(scene.posts())
    code, dialogue = swaks(scene.site.smtp_port, ANN, [NORA], make_message("ceo@bank.example", NORA, "Secure: pay", "now"))
    assert code != 0 and "From must name one author" in dialogue
    assert len(scene.posts()) == posts


def test_a_range_for_everybody_and_an_open_list_are_refused(scene):
    scene.stage.make_list("open@lists.example", [], secure=False)
    for arguments, words in ((("0.0.0.0/0", "example.org", OUT), "holds every address"),
                             (("192.0.2.0/24", "example.org", "open@lists.example"), "is an open list")):
        with pytest.raises(Refused) as refused:
            scene.site.cli("relay", "add", *arguments)
        assert words in str(refused.value.error)


def test_a_removed_relay_is_a_stranger(scene):
    shown = scene.site.cli("relay", "list")["items"]
    assert [(relay["domain"], relay["list"]) for relay in shown] == [("example.org", OUT)]
    scene.site.cli("relay", "remove", shown[0]["range"], "example.org")
    wait_until(lambda: ask(scene, RELAY, ANN, "<user@foreign.example>") == [550], "the gateway knows")
