"""Members of lists that come from a real LDAP directory (slapd), more than it gives at once: pain 14 of the list servers."""
import pytest
from sitekit import Refused, wait_until
from test_lookups import BASE, PASSWORD, Slapd

LIST, PEOPLE = "staff@lists.example", 1200


def person(number):
    return f"p{number:04d}@example.org"


class Staff(Slapd):
    """A directory with a large group. The clerk may page through all of it, the guest gets 500 entries and no more."""

    def __init__(self, folder):
        super().__init__(folder)
        conf = self.folder / "slapd.conf"
        readers = [f'dn.exact="cn={name},{BASE}"' for name in ("clerk", "guest")]
        conf.write_text(conf.read_text().replace(
            "access to * by anonymous auth by * none",
            f"access to * {' '.join(f'by {reader} read' for reader in readers)} by anonymous auth by * none\n"
            f"limits {readers[0]} size.soft=500 size.hard=500 size.prtotal=unlimited\n"
            f"limits {readers[1]} size.soft=500 size.hard=500 size.prtotal=hard"))
        for name in ("clerk", "guest"):
            self.add(f"dn: cn={name},{BASE}\nobjectClass: inetOrgPerson\ncn: {name}\nsn: {name}\nuserPassword: {PASSWORD}\n")
        self.add("\n".join(f"dn: cn=Person {i},{BASE}\nobjectClass: inetOrgPerson\ncn: Person {i}\nsn: {i}\nmail: {person(i)}\n"
                           f"departmentNumber: {i % 2}\nmail: other{i}@elsewhere.example\n" for i in range(PEOPLE)))


@pytest.fixture(scope="module")
def scene(stage, tmp_path_factory):
    slapd = Staff(tmp_path_factory.mktemp("ldap"))
    slapd.start()
    stage.make_list(LIST, [], secure=False)
    secret = slapd.folder / "password"
    secret.write_text(PASSWORD + "\n")
    for name in ("clerk", "guest"):
        stage.site.cli("directory", "add", name, slapd.url, "example.org", "--base", BASE, "--bind", f"cn={name},{BASE}",
                       "--password-file", str(secret), "--authorities", str(slapd.authority))
    try:
        yield stage.site, slapd
    finally:
        slapd.stop()


def total(site):
    return site.cli("member", "list", LIST, "--limit", "1")["total"]


def test_a_group_that_is_larger_than_a_page_comes_whole_or_not_at_all(scene):
    site, slapd = scene
    site.cli("source", "set", LIST, "guest", "--filter", "(mail=*)")
    with pytest.raises(Refused) as refused:
        site.cli("source", "run", LIST)
    assert "limit of its own" in refused.value.error
    site.cli("source", "set", LIST, "clerk", "--filter", "(mail=*)")
    tried = site.cli("source", "run", LIST, "--dry-run")
    assert tried["added"] + tried["skipped"] == PEOPLE and tried["removed"] == 0
    # The minute's work may have taken them by now: a source is asked soon after it was set.
    site.cli("source", "run", LIST)
    assert total(site) == PEOPLE
    shown = site.cli("source", "show", LIST)
    assert shown["state"] == "ok" and PASSWORD not in str(shown)
    names = {member["name"] for member in site.cli("member", "list", LIST, "--filter", person(7))["items"]}
    assert names == {"Person 7"}


def test_filters_choose_and_a_wrong_one_takes_nobody_off(scene):
    site, slapd = scene
    site.cli("source", "set", LIST, "clerk", "--filter", "(departmentNumber=1)")
    with pytest.raises(Refused) as refused:
        site.cli("source", "run", LIST)
    assert "more than 20 %" in refused.value.error and total(site) == PEOPLE
    assert site.cli("source", "run", LIST, "--confirmed")["removed"] == PEOPLE // 2
    assert total(site) == PEOPLE // 2
    site.cli("source", "set", LIST, "clerk", "--filter", "(departmentNumber=7)")
    with pytest.raises(Refused) as refused:
        site.cli("source", "run", LIST, "--confirmed")
    assert "nobody in the directory" in refused.value.error and total(site) == PEOPLE // 2


def test_a_directory_that_is_away_takes_nobody_off(scene):
    site, slapd = scene
    slapd.stop()
    with pytest.raises(Refused):
        site.cli("source", "run", LIST, "--confirmed")
    assert total(site) == PEOPLE // 2
    wait_until(lambda: site.cli("source", "show", LIST)["state"] == "failed", "the failure is told")
    site.cli("source", "remove", LIST)
    assert total(site) == PEOPLE // 2
