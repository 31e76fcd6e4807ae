"""The hooks behind the 250, each with real processes: what a policy says of a post and of its members is what happens, what
it asks below a floor changes nothing, and one that fails lets nothing out."""
import time

import pytest
from aiosmtpd.controller import Controller
from sitekit import Sink, free_port, make_message, swaks, wait_until

OPEN, DESK = "open@lists.example", "desk@lists.example"
ANN, BEN, CID = "ann@example.org", "ben@partner.example", "cid@example.net"
SECRET = "Goldammer-6d1f-ruft"

POST = """
return {
  name = "at_post",
  doc = "For a test: does to a post what its subject says.",
  hooks = {
    post = function(post, list)
      if post.subject:find("lottery", 1, true) then return reject { reason = "lottery" } end
      if post.subject:find("look", 1, true) then return hold { reason = "look" } end
      if post.subject:find("drop", 1, true) then return discard { reason = "drop" } end
      if post.subject:find("break", 1, true) then error("broken") end
      if post.subject:find("weaker", 1, true) then return protect { protection = "tls" } end
      if post.subject:find("stronger", 1, true) then return protect { protection = "smime" } end
    end,
  },
  cases = {
    { title = "a lottery", hook = "post", post = { subject = "lottery" }, expect = { verdict = "reject" } },
    { title = "stronger", hook = "post", post = { subject = "stronger" }, expect = { verdict = "protect", protection = "smime" } },
  },
}
"""
MEMBER = """
return {
  name = "at_member",
  doc = "For a test: members at the partner get S/MIME, all others nothing less than the list says.",
  hooks = {
    member = function(post, member)
      if post.subject:find("break", 1, true) then error("broken") end
      if member.domain == "partner.example" then return protect { protection = "smime" } end
      return protect { protection = "tls" }
    end,
  },
  cases = {
    { title = "a partner", hook = "member", post = {}, member = "a@partner.example",
      expect = { verdict = "protect", protection = "smime" } },
  },
}
"""

ATTEMPT = """
return {
  name = "at_attempt",
  doc = "For a test: what a copy may do depends on whom it is for.",
  hooks = {
    attempt = function(copy)
      if copy.domain == "refused.example" then return reject { reason = "never", text = "not to there" } end
      if copy.domain == "later.example" and copy.attempts == 0 then return defer { reason = "later" } end
      if copy.domain == "careful.example" and not copy.hop.verified then return protect { protection = "tls" } end
      if copy.domain == "broken.example" then error("broken") end
      return accept()
    end,
  },
  cases = {
    { title = "refused", hook = "attempt", copy = { recipient = "a@refused.example" }, expect = { verdict = "reject" } },
    { title = "in clear", hook = "attempt", copy = { recipient = "a@careful.example" }, expect = { verdict = "protect" } },
  },
}
"""
EXPIRE = """
return {
  name = "at_expire",
  doc = "For a test: who is to be kept is kept.",
  hooks = {
    expire = function(copy)
      if copy.recipient:find("keep", 1, true) then return defer { reason = "keep" } end
      if copy.recipient:find("break", 1, true) then error("broken") end
    end,
  },
  cases = {
    { title = "kept", hook = "expire", copy = { recipient = "keep@example.net" }, expect = { verdict = "defer" } },
    { title = "not kept", hook = "expire", copy = { recipient = "a@example.net" }, expect = { verdict = "pass" } },
  },
}
"""

ROUTE = """
return {
  name = "at_route",
  doc = "For a test: the bank gets its mail by the second server, and nobody's mail goes to strangers.",
  hooks = {
    route = function(domain, hops)
      if domain == "bank.example" then return route { hosts = { hops[2].address } } end
      if domain == "stray.example" then return route { hosts = { "127.0.0.9" } } end
    end,
  },
  cases = {
    { title = "others as ever", hook = "route", hops = { "a.example" }, expect = { verdict = "pass" } },
  },
}
"""


class SinkBeside(Sink):
    """At another address of this machine."""

    def __init__(self):
        self.received, self.answer, self.port = [], None, free_port()
        self.controller = Controller(self, hostname="127.0.0.2", port=self.port)
        self.controller.start()


