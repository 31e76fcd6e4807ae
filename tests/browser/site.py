"""A real site for the browser tests: starts it with the programs of POSTERN_PROGRAMS, makes two lists with members and
keys by the command line, prints what the tests need as one line of JSON, and stops when its standard input ends."""
import json
import os
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from sitekit import Person, Sink, Site  # noqa: E402

BOARD, SOCIAL = "board@lists.example", "social@lists.example"


def answer(site, sink, words):
    """What a line of the tests asks for: the command line, another time, the mail that somebody got."""
    if words[0] == "cli":
        return site.cli(*words[1:])
    if words[0] == "text":  # as a person reads it
        done = site.run_cli(*words[1:])
        if done.returncode != 0:
            raise RuntimeError(done.stderr.decode())
        return done.stdout.decode()
    if words[0] == "clock":
        site.stop()
        site.set("testing.clock_offset", words[1])
        site.start()
        return "started"
    if words[0] == "mail":
        return sink.wait(words[1], int(words[2]) if len(words) > 2 else 1)[-1].message.get_body(("plain",)).get_content()
    raise ValueError(words[0])


def obey(site, sink):
    """Lines of JSON in, lines of JSON out, until the input ends."""
    for line in sys.stdin:
        try:
            result = {"ok": answer(site, sink, json.loads(line))}
        except Exception as error:  # the test says what it expected
            result = {"error": str(error)}
        print(json.dumps(result), flush=True)


def main():
    with tempfile.TemporaryDirectory(prefix="postern-web-") as folder:
        folder = pathlib.Path(folder)
        site = Site(folder / "site", os.environ.get("POSTERN_PROGRAMS", ROOT / "build/dev/bin"))
        site.init()
        # Passkeys belong to a name, not to an address.
        url = f"https://localhost:{site.web_port}"
        site.set("web.url", f'"{url}"')
        site.set("records.outside_address", '"counsel@outside.example"')
        sink = Sink(site.data / "tls/cert.pem", site.data / "tls/key.pem")
        try:
            site.start()
            site.cli("domain", "add", "lists.example")
            site.cli("route", "add", "*", "127.0.0.1", "--port", str(sink.port))
            people = [Person(folder, "ann@example.org", "rsa"), Person(folder, "bob@example.org", "p256"),
                      Person(folder, "cid@example.net")]
            for person in people:
                if person.kind:
                    site.cli("key", "import", person.address, str(person.certificate))
            site.cli("list", "create", BOARD, "--secure", "--description", "Board of directors")
            site.cli("list", "protect", BOARD, "--ladder", "smime")
            site.cli("list", "create", SOCIAL, "--description", "Canteen, parties, lost and found")
            for address in (BOARD, SOCIAL):
                for person in people:
                    site.cli("member", "add", address, person.address)
            # Her certificate is imported by the browser.
            dora = Person(folder, "dora@example.org", "rsa")
            print(json.dumps({"url": url, "webPort": site.web_port, "smtpPort": site.smtp_port,
                              "setupLink": site.cli("user", "setup-link")["url"], "folder": str(folder),
                              "doraCertificate": str(dora.certificate), "log": str(site.log)}), flush=True)
            obey(site, sink)
        finally:
            site.stop()
            sink.stop()


main()
