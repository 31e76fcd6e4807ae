#include "core/mailauth/Dkim.h"
#include "gateway/deliver/FloorGuard.h"
#include "gateway/deliver/SignatureShape.h"

using namespace postern;
using namespace postern::gateway;

namespace {

const std::string Head =
    "From: Board <board@lists.example>\r\nTo: ann@example.org\r\nSubject: [...]\r\nDate: Mon, 2 Jan 2023 10:00:00 "
    "+0000\r\nMessage-ID: <1@lists.example>\r\n\r\ntext\r\n";

std::string sign(mailauth::KeyKind kind, const std::string& domain = "lists.example") {
  const auto header = mail::HeaderBlock::scan(Head);
  const mailauth::DkimSigner signer{domain, "p20260101r", mailauth::SigningKey::create(kind)};
  return signer.sign(*header, mailauth::bodyHash("text\r\n", mailauth::Canonical::Relaxed), 1'700'000'000);
}

std::string changed(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  BOOST_REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gateway_deliver_SignatureShape)

BOOST_AUTO_TEST_CASE(our_own_fields_are_taken_whole) {
  const auto both = sign(mailauth::KeyKind::Rsa) + sign(mailauth::KeyKind::Ed25519);
  const auto shape = takeSignatures(both + Head);
  BOOST_TEST(shape.problem == "");
  BOOST_TEST(shape.size == both.size());
  BOOST_TEST(takeSignatures(Head).size == 0u);
}

BOOST_AUTO_TEST_CASE(nothing_of_a_message_can_stand_in_one) {
  const auto field = sign(mailauth::KeyKind::Ed25519);
  for (const auto& bad :
       {changed(field, "s=p20260101r", "s=the secret_plan"), changed(field, "h=from", "h=canary:from"),
        changed(field, "t=17", "z=canary; t=17"), changed(field, "b=", "x=canary; b="),
        changed(field, "v=1", "v=1canary"), changed(field, "c=relaxed/relaxed", "c=simple/simple"),
        changed(field, "a=ed25519-sha256", "a=canary"), std::string("DKIM-Signature: canary\r\n")})
    BOOST_TEST(!takeSignatures(bad + Head).problem.empty(), bad);
  std::string many;
  for (std::size_t i = 0; i <= SignatureShape::MaxFields; ++i) many += field;
  BOOST_TEST(!takeSignatures(many + Head).problem.empty());
}

BOOST_AUTO_TEST_CASE(it_names_the_domain_of_from) {
  BOOST_TEST(!takeSignatures(sign(mailauth::KeyKind::Ed25519, "bank.example") + Head).problem.empty());
  const auto field = sign(mailauth::KeyKind::Ed25519);
  BOOST_TEST(!takeSignatures(field + "From: eve@evil.example\r\n" + Head).problem.empty());
  BOOST_TEST(!takeSignatures(field + changed(Head, "lists.example", "evil.example")).problem.empty());
}

BOOST_AUTO_TEST_CASE(a_copy_with_a_signature_of_another_form_does_not_leave) {
  const auto bad = "DKIM-Signature: v=1; canary\r\n" + Head;
  const auto result = FloorGuard::check(app::Copy::Kind::Notice, app::Protection::None, app::Protection::Smime, bad,
                                        nullptr, HopFacts{});
  BOOST_REQUIRE(!result.has_value());
  BOOST_TEST(result.error().find("signature") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
