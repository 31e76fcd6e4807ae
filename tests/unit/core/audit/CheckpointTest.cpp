#include "core/audit/Checkpoint.h"
#include "core/audit/LogEntry.h"
#include "core/audit/Merkle.h"
#include "core/crypto/Encoding.h"

using namespace postern;
using namespace postern::audit;

namespace {

const SignerKey& testKey() {
  static const SignerKey key("mail.example/audit/0123", Secret(std::string(32, 'k')));
  return key;
}

Checkpoint checkpointOf(std::uint64_t size) {
  return {testKey().verifier().name(), size, leafHash("root")};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_audit_Checkpoint)

// The example of the Go package golang.org/x/mod/sumdb/note, which defined the form.
BOOST_AUTO_TEST_CASE(a_key_and_a_signature_of_another_program_are_understood) {
  const std::string text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
  const auto key = VerifierKey::parse(text);
  BOOST_REQUIRE(key.has_value());
  BOOST_TEST(key->text() == text);
  const auto signature = crypto::fromBase64(
      "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=");
  const std::string message =
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
  BOOST_TEST(key->verify(message, signature->substr(4)));
  BOOST_TEST(!key->verify(message + "x", signature->substr(4)));
  BOOST_TEST(!VerifierKey::parse("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").has_value());
}

BOOST_AUTO_TEST_CASE(a_signed_checkpoint_reads_back_and_names_its_signer) {
  const auto note = testKey().sign(checkpointOf(42));
  const auto parsed = parseCheckpoint(note);
  BOOST_REQUIRE(parsed.has_value());
  BOOST_TEST(parsed->checkpoint.size == 42u);
  BOOST_TEST(parsed->checkpoint.origin == "mail.example/audit/0123");
  BOOST_TEST(parsed->checkpoint.root == leafHash("root"));
  BOOST_TEST(parsed->isSignedBy(testKey().verifier()));
  BOOST_TEST(!parsed->isSignedBy(SignerKey::generate("mail.example/audit/0123").verifier()));
  BOOST_TEST(!parsed->isSignedByOne({}));
  auto forged = note;
  forged.replace(forged.find("42"), 2, "43");
  BOOST_TEST(!parseCheckpoint(forged)->isSignedBy(testKey().verifier()));
}

BOOST_AUTO_TEST_CASE(what_is_no_checkpoint_is_refused) {
  const auto note = testKey().sign(checkpointOf(42));
  const auto root = crypto::base64(leafHash("root"));
  const std::vector<std::string> wrong = {std::string(),
                                          note.substr(0, note.size() - 1),
                                          note.substr(0, 20),
                                          "x\n\n" + note.substr(1),
                                          note + "x\n",
                                          "o\n-1\n" + root + "\n\n\xE2\x80\x94 o QUFBQUE=\n",
                                          "o\n01\n" + root + "\n\n\xE2\x80\x94 o QUFBQUE=\n",
                                          "o\n1\nAAAA\n\n\xE2\x80\x94 o QUFBQUE=\n",
                                          "o\n1\n" + root + "\n\n",
                                          std::string(70000, '\n')};
  for (const auto& text : wrong) BOOST_TEST(!parseCheckpoint(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(an_entry_reads_back_and_every_other_length_is_refused) {
  EntryView entry;
  entry[Field::Version] = EntryVersion;
  entry[Field::Seq] = "7";
  entry[Field::Detail] = R"({"to":"x"})";
  const auto bytes = canonicalBytes(entry);
  const auto parsed = parseEntry(bytes);
  BOOST_REQUIRE(parsed.has_value());
  BOOST_TEST(parsed->number(Field::Seq) == 7u);
  BOOST_TEST(detailOf(*parsed, "to").value() == "x");
  BOOST_TEST(!detailOf(*parsed, "from").has_value());
  for (std::size_t size = 0; size < bytes.size(); ++size) BOOST_TEST(!parseEntry(bytes.substr(0, size)).has_value());
  BOOST_TEST(!parseEntry(bytes + "x").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
