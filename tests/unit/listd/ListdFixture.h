#pragma once
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/config/SiteConfig.h"
#include "core/crypto/RecipientKey.h"
#include "listd/plan/KeyImport.h"
#include "listd/plan/MemberFacts.h"
#include "listd/plan/PlanWriter.h"
#include "listd/plan/Standing.h"
#include "listd/site/SiteContext.h"
#include "tests/support/TempFolder.h"
#include "tests/unit/core/crypto/TestCertificates.h"

// A site in a folder of its own, with certificates of members made on the spot.
namespace postern::test {

using namespace postern::listd;

inline TimePoint realNow() {
  return SystemClock().now();
}

// A certificate of a member around the given moment. EC by default, since RSA keys take long to make.
inline TestCertificate memberCertificate(const std::string& address, TimePoint now, EVP_PKEY* key = nullptr) {
  TestCertificate certificate;
  certificate.commonName = address;
  certificate.addresses = {address};
  certificate.notBefore = now - std::chrono::days(10);
  certificate.notAfter = now + std::chrono::days(300);
  certificate.key = key != nullptr ? key : testKey("P-256");
  return certificate;
}

inline config::SiteConfig siteConfig(const std::filesystem::path& folder) {
  config::SiteConfig config;
  config.dataFolder = folder;
  config.hostName = "mail.lists.example";
  config.minFreeSpace = 1 << 20;
  return config;
}

// What a list goes by that takes S/MIME and nothing else.
inline LadderRules onlySmime() {
  LadderRules rules;
  rules.floor = app::Protection::Smime;
  rules.rungs = {app::Protection::Smime};
  return rules;
}

// A list with a real signing certificate, and its domain. Without `protection` it takes S/MIME only.
inline List makeList(SiteContext& context, const std::string& address, bool secure,
                     const std::optional<ListProtection>& protection = std::nullopt) {
  List list;
  list.address = address;
  list.domain = address.substr(address.find('@') + 1);
  list.secure = secure;
  if (protection)
    list.protection = *protection;
  else if (secure)
    list.protection.floor = app::Protection::Smime;
  list.createdAt = context.clock.now();
  const auto identity = crypto::SigningIdentity::create(address, list.createdAt, std::chrono::days(365));
  list.certificate = identity.certificate().der();
  list.fingerprint = identity.certificate().fingerprint();
  list.certificateEnds = identity.certificate().notAfter();
  context.site.write([&](SiteTables& tables) {
    if (!tables.domains.find(list.domain)) tables.domains.add({list.domain, "list", list.createdAt, 0});
    list.id = tables.lists.add(list);
  });
  context.keys.storeSigningKey(list.id, ListSigningKey, identity.exportPrivateKey());
  return list;
}

inline void addMember(SiteContext& context, const List& list, const std::string& address) {
  context.site.write([&](SiteTables& tables) {
    Member member;
    member.listId = list.id;
    member.address = address;
    member.joinedAt = context.clock.now();
    tables.members.add(member, decideFor(tables, rulesOf(tables, list), address, std::nullopt, context.clock.now()));
  });
}

inline MemberKey addKey(SiteContext& context, const TestCertificate& certificate) {
  const auto& address = certificate.addresses.front();
  auto key = importKey(certificate.der(), address, context.clock.now(), nullptr);
  BOOST_REQUIRE_MESSAGE(key.has_value(), (key.has_value() ? std::string() : key.error().message));
  context.site.write([&](SiteTables& tables) {
    tables.keys.add(*key);
    refreshStanding(tables, address, context.clock.now());
  });
  return *key;
}

// A message as the gateway hands it on.
inline app::Submission submissionTo(const std::vector<std::string>& recipients, const std::string& from,
                                    const std::string& subject, const std::string& body) {
  static std::atomic<int> number = 0;
  app::Submission submission;
  submission.mailFrom = from;
  submission.recipients = recipients;
  submission.clientAddress = "192.0.2.1";
  submission.receivedAt = realNow();
  submission.queueId = "Q" + std::to_string(++number) + "x" + std::to_string(toMicros(realNow()));
  submission.content = "Received: from a by b; Sun, 01 Mar 2026 12:00:00 +0000\r\nFrom: Ann <" + from +
                       ">\r\nTo: " + recipients.front() + "\r\nSubject: " + subject +
                       "\r\nDate: Sun, 01 Mar 2026 12:00:00 +0000\r\nMessage-ID: <" + submission.queueId +
                       "@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n" + body + "\r\n";
  return submission;
}

// Every file below the folder that holds the bytes.
inline std::vector<std::string> filesWith(const std::filesystem::path& folder, const std::string& bytes) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && files::read(entry.path()).find(bytes) != std::string::npos)
      found.push_back(entry.path().string());
  return found;
}

// Waits for what other threads do; false after 20 s.
template <class Condition>
bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace postern::test
