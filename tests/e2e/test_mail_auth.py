"""Whose mail it is, through the real gateway in a DNS of its own: mail signed by dkimpy and opendkim, SPF, DMARC and ARC;
and attack 18, identities laundered, with the same mail made legitimate beside it."""
import os

import pytest
from authworld import AuthWorld, Signer
from sitekit import make_message, swaks, wait_until

BOARD, OPEN = "board@lists.example", "open@lists.example"
ANN, OWN, EVE = "ann@members.example", "otto@lists.example", "eve@evil.example"
HOST = "postern.lists.example"
HOME, STRANGER = "127.0.0.9", "127.0.0.66"  # of SPF, and of nobody


class Scene:
    def __init__(self, stage, world):
        self.stage, self.site, self.world = stage, stage.site, world
        self.rsa, self.ed = Signer(world, "members.example"), Signer(world, "members.example", "e1", "ed25519")
        self.own, self.eve = Signer(world, "lists.example"), Signer(world, "evil.example")
        self.sealer = Signer(world, "sealer.example", "arc")
        world.publish(records={
            "members.example": f"v=spf1 ip4:{HOME} -all", "_dmarc.members.example": "v=DMARC1; p=reject",
            "lists.example": f"v=spf1 ip4:{HOME} -all", "_dmarc.lists.example": "v=DMARC1; p=reject",
            "evil.example": "v=spf1 ip4:127.0.0.0/8 -all"})
        stage.open()
        stage.make_list(BOARD, [stage.person(ANN, "p256"), stage.person(OWN, "p256")])
        stage.make_list(OPEN, [stage.person(ANN), stage.person(OWN)], secure=False)

    def send(self, raw, sender=ANN, to=BOARD, client=STRANGER):
        return swaks(self.site.smtp_port, sender, [to], raw, "--local-interface", client)

    def accepted(self, raw, sender=ANN, to=BOARD, client=STRANGER):
        """What the site says of the author of a message that it took."""
        known = {post["id"] for post in self.site.cli("post", "list", to)["items"]}
        code, talk = self.send(raw, sender, to, client)
        assert code == 0, talk

        def new():
            return [post for post in self.site.cli("post", "list", to)["items"] if post["id"] not in known]
        post = wait_until(new, "the post")[0]
        return post, self.site.cli("trace", str(post["id"]))["post"]["client"]["senderCheck"]

    def refused(self, raw, why, sender=ANN, to=BOARD, client=STRANGER):
        def posts():
            return [post["id"] for post in self.site.cli("post", "list", to)["items"]]
        before = posts()
        code, talk = self.send(raw, sender, to, client)
        assert code != 0 and why in talk, talk
        assert posts() == before


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    from conftest import Stage
    world = AuthWorld(tmp_path_factory.mktemp("dns") / "world")
    stage = Stage(tmp_path_factory.mktemp("auth"), world.settings())
    try:
        yield Scene(stage, world)
    finally:
        stage.close()
        world.stop()


def message(author=ANN, subject=None, **more):
    return make_message(author, BOARD, subject or "numbers " + os.urandom(4).hex(), "of the  year \r\n\r\n", **more)


NOT_PROVEN = "Nothing proves that this message is from"


def test_mail_signed_by_others_is_proven_and_a_changed_one_is_refused(scene):
    for how in (scene.rsa.sign, scene.ed.sign, scene.rsa.opendkim):
        raw = how(message())
        assert "proven by its signature (DKIM)" in scene.accepted(raw)[1]
        scene.refused(raw.replace(b"year", b"week"), NOT_PROVEN)
        scene.refused(b"From: eve@members.example\r\n" + raw, "")
        scene.refused(b"Subject: another\r\n" + raw, "")
    # RSA with SHA-1 no longer counts (RFC 8301), and a stranger's signature does not speak for the author.
    scene.refused(scene.rsa.opendkim_sha1(message()), NOT_PROVEN)
    scene.refused(scene.eve.sign(message()), NOT_PROVEN)


def test_spf_proves_the_author_of_the_same_domain_only(scene):
    assert "the server it came from (SPF)" in scene.accepted(message(), client=HOME)[1]
    scene.refused(message(), NOT_PROVEN, client=STRANGER)
    scene.refused(message(), NOT_PROVEN, sender=EVE, client=HOME)  # passes for evil.example


def test_own_domains_need_proof_from_outside(scene):
    scene.refused(message(OWN), NOT_PROVEN, sender=OWN)
    assert "proven" in scene.accepted(scene.own.sign(message(OWN)), sender=OWN)[1]


def test_a_strangers_key_that_cannot_be_had_leaves_nothing_open(scene):
    """slow.example is served by nobody: a lame delegation, so that its key is a temporary error."""
    scene.world.others.append("slow.example. IN NS ns.slow.example.\nns.slow.example. IN A 127.0.0.250")
    stranger = Signer(scene.world, "slow.example")
    key = scene.world.records.pop("k1._domainkey.slow.example")
    assert key
    scene.world.publish()
    raw = message()
    assert "proven by its signature" in scene.accepted(stranger.sign(scene.rsa.sign(raw)))[1]
    scene.refused(stranger.sign(message()), NOT_PROVEN)  # 550, not 451