class World:
    """A site with an open list of two and a secure one of three, whose copies go by pick-up unless somebody wants more."""

    def __init__(self, stage):
        self.stage, self.site, self.sink = stage, stage.site, stage.sink
        people = [stage.person(ANN, "rsa"), stage.person(BEN, "rsa")]
        stage.make_list(OPEN, people, secure=False, posting="anyone")
        stage.make_list(DESK, [*people, stage.person(CID)], ladder="pickup,smime", posting="anyone")
        wait_until(lambda: self.site.cli("policy", "history")["items"], "the set of the folder is taken over")
        self.shipped = self.site.cli("policy", "show", str(self.site.cli("policy", "history")["items"][0]["revision"]))["files"]
        self.count, self.used = 0, {}

    def use(self, **policies):
        """Puts these in force beside the shipped ones."""
        if policies == self.used:
            return
        self.used = policies
        self.count += 1
        folder = self.stage.folder / f"set{self.count}"
        for path, text in {**self.shipped, **{f"{name}.lua": text for name, text in policies.items()}}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        (folder / "order.txt").unlink(missing_ok=True)
        assert self.site.cli("policy", "reload", str(folder), "--reason", "for a test")["atGateway"]

    def send(self, to, subject):
        """Returns when it began."""
        start = time.time()
        code, dialogue = swaks(self.site.smtp_port, ANN, [to], make_message(f"Ann <{ANN}>", to, subject, SECRET))
        assert code == 0, dialogue
        return start

    def posts(self, address):
        return self.site.cli("post", "list", address)["items"]

    def done(self, address, since):
        """The latest post of the list, when all its copies are final."""
        return wait_until(lambda: (items := self.posts(address)) and len(items) > since
                          and items[0]["state"] in ("done", "rejected", "ignored") and items[0], "the post is done")

    def copies(self, post):
        rows = self.site.cli("trace", str(post["id"]))["recipients"]
        return {row["address"]: row["protection"] for row in rows}


@pytest.fixture(scope="module")
def world(stage):
    return World(stage)


def test_a_policy_judges_a_post_for_each_list(world):
    world.use(at_post=POST)
    before = len(world.posts(OPEN))
    world.send(OPEN, "a walk")
    assert world.done(OPEN, before)["delivered"] == 2
    start = world.send(OPEN, "the lottery")
    post = world.done(OPEN, before + 1)
    assert (post["state"], post["reason"]) == ("rejected", "policy-refused")
    notice = world.sink.wait(ANN, since=start)[0]
    assert "A rule of this site does not let it through" in notice.message.as_string()
    world.send(OPEN, "please drop this")
    assert world.done(OPEN, before + 2)["reason"] == "policy-discarded"
    assert not [m for m in world.sink.of(BEN, start)]


def test_a_held_post_goes_on_when_a_person_releases_it(world):
    world.use(at_post=POST)
    before = len(world.posts(OPEN))
    start = world.send(OPEN, "please look at this")
    held = wait_until(lambda: world.site.cli("quarantine", "list")["items"], "it is held")[0]
    assert held["cause"] == "policy" and len(world.posts(OPEN)) == before
    assert not world.sink.of(BEN, start)
    world.site.cli("quarantine", "release", str(held["id"]))
    assert world.done(OPEN, before)["delivered"] == 2


def test_a_policy_strengthens_the_protection_of_a_post_and_never_weakens_it(world):
    world.use(at_post=POST)
    before = len(world.posts(DESK))
    world.send(DESK, "as usual")
    assert world.copies(world.done(DESK, before)) == {ANN: "pickup", BEN: "pickup", CID: "pickup"}
    world.send(DESK, "weaker")  # below the floor of the list: nothing changes
    assert world.copies(world.done(DESK, before + 1)) == {ANN: "pickup", BEN: "pickup", CID: "pickup"}
    world.send(DESK, "stronger")
    assert world.copies(world.done(DESK, before + 2)) == {ANN: "smime", BEN: "smime", CID: "withheld"}
    before = len(world.posts(OPEN))
    start = world.send(OPEN, "stronger")  # an open list cannot, so nobody gets it
    assert world.done(OPEN, before)["reason"] == "policy-refused"
    assert not world.sink.of(BEN, start)
    assert all(SECRET.encode() not in m.raw for m in world.sink.of(CID))


def test_a_policy_that_fails_at_a_post_lets_nothing_out_and_the_post_waits(world):
    world.use(at_post=POST)
    before = len(world.posts(OPEN))
    start = world.send(OPEN, "break")
    wait_until(lambda: "policies of this site cannot judge a post" in world.site.run_cli("status").stdout.decode(),
               "status says what is wrong")
    assert len(world.posts(OPEN)) == before and not world.sink.of(BEN, start)
    world.use(at_post=POST.replace('error("broken")', "return pass()"))
    assert world.done(OPEN, before)["delivered"] == 2


def test_a_policy_strengthens_the_protection_of_members_one_by_one(world):
    world.use(at_member=MEMBER)
    before = len(world.posts(DESK))
    world.send(DESK, "to each his own")
    assert world.copies(world.done(DESK, before)) == {ANN: "pickup", BEN: "smime", CID: "pickup"}
    start = world.send(DESK, "break")
    wait_until(lambda: "policies of this site cannot judge a post" in world.site.run_cli("status").stdout.decode(),
               "status says what is wrong")
    assert len(world.posts(DESK)) == before + 1 and not world.sink.of(BEN, start)
    world.use()
    assert world.copies(world.done(DESK, before + 1)) == {ANN: "pickup", BEN: "pickup", CID: "pickup"}
    assert SECRET.encode() not in world.site.log.read_bytes()


