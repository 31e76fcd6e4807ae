"""Where copies go and in which order: next hops that take over for dead ones, and single messages beside a big post."""
import asyncio
import json
import time

from sitekit import Refused, Sink, free_port, make_message, swaks, wait_until

import pytest


class SlowSink(Sink):
    """Takes a tenth of a second for each message."""

    async def handle_DATA(self, server, session, envelope):
        await asyncio.sleep(0.1)
        return await super().handle_DATA(server, session, envelope)


def send(stage, to, subject):
    code, dialogue = swaks(stage.site.smtp_port, "ann@example.org", [to],
                           make_message("ann@example.org", to, subject, "text"))
    assert code == 0, dialogue


def test_a_route_takes_its_next_host_when_one_is_dead(make_stage):
    stage = make_stage()
    stage.open()
    sink = Sink()
    try:
        stage.site.cli("route", "add", "bank.example",
                       f"127.0.0.1:{free_port()},127.0.0.2:{free_port()},127.0.0.1:{sink.port}")
        stage.make_list("open@lists.example", [stage.person("ann@example.org"), stage.person("bob@bank.example")],
                        secure=False)
        send(stage, "open@lists.example", "hello")
        assert len(sink.wait("bob@bank.example")) == 1
        assert stage.sink.of("bob@bank.example") == []
        with pytest.raises(Refused, match="not the name or the address"):
            stage.site.cli("route", "add", "bank.example", "mx.example,,127.0.0.1")
    finally:
        sink.stop()


def test_a_big_post_to_a_slow_server_does_not_delay_a_single_message(make_stage):
    stage = make_stage()
    stage.open()
    slow = SlowSink()
    try:
        stage.site.cli("route", "add", "slow.example", "127.0.0.1", "--port", str(slow.port))
        stage.make_list("big@lists.example", [stage.person("ann@example.org")], secure=False)
        table = stage.folder / "members.csv"
        table.write_text("address,name\n" + "".join(f"m{number}@slow.example,\n" for number in range(600)))
        stage.site.cli("member", "import", "big@lists.example", str(table))
        stage.make_list("small@lists.example",
                        [stage.person("ann@example.org"), stage.person("bob@slow.example"),
                         stage.person("cid@quick.example")], secure=False)
        send(stage, "big@lists.example", "to all")
        wait_until(lambda: len(slow.received) > 10, "the first of the big post")
        begin = time.monotonic()
        before = len(slow.received)
        send(stage, "small@lists.example", "to one")
        stage.sink.wait("cid@quick.example", seconds=10)
        slow.wait("bob@slow.example", seconds=10)
        arrived = next(i for i, m in enumerate(slow.received) if "bob@slow.example" in m.recipients)
        print(json.dumps({"seconds": round(time.monotonic() - begin, 1), "before it": arrived - before}))
        assert arrived < 250, "it went in its turn, behind the post"
    finally:
        slow.stop()