FORGED = f"""{HOST}; dkim=pass header.d=members.example
{HOST}.; dkim=pass header.d=members.example
{HOST.upper()}; dmarc=pass header.from=members.example
(comment (in one)) {HOST} (another) 1; dmarc=pass header.from=members.example
"{HOST}"; dmarc=pass header.from=members.example
\r\n\t{HOST};\r\n\tspf=pass smtp.mailfrom={ANN}
; dmarc=pass header.from=members.example""".split("\n")


def test_attack_18_results_in_our_name_prove_nothing(scene):
    joined, values = "", []
    for line in FORGED:  # the folded one stands on several lines
        joined += line
        if line.endswith("\r"):
            joined += "\n"
            continue
        values.append(joined)
        joined = ""
    assert len(values) == 7
    for value in values:
        raw = f"Authentication-Results: {value}\r\n".encode() + message().encode()
        scene.refused(raw, NOT_PROVEN)
        raw = f"Authentication-Results: {value}\r\n".encode() + scene.rsa.sign(message())
        assert "proven by its signature" in scene.accepted(raw)[1]
    copy = scene.stage.sink.wait(ANN)[-1]
    assert b"Authentication-Results" not in copy.raw
    assert b"header.from=members.example" not in scene.stage.people[ANN].decrypt(copy.raw)


def test_attack_18_a_chain_of_arc_proves_no_author_and_does_no_harm(scene):
    results = b"Authentication-Results: mx.sealer.example; dmarc=pass header.from=members.example\r\n"
    sealed = scene.sealer.arc(results + message().encode(), "mx.sealer.example")
    scene.refused(sealed, NOT_PROVEN)  # a good seal of somebody who is not trusted
    scene.refused(sealed.replace(b"d=sealer.example", b"d=lists.example"), NOT_PROVEN)
    good = scene.rsa.sign(message())
    assert "proven by its signature" in scene.accepted(scene.sealer.arc(results + good, "mx.sealer.example"))[1]


def test_attack_18_two_authors_are_none(scene):
    raw = message().replace("From: ", f"From: {EVE}, ", 1)
    scene.refused(scene.eve.sign(raw), "", sender=EVE)
    double = b"From: " + EVE.encode() + b"\r\n" + scene.rsa.sign(message())
    scene.refused(double, "", sender=EVE)
    assert "proven" in scene.accepted(scene.rsa.sign(message()))[1]


def test_attack_18_names_and_look_alikes_do_not_post_for_a_member(scene):
    looks = [f'"{ANN}" <{EVE}>', f"Ann <{ANN}> <{EVE}>", "ann@rnembers.example", "ann@members.example.evil.example",
             "=?utf-8?q?ann=40members=2Eexample?= <eve@evil.example>", f'"Ann <{ANN}>" <{EVE}>']
    since = len(scene.stage.sink.received)
    words = []
    for index, author in enumerate(looks):
        words.append(f"laundered-{index}-" + os.urandom(4).hex())
        scene.send(scene.eve.sign(message(author, words[-1])), sender=EVE)
    word = "legitimate-" + os.urandom(4).hex()
    scene.accepted(scene.rsa.sign(message(f'"{ANN}" <{ANN}>', word)))

    def mine(word):
        return [mail for mail in scene.stage.sink.received[since:] if ANN in mail.recipients and
                word.encode() in scene.stage.people[ANN].decrypt(mail.raw)] if scene.stage.sink.received[since:] else []
    wait_until(lambda: mine(word), "the legitimate one")
    wait_until(lambda: scene.site.cli("status")["gateway"]["waitingAccepted"] == 0, "all is taken")
    assert not any(mine(other) for other in words)


def test_a_forwarder_that_the_administrator_trusts_is_believed_with_its_seal(make_stage, tmp_path):
    world = AuthWorld(tmp_path / "world")
    try:
        stage = make_stage(world.settings())
        policy = stage.site.data / "policies/own_sender_from_outside.lua"
        text = policy.read_text()
        assert "trusted_sealers = {}," in text
        policy.write_text(text.replace("trusted_sealers = {},", 'trusted_sealers = { "Sealer.example" },'))
        trusted = Scene(stage, world)
        vouching = b"Authentication-Results: mx.sealer.example; dmarc=pass header.from=members.example\r\n"
        sealed = trusted.sealer.arc(vouching + message().encode(), "mx.sealer.example")
        assert "not proven" in trusted.accepted(sealed)[1]  # let in, and still said to be unproven
        trusted.refused(sealed.replace(b"year", b"week"), NOT_PROVEN)
        failing = b"Authentication-Results: mx.sealer.example; dmarc=fail header.from=members.example\r\n"
        trusted.refused(trusted.sealer.arc(failing + message().encode(), "mx.sealer.example"), NOT_PROVEN)
        other = b"Authentication-Results: mx.evil.example; dmarc=pass header.from=members.example\r\n"
        trusted.refused(trusted.eve.arc(other + message().encode(), "mx.evil.example"), NOT_PROVEN)
        own = b"Authentication-Results: mx.sealer.example; dmarc=pass header.from=lists.example\r\n"
        trusted.refused(trusted.sealer.arc(own + message(OWN).encode(), "mx.sealer.example"), NOT_PROVEN, sender=OWN)
    finally:
        world.stop()
