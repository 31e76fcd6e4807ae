// Files of certificates as CAs and strangers make them: bounded, never with a private key.
#include "core/crypto/CertificateBundle.h"
#include "core/crypto/CertificateRequest.h"
#include "core/crypto/Der.h"
#include "core/crypto/SigningIdentity.h"
#include "core/crypto/WebKeyDirectory.h"

using namespace postern;
using namespace postern::crypto;

namespace {

const TimePoint Now = SystemClock().now();

Certificate certificate(const std::string& address = "ann@example.org") {
  return SigningIdentity::create(address, Now, std::chrono::days(100)).certificate();
}
std::string codeOf(std::string_view bytes) {
  const auto parsed = parseCertificates(bytes);
  return parsed ? std::string() : parsed.error().code;
}
std::string p7b(const std::string& certificates) {
  const std::string signedData("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", 9),
      data("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", 9);
  using namespace der;
  return item(Sequence, item(ObjectId, signedData) +
                            item(0xA0, item(Sequence, item(Integer, std::string(1, '\1')) + item(Set, "") +
                                                          item(Sequence, item(ObjectId, data)) +
                                                          item(0xA0, certificates) + item(Set, ""))));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_crypto_CertificateBundle)

BOOST_AUTO_TEST_CASE(takes_pem_der_and_p7b) {
  const auto one = certificate(), other = certificate("bob@example.org");
  BOOST_TEST(parseCertificates(one.der())->size() == 1U);
  BOOST_TEST(parseCertificates(one.pem() + "text between\n" + other.pem())->size() == 2U);
  const auto both = parseCertificates(p7b(one.der() + other.der()));
  BOOST_REQUIRE(both);
  BOOST_TEST(both->back().fingerprint() == other.fingerprint());
}

BOOST_AUTO_TEST_CASE(refuses_too_many_and_too_much) {
  const auto one = certificate();
  std::string many;
  for (int i = 0; i < 13; ++i) many += one.der();
  BOOST_TEST(codeOf(p7b(many)) == "too-complex");
  BOOST_TEST(codeOf(std::string(300 * 1024, 'A')) == "too-large");
  BOOST_TEST(codeOf(p7b("")) == "malformed");
  BOOST_TEST(codeOf("") == "malformed");
}

BOOST_AUTO_TEST_CASE(every_cut_of_a_p7b_is_refused) {
  const auto whole = p7b(certificate().der());
  for (std::size_t size = 0; size < whole.size(); ++size) BOOST_TEST(!parseCertificates(whole.substr(0, size)));
}

BOOST_AUTO_TEST_CASE(a_certificate_belongs_to_the_key_that_was_requested_alone) {
  const auto request = makeCertificateRequest("board@lists.example");
  BOOST_TEST(request.pem.starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
  const auto own = SigningIdentity::create("board@lists.example", Now, std::chrono::days(100));
  BOOST_TEST(belongsTo(own.certificate(), own.exportPrivateKey()));
  BOOST_TEST(!belongsTo(own.certificate(), request.privateKey));
}

// A certificate of a CA by name alone does not stand in a chain.
BOOST_AUTO_TEST_CASE(a_chain_needs_the_issuer) {
  const auto leaf = certificate(), other = certificate("bob@example.org");
  const auto chain = chainOf(leaf, {leaf, other}, Now, nullptr);
  BOOST_TEST(!chain);
}

BOOST_AUTO_TEST_CASE(names_in_the_web_key_directory_are_those_of_the_draft) {
  BOOST_TEST(wkdName("Joe.Doe") == "iy9q119eutrkn8s1mk4r39qejnbu3n5q");
  BOOST_TEST(wkdName("joe.doe") == wkdName("JOE.DOE"));
}

BOOST_AUTO_TEST_SUITE_END()
