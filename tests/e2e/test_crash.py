"""kill -9 of any process at random moments under load: what got 250 reaches every recipient, nothing is lost."""
import collections
import os
import random
import re
import smtplib
import threading
import time

import pytest
from sitekit import Background, Failure, make_message, wait_until

ROUNDS = int(os.environ.get("POSTERN_CRASH_ROUNDS", "200"))
LIST = "team@lists.example"
VICTIMS = ["postern-gateway", "postern-gateway", "postern-listd", "postern-listd", "postern-webadmin"]


class Senders:
    """Threads that post numbered messages and remember which numbers got 250."""

    def __init__(self, port, threads):
        self.port = port
        self.accepted = []
        self.lock = threading.Lock()
        self.numbers = iter(range(1, 1_000_000))
        self.backgrounds = [Background(self.work) for _ in range(threads)]

    def work(self, stopping):
        while not stopping.is_set():
            with self.lock:
                number = next(self.numbers)
            try:
                with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as client:
                    for _ in range(20):
                        if stopping.is_set():
                            break
                        client.sendmail("ann@example.org", [LIST],
                                        make_message("ann@example.org", LIST, "round", f"number={number}=",
                                                     X_Number=str(number)))
                        with self.lock:
                            self.accepted.append(number)
                            number = next(self.numbers)
                        time.sleep(0.02)
            except (OSError, smtplib.SMTPException):
                time.sleep(0.05)

    def __enter__(self):
        for background in self.backgrounds:
            background.__enter__()
        return self

    def __exit__(self, *error):
        for background in self.backgrounds:
            background.__exit__(*error)


class Inbox:
    """How often each numbered post reached a member; reads only what is new, decrypting where the member has a key."""

    def __init__(self, stage, person):
        self.stage, self.person = stage, person
        self.read = 0
        self.counts = collections.Counter()

    def update(self):
        messages = self.stage.sink.of(self.person.address)
        for message in messages[self.read:]:
            text = message.raw
            if b"application/pkcs7-mime" in text:
                text = self.person.decrypt(text)
            if found := re.search(rb"number=(\d+)=", text):
                self.counts[int(found.group(1))] += 1
        self.read = len(messages)
        return self.counts


@pytest.mark.parametrize("secure", [False, True], ids=["open", "secure"])
def test_nothing_that_got_250_is_lost_when_processes_are_killed(make_stage, secure):
    rounds = ROUNDS // 2
    stage = make_stage({"delivery.first_retry": "1", "delivery.max_retry": "1"}).open()
    kinds = ["p256", "p256"] if secure else [None, None]
    members = [stage.person("ann@example.org", kinds[0]), stage.person("bob@example.org", kinds[1])]
    stage.make_list(LIST, members, secure=secure)
    kills = collections.Counter()
    with Senders(stage.site.smtp_port, 2) as senders:
        while sum(kills.values()) < rounds:
            time.sleep(random.uniform(0.05, 0.6))
            alive = [program for program in VICTIMS if program in stage.site.pids()]
            if alive:
                program = random.choice(alive)
                kills[program] += stage.site.kill(program) is not None
        wait_until(lambda: stage.site.ready(), "the site is up again", 60)
    assert len(senders.accepted) >= rounds // 2, "too little load to tell anything"

    wanted = set(senders.accepted)

    inboxes = [Inbox(stage, member) for member in members]
    try:
        wait_until(lambda: all(wanted <= set(inbox.update()) for inbox in inboxes), "every accepted post", 300)
    except Failure:
        pass  # the assertions below say what is missing
    wait_until(lambda: idle(stage.site.cli("status")["gateway"]), "nothing is left to expand or deliver", 120)
    for inbox in inboxes:
        lost = wanted - set(inbox.update())
        assert not lost, f"{inbox.person.address} never got {sorted(lost)[:10]} of {len(wanted)}"
        extra = sum(count - 1 for count in inbox.counts.values())
        # A kill of the gateway may repeat the attempts in flight, at most one per connection to the destination.
        assert extra <= kills["postern-gateway"] * 8, f"{extra} duplicates after {kills}"


def idle(gateway):
    return gateway["connected"] and gateway["queued"] == 0 and gateway["waitingAccepted"] == 0