def states(world, post):
    return {row["address"]: row["state"] for row in world.site.cli("trace", str(post["id"]))["recipients"]}


def said(world, post, address):
    """All that the ledger has of the attempts for this address."""
    row = next(row for row in world.site.cli("trace", str(post["id"]))["recipients"] if row["address"] == address)
    return "; ".join(attempt["replyText"] for attempt in row["attempts"])


def test_a_policy_judges_each_attempt_before_a_byte_leaves(world):
    world.use(at_attempt=ATTEMPT)
    people = [f"eve@{domain}.example" for domain in ("refused", "later", "careful", "broken", "other")]
    refused, later, careful, broken, other = people
    world.stage.make_list("tries@lists.example", [world.stage.person(address) for address in people], secure=False,
                          posting="anyone")
    start = world.send("tries@lists.example", "an attempt")
    for address in (later, other):
        world.sink.wait(address, since=start)
    post = wait_until(lambda: world.posts("tries@lists.example"), "it is planned")[0]
    wait_until(lambda: (now := states(world, post))[refused] == "failed"
               and now[later] == now[other] == "delivered", "three are done")
    assert "not to there (at_attempt: never)" in said(world, post, refused)
    assert "(at_attempt: later)" in said(world, post, later)
    wait_until(lambda: "wants verified TLS" in said(world, post, careful), "the ledger says why one waits")
    wait_until(lambda: "cannot judge this delivery" in said(world, post, broken), "and the other")
    assert {states(world, post)[careful], states(world, post)[broken]} & {"delivered", "failed"} == set()
    assert not [m for address in (refused, careful, broken) for m in world.sink.of(address)]
    world.use()  # nothing stops them any more
    for address in (careful, broken):
        world.sink.wait(address, since=start)
    assert not world.sink.of(refused)


def test_a_copy_is_given_up_when_no_policy_keeps_it(make_stage):
    stage = make_stage({"delivery.first_retry": "1", "delivery.max_retry": "1", "delivery.expiry": "3"})
    stage.open()
    people = [f"{name}@example.net" for name in ("keep", "end", "break")]
    stage.make_list(OPEN, [stage.person(address) for address in people], secure=False, posting="anyone")
    world = World.__new__(World)
    world.stage, world.site, world.sink, world.count, world.used = stage, stage.site, stage.sink, 0, {}
    wait_until(lambda: stage.site.cli("policy", "history")["items"], "the set of the folder is taken over")
    world.shipped = stage.site.cli("policy", "show", str(stage.site.cli("policy", "history")["items"][0]["revision"]))["files"]
    world.use(at_expire=EXPIRE)
    stage.sink.answer = lambda recipient: "451 4.2.0 not now"
    world.send(OPEN, "it waits")
    post = wait_until(lambda: world.posts(OPEN), "it is planned")[0]
    keep, end, broken = people
    wait_until(lambda: states(world, post)[end] == "expired", "its time ran out", seconds=90)
    wait_until(lambda: "(at_expire: keep)" in said(world, post, keep), "one is kept", seconds=90)
    wait_until(lambda: "cannot say whether" in said(world, post, broken), "where the policy fails it is kept, too", seconds=90)
    assert {states(world, post)[keep], states(world, post)[broken]} & {"expired", "failed"} == set()
    stage.sink.answer = None
    stage.sink.wait(keep, seconds=60)
    stage.sink.wait(broken, seconds=60)
    assert not stage.sink.of(end)


def test_a_policy_chooses_among_the_next_hops_and_no_others(world):
    world.use(at_route=ROUTE)
    first, second = Sink(), SinkBeside()
    try:
        for domain in ("bank.example", "stray.example"):
            world.site.cli("route", "add", domain, f"127.0.0.1:{first.port},127.0.0.2:{second.port}")
        bank, stray, other = "a@bank.example", "b@stray.example", "c@other.example"
        world.stage.make_list("ways@lists.example", [world.stage.person(address) for address in (bank, stray, other)],
                              secure=False, posting="anyone")
        world.send("ways@lists.example", "on its way")
        second.wait(bank)
        world.sink.wait(other)
        post = wait_until(lambda: world.posts("ways@lists.example"), "it is planned")[0]
        wait_until(lambda: "names a next hop that this domain does not have" in said(world, post, stray), "the ledger says why")
        assert not first.received and not second.of(stray)
        world.use()
        wait_until(lambda: first.of(stray) or second.of(stray), "nothing holds it up any more")
    finally:
        first.stop()
        second.stop()
