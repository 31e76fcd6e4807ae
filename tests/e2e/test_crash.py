"""kill -9 of any process at random moments under load: what got 250 reaches every recipient, nothing is lost."""
import collections
import os
import random
import re
import smtplib
import threading
import time

import pytest
from sitekit import Background, make_message, wait_until

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


def numbers_of(stage, person):
    """How often each numbered post reached the person, decrypted where the person has a key."""
    counts = collections.Counter()
    for message in stage.sink.of(person.address):
        text = person.read(message.raw) if person.kind else message.raw
        found = re.search(rb"number=(\d+)=", text)
        if found:
            counts[int(found.group(1))] += 1
    return counts


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

    def all_there():
        return all(wanted <= set(numbers_of_fast(stage, m)) for m in members) if not secure else \
            all(len(stage.sink.of(m.address)) >= len(wanted) for m in members)

    wait_until(all_there, "every accepted post at every member", 180)
    wait_until(lambda: stage.site.cli("status")["gateway"]["queued"] == 0, "the queue is empty", 120)
    for member in members:
        counts = numbers_of(stage, member)
        lost = wanted - set(counts)
        assert not lost, f"{member.address} never got {sorted(lost)[:10]}"
        extra = sum(count - 1 for count in counts.values())
        # A kill of the gateway may repeat the attempts in flight, at most one per connection to the destination.
        assert extra <= kills["postern-gateway"] * 8, f"{extra} duplicates after {kills}"


def numbers_of_fast(stage, person):
    return {int(found.group(1)) for m in stage.sink.of(person.address)
            if (found := re.search(rb"number=(\d+)=", m.raw))}
