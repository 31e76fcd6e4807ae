#include "core/crypto/Encoding.h"
#include "core/mailauth/Authentication.h"
#include "tests/unit/core/mailauth/FakeDns.h"

using namespace postern;
using namespace postern::mailauth;

namespace {

constexpr long long Now = 1'700'000'000;

// RFC 8463, appendix A.
const std::string PublishedMessage =
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
    " d=football.example.com; i=@football.example.com;\r\n"
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
    " subject : date : message-id : from : subject : date;\r\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
    " d=football.example.com; i=@football.example.com;\r\n"
    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
    " date : message-id : from : subject : date;\r\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"
    " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"
    " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
    "From: Joe SixPack <joe@football.example.com>\r\n"
    "To: Suzie Q <suzie@shopping.example.net>\r\n"
    "Subject: Is dinner ready?\r\n"
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
    "\r\n"
    "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";

const std::string Plain =
    "From: Ann <ann@example.org>\r\nTo: board@lists.example\r\nSubject: budget\r\nDate: Mon, 2 Jan 2023 10:00:00 "
    "+0000\r\n"
    "Message-ID: <1@example.org>\r\n\r\nThe  numbers \r\n\r\n\r\n";

struct Signed {
  FakeDns dns;
  SigningKey key;

  explicit Signed(KeyKind kind = KeyKind::Ed25519) : key(SigningKey::create(kind)) {
    dns.add("s1._domainkey.example.org", "TXT", key.record());
  }
  std::string sign(const std::string& message = Plain) const {
    const auto header = mail::HeaderBlock::scan(message);
    const auto digest = bodyHash(std::string_view(message).substr(header->bodyOffset()), Canonical::Relaxed);
    return DkimSigner{"example.org", "s1", key}.sign(*header, digest, Now) + message;
  }
  // A signature as an attacker wants it: his choice of tags, with a right hash and a right "b".
  std::string signWith(const std::string& tags, const std::vector<std::string>& names, std::string_view body) const {
    const auto header = mail::HeaderBlock::scan(Plain);
    std::string list;
    for (const auto& name : names) list += (list.empty() ? "" : ":") + name;
    const auto field = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.org; s=s1; " + tags +
                       "h=" + list + "; bh=" + crypto::base64(bodyHash(body, Canonical::Relaxed)) + "; b=";
    const auto bytes =
        canonicalHeader(*header, names, Canonical::Relaxed) + canonicalField(field + "\r\n", Canonical::Relaxed);
    return field + crypto::base64(key.sign(bytes.substr(0, bytes.size() - 2))) + "\r\n";
  }
  std::vector<DkimResult> verify(const std::string& message, long long now = Now) {
    const auto header = mail::HeaderBlock::scan(message);
    return verifyDkim(dns, *header, std::string_view(message).substr(header->bodyOffset()), now);
  }
};

bool is(const std::vector<DkimResult>& results, DkimOutcome outcome) {
  return results.size() == 1 && results[0].outcome == outcome;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_mailauth_Dkim)

BOOST_AUTO_TEST_CASE(verifies_both_published_signatures_of_rfc_8463) {
  Signed site;
  site.dns.add("brisbane._domainkey.football.example.com", "TXT",
               "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
  site.dns.add(
      "test._domainkey.football.example.com", "TXT",
      "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/"
      "J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTI"
      "KT+l/K4w3QIDAQAB");
  const auto results = site.verify(PublishedMessage);
  BOOST_REQUIRE(results.size() == 2u);
  for (const auto& one : results)
    BOOST_CHECK_MESSAGE(one.outcome == DkimOutcome::Pass, one.algorithm << ": " << one.reason);
}

// RFC 6376, appendix A.3 (its text has one blank too many in the body: the published hash is that of one).
BOOST_AUTO_TEST_CASE(verifies_the_published_signature_of_rfc_6376) {
  Signed site;
  site.dns.add("brisbane._domainkey.example.com", "TXT",
               "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/"
               "zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9"
               "tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB");
  const std::string message =
      "DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;\r\n"
      "      c=simple/simple; q=dns/txt; i=joe@football.example.com;\r\n"
      "      h=Received : From : To : Subject : Date : Message-ID;\r\n"
      "      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
      "      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB\r\n"
      "      4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut\r\n"
      "      KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV\r\n"
      "      4bmp/YzhwvcubU4=;\r\n"
      "Received: from client1.football.example.com  [192.0.2.1]\r\n"
      "      by submitserver.example.com with SUBMISSION;\r\n"
      "      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)\r\n"
      "From: Joe SixPack <joe@football.example.com>\r\n"
      "To: Suzie Q <suzie@shopping.example.net>\r\n"
      "Subject: Is dinner ready?\r\n"
      "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
      "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
      "\r\n"
      "Hi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n";
  const auto good = site.verify(message);
  BOOST_REQUIRE(good.size() == 1u);
  BOOST_CHECK_MESSAGE(good[0].outcome == DkimOutcome::Pass, good[0].reason);
  auto changed = message;
  changed.replace(changed.find("dinner"), 6, "supper");
  BOOST_TEST((site.verify(changed)[0].outcome == DkimOutcome::Fail));
}

BOOST_AUTO_TEST_CASE(canonical_forms_are_those_of_rfc_6376) {
  const std::string header = "A: X\r\nB : Y\t\r\n\tZ  \r\n";  // §3.4.5
  const auto block = mail::HeaderBlock::scan(header);
  BOOST_TEST(canonicalHeader(*block, {"a", "b"}, Canonical::Relaxed) == "a:X\r\nb:Y Z\r\n");
  BOOST_TEST(canonicalHeader(*block, {"a", "b"}, Canonical::Simple) == header);
  const auto body = " C \r\nD \t E\r\n\r\n\r\n";
  BOOST_TEST(bodyHash(body, Canonical::Relaxed) == bodyHash(" C\r\nD E\r\n", Canonical::Simple));
  BOOST_TEST(bodyHash(body, Canonical::Simple) == bodyHash(" C \r\nD \t E\r\n", Canonical::Simple));
  // §3.4.3 and §3.4.4: of no body.
  BOOST_TEST(crypto::base64(bodyHash("", Canonical::Simple)) == "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=");
  BOOST_TEST(crypto::base64(bodyHash("", Canonical::Relaxed)) == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

BOOST_AUTO_TEST_CASE(verifies_what_it_signs_with_rsa_and_ed25519) {
  for (const auto kind : {KeyKind::Rsa, KeyKind::Ed25519}) {
    Signed site(kind);
    BOOST_TEST(is(site.verify(site.sign()), DkimOutcome::Pass));
  }
}

BOOST_AUTO_TEST_CASE(survives_what_relaxed_allows_and_nothing_else) {
  Signed site;
  auto message = site.sign();
  auto spaced = message;
  spaced.replace(spaced.find("Subject: budget"), 15, "SUBJECT:   budget  ");
  spaced.replace(spaced.find("The  numbers \r\n\r\n\r\n"), 19, "The numbers\r\n");
  BOOST_TEST(is(site.verify(spaced), DkimOutcome::Pass));
  auto changed = message;
  changed.replace(changed.find("budget"), 6, "salary");
  BOOST_TEST(is(site.verify(changed), DkimOutcome::Fail));
  BOOST_TEST(is(site.verify(message + "more\r\n"), DkimOutcome::Fail));
}

BOOST_AUTO_TEST_CASE(replay_with_a_second_from_or_subject_does_not_pass) {
  Signed site;
  const auto message = site.sign();
  for (const auto* added : {"From: ceo@example.org\r\n", "Subject: urgent\r\n", "Reply-To: eve@evil.example\r\n"})
    BOOST_TEST(!is(site.verify(added + message), DkimOutcome::Pass), added);
  // Also when the signer left room for it.
  const auto thin = site.signWith("", {"from", "subject"}, "The numbers\r\n") + Plain;
  BOOST_TEST(is(site.verify(thin), DkimOutcome::Pass));
  for (const auto* added : {"From: ceo@example.org\r\n", "Subject: urgent\r\n"})
    BOOST_TEST(is(site.verify(added + thin), DkimOutcome::Policy), added);
}

BOOST_AUTO_TEST_CASE(text_behind_a_length_limit_does_not_pass) {
  Signed site;
  const auto limited = site.signWith("l=13; ", {"from", "subject"}, "The numbers\r\n") + Plain;
  BOOST_TEST(is(site.verify(limited), DkimOutcome::Pass));
  BOOST_TEST(is(site.verify(limited + "<h1>Pay here</h1>\r\n"), DkimOutcome::Policy));
  const auto beyond = site.signWith("l=14; ", {"from", "subject"}, "The numbers\r\n") + Plain;
  BOOST_TEST(is(site.verify(beyond), DkimOutcome::PermError));
}

BOOST_AUTO_TEST_CASE(refuses_signatures_that_are_expired_or_malformed) {
  Signed site;
  const std::vector<std::string> names{"from", "subject"};
  BOOST_TEST(
      is(site.verify(site.signWith("t=1; x=1600000000; ", names, "The numbers\r\n") + Plain), DkimOutcome::Fail));
  BOOST_TEST(is(site.verify(site.signWith("t=9; x=8; ", names, "The numbers\r\n") + Plain), DkimOutcome::PermError));
  BOOST_TEST(is(site.verify(site.signWith("", {"subject"}, "The numbers\r\n") + Plain), DkimOutcome::PermError));
  BOOST_TEST(
      is(site.verify(site.signWith("i=a@example.net; ", names, "The numbers\r\n") + Plain), DkimOutcome::PermError));
  BOOST_TEST(
      is(site.verify(site.signWith("d=example.org; ", names, "The numbers\r\n") + Plain), DkimOutcome::PermError));
}

BOOST_AUTO_TEST_CASE(tells_a_dead_dns_from_a_missing_revoked_or_short_key) {
  Signed site;
  const auto message = site.sign();
  site.dns.zone.clear();
  site.dns.failing.insert("s1._domainkey.example.org");
  BOOST_TEST(is(site.verify(message), DkimOutcome::TempError));
  site.dns.failing.clear();
  BOOST_TEST(is(site.verify(message), DkimOutcome::PermError));
  site.dns.add("s1._domainkey.example.org", "TXT", "v=DKIM1; k=ed25519; p=");
  BOOST_TEST(is(site.verify(message), DkimOutcome::PermError));
  BOOST_TEST(site.verify(message)[0].reason == "the key is revoked");
  const crypto::PkeyPtr small(EVP_RSA_gen(768));
  std::string der(static_cast<std::size_t>(i2d_PUBKEY(small.get(), nullptr)), '\0');
  auto* at = crypto::bytesOf(der);
  i2d_PUBKEY(small.get(), &at);
  BOOST_TEST(readKeyRecord("p=" + crypto::base64(der)).problem == "the key is too short: 768 bits");
}

BOOST_AUTO_TEST_CASE(looks_at_a_limited_number_of_signatures) {
  Signed site;
  auto message = Plain;
  for (int i = 0; i < 40; ++i) message = site.signWith("", {"from"}, "The numbers\r\n") + message;
  BOOST_TEST(site.verify(message).size() == 9u);
  BOOST_TEST(site.dns.asked == 8u);
}

BOOST_AUTO_TEST_CASE(hashes_a_body_alike_in_any_pieces) {
  const std::string body = "a  b \t\r\n\r\n \r\nc\rd\r\n\r\n\r\n";
  for (const auto form : {Canonical::Simple, Canonical::Relaxed}) {
    BodyHasher pieces(form);
    for (const char c : body) pieces.update(std::string_view(&c, 1));
    BOOST_TEST(pieces.finish() == bodyHash(body, form));
  }
  // RFC 6376 §3.4.3 and §3.4.4: hashes of an empty body.
  BOOST_TEST(crypto::base64(bodyHash("", Canonical::Simple)) == "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=");
  BOOST_TEST(crypto::base64(bodyHash("", Canonical::Relaxed)) == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

BOOST_AUTO_TEST_CASE(a_key_survives_export_and_import) {
  for (const auto kind : {KeyKind::Rsa, KeyKind::Ed25519}) {
    const auto key = SigningKey::create(kind);
    BOOST_TEST(SigningKey::import(key.exportDer()).record() == key.record());
  }
}

BOOST_AUTO_TEST_SUITE_END()
