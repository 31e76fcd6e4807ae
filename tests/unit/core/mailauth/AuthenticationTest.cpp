#include "core/mailauth/Authentication.h"
#include "tests/unit/core/mailauth/FakeDns.h"

using namespace postern;
using namespace postern::mailauth;

namespace {

SpfResult spfOf(SpfOutcome outcome, std::string domain) {
  SpfResult result;
  result.outcome = outcome;
  result.domain = std::move(domain);
  return result;
}

DkimResult dkimOf(DkimOutcome outcome, std::string domain) {
  DkimResult result;
  result.outcome = outcome;
  result.domain = std::move(domain);
  return result;
}

struct Fixture {
  FakeDns dns;
  DmarcResult check(const std::string& author, const std::string& spfDomain, const std::string& dkimDomain) {
    return checkDmarc(dns, author, spfOf(SpfOutcome::Pass, spfDomain), {dkimOf(DkimOutcome::Pass, dkimDomain)});
  }
};

bool forged(const std::string& value) {
  const auto message = "Authentication-Results:" + value + "\r\n\r\n";
  return isForged(mail::HeaderBlock::scan(message)->fields()[0], "mx.lists.example");
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(core_mailauth_Authentication, Fixture)

BOOST_AUTO_TEST_CASE(dmarc_aligns_within_the_organisation_or_strictly) {
  dns.add("_dmarc.example.org", "TXT", "v=DMARC1; p=reject");
  BOOST_TEST(check("example.org", "bounce.example.org", "x.test").bySpf);
  BOOST_TEST(check("news.example.org", "x.test", "mail.example.org").byDkim);
  BOOST_TEST((check("example.org", "notexample.org", "org").outcome == DmarcOutcome::Fail));
  dns.zone["_dmarc.example.org"]["TXT"] = {"v=DMARC1; p=reject; adkim=s; aspf=s"};
  BOOST_TEST((check("example.org", "bounce.example.org", "mail.example.org").outcome == DmarcOutcome::Fail));
  BOOST_TEST((check("example.org", "x.test", "example.org").outcome == DmarcOutcome::Pass));
}

BOOST_AUTO_TEST_CASE(dmarc_takes_the_policy_of_subdomains_and_of_tests) {
  dns.add("_dmarc.example.org", "TXT", "v=DMARC1; p=reject; sp=quarantine; np=reject");
  dns.add("real.example.org", "A", "192.0.2.1");
  BOOST_TEST((check("real.example.org", "x.test", "x.test").policy == DmarcPolicy::Quarantine));
  BOOST_TEST((check("ghost.example.org", "x.test", "x.test").policy == DmarcPolicy::Reject));
  dns.zone["_dmarc.example.org"]["TXT"] = {"v=DMARC1; p=reject; t=y"};
  BOOST_TEST((check("example.org", "x.test", "x.test").policy == DmarcPolicy::Quarantine));
}

BOOST_AUTO_TEST_CASE(dmarc_stops_at_a_public_suffix) {
  dns.add("_dmarc.co.test", "TXT", "v=DMARC1; p=reject; psd=y");
  const auto result = check("a.co.test", "b.co.test", "b.co.test");
  BOOST_TEST(result.organization == "a.co.test");
  BOOST_TEST((result.outcome == DmarcOutcome::Fail));
  BOOST_TEST((result.policy == DmarcPolicy::Reject));
}

BOOST_AUTO_TEST_CASE(dmarc_walks_a_long_name_in_eight_questions) {
  check("a.b.c.d.e.f.g.h.i.j.k.l.m.example.org", "x.test", "x.test");
  BOOST_TEST(dns.asked == 8u);
}

BOOST_AUTO_TEST_CASE(dmarc_tells_a_dead_dns_and_two_records) {
  dns.failing.insert("_dmarc.example.org");
  BOOST_TEST((check("example.org", "x.test", "x.test").outcome == DmarcOutcome::TempError));
  dns.failing.clear();
  dns.add("_dmarc.example.org", "TXT", "v=DMARC1; p=reject");
  dns.add("_dmarc.example.org", "TXT", "v=DMARC1; p=none");
  BOOST_TEST((check("example.org", "x.test", "x.test").outcome == DmarcOutcome::None));
}

BOOST_AUTO_TEST_CASE(dmarc_passes_by_the_authors_own_record_when_a_name_above_fails) {
  dns.add("_dmarc.example.org", "TXT", "v=DMARC1; p=reject");
  dns.failing.insert("_dmarc.org");
  BOOST_TEST((check("example.org", "x.test", "example.org").outcome == DmarcOutcome::Pass));
  BOOST_TEST(check("example.org", "x.test", "mail.example.org").byDkim);
  BOOST_TEST((check("example.org", "x.test", "x.test").outcome == DmarcOutcome::TempError));
}

BOOST_AUTO_TEST_CASE(fields_that_claim_to_be_ours_are_forged) {
  BOOST_TEST(forged(" mx.lists.example; spf=pass"));
  BOOST_TEST(forged(" MX.Lists.Example 1; spf=pass"));
  BOOST_TEST(forged(" (a (nested) comment) \"mx.lists.example\" (x); spf=pass"));
  BOOST_TEST(forged(" mx.lists.example.; spf=pass"));
  BOOST_TEST(forged(" \"MX.lists.example.\" (x) 1; spf=pass"));
  BOOST_TEST(!forged(" other.mx.lists.example.; spf=pass"));
  BOOST_TEST(forged("\r\n\tmx.lists.example;\r\n\tspf=pass"));
  BOOST_TEST(forged(" ; spf=pass"));
  BOOST_TEST(forged(" other.example mx.lists.example; spf=pass"));
  BOOST_TEST(forged(" (never closed mx.lists.example; spf=pass"));
  BOOST_TEST(!forged(" other.example; spf=pass"));
}

BOOST_AUTO_TEST_CASE(takes_forged_fields_out_and_nothing_else) {
  const std::string message =
      "Received: x\r\nauthentication-results: mx.lists.example; dkim=pass\r\n\t header.d=bank.example\r\n"
      "Authentication-Results: other.example; none\r\nFrom: a@b.example\r\n\r\nbody\r\n";
  const auto header = mail::HeaderBlock::scan(message);
  BOOST_TEST(withoutForged(message, *header, "mx.lists.example") ==
             "Received: x\r\nAuthentication-Results: other.example; none\r\nFrom: a@b.example\r\n\r\nbody\r\n");
}

BOOST_AUTO_TEST_CASE(what_a_sender_chose_breaks_out_of_nothing) {
  Authentication results;
  results.dkim = {dkimOf(DkimOutcome::Fail, "evil.example; dkim=pass")};
  const auto field = authenticationResults("mx.lists.example", results, "\"a; dmarc=pass\r\nX: y\"@evil.example", "h");
  const auto header = mail::HeaderBlock::scan(field);
  BOOST_TEST(header->fields().size() == 1u);
  BOOST_TEST(field.find("; dkim=pass") == field.find("\"evil.example; dkim=pass\"") + 13);
  BOOST_TEST(field.find("\r\nX:") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(spf_bombs_end_after_few_questions) {
  for (int i = 0; i < 40; ++i)
    dns.add("b" + std::to_string(i) + ".test", "TXT",
            "v=spf1 include:b" + std::to_string(i + 1) + ".test include:b" + std::to_string(i + 2) + ".test -all");
  const auto result = checkSpf(dns, {"192.0.2.1", "a@b0.test", "h.test", "r.test"});
  BOOST_TEST((result.outcome == SpfOutcome::PermError));
  BOOST_TEST(dns.asked <= 12u);
}

BOOST_AUTO_TEST_CASE(a_strangers_failed_key_leaves_nothing_open) {
  dns.add("_dmarc.example.org", "TXT", "v=DMARC1; p=reject");
  const auto stranger = dkimOf(DkimOutcome::TempError, "slow.test");
  const auto none = spfOf(SpfOutcome::None, "");
  const auto judge = [&](const SpfResult& spf, const std::vector<DkimResult>& dkim) {
    return checkDmarc(dns, "example.org", spf, dkim);
  };
  BOOST_TEST((judge(none, {stranger}).outcome == DmarcOutcome::Fail));
  BOOST_TEST(!judge(none, {stranger}).undecided);
  const auto proven = judge(none, {stranger, dkimOf(DkimOutcome::Pass, "mail.example.org")});
  BOOST_TEST((proven.outcome == DmarcOutcome::Pass));
  BOOST_TEST(!proven.undecided);
  BOOST_TEST(!judge(spfOf(SpfOutcome::TempError, "slow.test"), {}).undecided);
  // Those that might speak for the author do.
  BOOST_TEST(judge(none, {dkimOf(DkimOutcome::TempError, "mail.example.org")}).undecided);
  BOOST_TEST((judge(spfOf(SpfOutcome::TempError, "example.org"), {}).outcome == DmarcOutcome::TempError));
  BOOST_TEST(!judge(spfOf(SpfOutcome::TempError, "example.org"), {dkimOf(DkimOutcome::Pass, "example.org")}).undecided);
  // Without a record, too.
  BOOST_TEST(!checkDmarc(dns, "plain.test", none, {stranger}).undecided);
  BOOST_TEST(checkDmarc(dns, "plain.test", none, {dkimOf(DkimOutcome::TempError, "plain.test")}).undecided);
}

BOOST_AUTO_TEST_CASE(an_organisation_that_cannot_be_found_leaves_it_open) {
  dns.add("_dmarc.news.example.org", "TXT", "v=DMARC1; p=reject");
  dns.failing.insert("_dmarc.example.org");
  const auto result = checkDmarc(dns, "news.example.org", spfOf(SpfOutcome::Pass, "example.org"), {});
  BOOST_TEST((result.outcome == DmarcOutcome::TempError));
  BOOST_TEST(!checkDmarc(dns, "news.example.org", spfOf(SpfOutcome::Fail, "example.org"), {}).undecided);
}

BOOST_AUTO_TEST_CASE(a_sealers_word_for_the_author_is_read_strictly) {
  const auto says = [](const std::string& rest) {
    return saysDmarcPassed(" i=1; mx.partner.test;" + rest, "example.org");
  };
  BOOST_TEST(says(" dmarc=pass header.from=example.org"));
  BOOST_TEST(says("\r\n\tspf=fail smtp.mailfrom=a@x.test;\r\n\tdmarc=pass (p=reject) header.from=Example.ORG"));
  for (const auto* rest :
       {"", " dmarc=fail header.from=example.org", " dmarc=pass header.from=example.org.evil.test", " dmarc=pass",
        " dmarc=pass header.from=evil.test; dmarc=fail header.from=example.org",
        " dmarc=pass header.from=example.org; dmarc=pass header.from=example.org",
        " (dmarc=pass header.from=example.org)", " spf=pass reason=\"; dmarc=pass header.from=example.org\"",
        " dmarc=pass (header.from=example.org)", " dkim=none dmarc=pass header.from=example.org",
        " dmarc=pass header.from=example.org (open", " dmarc=pass header.from=\"example.org\"",
        " dmarc=pass) header.from=example.org"})
    BOOST_TEST(!says(rest), rest);
  BOOST_TEST(!saysDmarcPassed(" dmarc=pass header.from=example.org; mx.partner.test", "example.org"));
}

BOOST_AUTO_TEST_CASE(a_dead_dns_leaves_the_author_undecided) {
  dns.failing = {"example.org", "_dmarc.example.org"};
  const std::string message = "From: a@example.org\r\n\r\nx\r\n";
  const auto header = mail::HeaderBlock::scan(message);
  const auto results =
      authenticate(dns, *header, {{"192.0.2.1", "a@example.org", "h.test", "r.test"}, message, "example.org", 0});
  BOOST_TEST(!results.authorProven());
  BOOST_TEST(results.undecided());
}

BOOST_AUTO_TEST_SUITE_END()
