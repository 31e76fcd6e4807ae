import os
import pathlib
import sys
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))

from sitekit import Person, Sink, Site  # noqa: E402

PROGRAMS = pathlib.Path(os.environ.get("POSTERN_PROGRAMS", ROOT / "build/dev/bin"))


class Stage:
    """A running site with a sink as next hop for everything, and people by address."""

    def __init__(self, folder, settings=None):
        self.folder = pathlib.Path(folder)
        self.site = Site(self.folder / "site", PROGRAMS)
        self.site.init({"delivery.first_retry": "1", "delivery.max_retry": "5", **(settings or {})})
        self.sink = Sink(self.site.data / "tls/cert.pem", self.site.data / "tls/key.pem")
        self.people = {}

    def open(self):
        self.site.start()
        self.site.cli("domain", "add", "lists.example")
        self.site.cli("route", "add", "*", "127.0.0.1", "--port", str(self.sink.port))
        return self

    def person(self, address, kind=None, **more):
        if address not in self.people:
            self.people[address] = Person(self.folder / "people", address, kind, **more)
            if kind:
                self.site.cli("key", "import", address, str(self.people[address].certificate))
        return self.people[address]

    def make_list(self, address, members, secure=True, ladder="smime", **options):
        """`ladder`: what copies of a secure list may be protected by, in order; by default S/MIME and nothing else."""
        self.site.cli("list", "create", address, *(["--secure"] if secure else []),
                      *[part for name, value in options.items() for part in (f"--{name}", value)])
        if secure and ladder:
            self.site.cli("list", "protect", address, "--ladder", ladder)
        for person in members:
            self.site.cli("member", "add", address, person.address)

    def close(self):
        self.site.stop()
        self.sink.stop()


@pytest.fixture(scope="module")
def stage():
    with tempfile.TemporaryDirectory(prefix="postern-e2e-") as folder:
        made = Stage(folder).open()
        yield made
        made.close()


@pytest.fixture
def make_stage():
    """Makes stages of one's own: make_stage(settings)."""
    made, folders = [], []

    def make(settings=None):
        folders.append(tempfile.TemporaryDirectory(prefix="postern-e2e-"))
        made.append(Stage(folders[-1].name, settings))
        return made[-1]

    yield make
    for stage_ in made:
        stage_.close()
    for folder in folders:
        folder.cleanup()
