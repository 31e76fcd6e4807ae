#pragma once
#include "core/base/Files.h"
#include "core/crypto/RecipientKey.h"
#include "core/crypto/SigningIdentity.h"
#include "core/seal/SharedBody.h"
#include "core/seal/SmimeSealer.h"
#include "core/seal/SmimeSigner.h"
#include "tests/support/TempFolder.h"
#include "tests/unit/core/crypto/TestCertificates.h"

#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <string>

namespace postern::test {

// A member with a key pair and certificate of the kind "rsa2048", "P-256", …
struct Member {
  std::string address;
  X509Ptr x509;
  EVP_PKEY* privateKey;
  RecipientKey recipient;

  Member(const std::string& kind, const std::string& name, long serial, int keyNumber = 0)
      : address(name + "@example.org"), privateKey(testKey(kind, keyNumber)) {
    TestCertificate certificate;
    certificate.commonName = name;
    certificate.addresses = {address};
    certificate.key = privateKey;
    certificate.serial = serial;
    certificate.extensions = {{NID_subject_key_identifier, "hash"}};
    certificate.notBefore = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now()) -
                            std::chrono::days(1);
    certificate.notAfter = certificate.notBefore + std::chrono::days(100);
    x509 = certificate.make();
    recipient = RecipientKey::of(Certificate::parse(TestCertificate::derOf(x509.get())).value());
  }
  std::string certificatePem() const { return Certificate::parse(TestCertificate::derOf(x509.get())).value().pem(); }
};

struct Opened {
  bool parsed = false;
  bool opened = false;
  int recipients = 0;
  std::string plain;
};

// Opens a message (MIME headers, head, tail) with OpenSSL's CMS functions.
inline Opened openWithCms(const std::string& message, const Member& member) {
  Opened result;
  const auto in = readOnlyBio(message);
  const CmsPtr cms(SMIME_read_CMS(in.get(), nullptr));
  if (cms) {
    result.parsed = true;
    result.recipients = sk_CMS_RecipientInfo_num(CMS_get0_RecipientInfos(cms.get()));
    const BioPtr out(BIO_new(BIO_s_mem()));
    result.opened = CMS_decrypt(cms.get(), member.privateKey, member.x509.get(), nullptr, out.get(), CMS_BINARY) == 1;
    result.plain = contentOf(out.get());
  }
  clearOpenSslErrors();
  return result;
}

struct Run {
  int status = -1;
  std::string output;
};

// Runs a command by the shell, standard error included in the output.
inline Run run(const std::string& command) {
  Run result;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (!pipe) return result;
  std::array<char, 4096> buffer{};
  while (const auto count = fread(buffer.data(), 1, buffer.size(), pipe)) result.output.append(buffer.data(), count);
  const int status = pclose(pipe);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

}  // namespace postern::test
