#pragma once
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace postern::test {

// S/MIME messages made by OpenSSL's own CMS code, for tests of those who look at them.
class SealedSample {
public:
  enum class Key { Rsa, Ec };

  explicit SealedSample(const std::vector<Key>& recipients = {Key::Rsa}) {
    for (const auto kind : recipients) addRecipient(kind);
  }

  // The CMS object in DER or, with CMS_STREAM among the flags, in BER with indefinite lengths.
  std::string object(const std::string& content, const EVP_CIPHER* cipher = EVP_aes_256_cbc(),
                     unsigned flags = 0) const {
    std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> stack(sk_X509_new_null(),
                                                                     [](STACK_OF(X509) * s) { sk_X509_free(s); });
    for (const auto& certificate : certificates_) sk_X509_push(stack.get(), certificate.get());
    const std::unique_ptr<BIO, int (*)(BIO*)> in(BIO_new_mem_buf(content.data(), static_cast<int>(content.size())),
                                                 &BIO_free);
    const std::unique_ptr<CMS_ContentInfo, void (*)(CMS_ContentInfo*)> cms(
        CMS_encrypt(stack.get(), in.get(), cipher, CMS_BINARY | flags), &CMS_ContentInfo_free);
    const std::unique_ptr<BIO, int (*)(BIO*)> out(BIO_new(BIO_s_mem()), &BIO_free);
    if (!cms || i2d_CMS_bio_stream(out.get(), cms.get(), in.get(), static_cast<int>(CMS_BINARY | flags)) != 1)
      throw std::runtime_error("cannot make a CMS object");
    char* bytes = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &bytes);
    return {bytes, static_cast<std::size_t>(size)};
  }

  static std::string base64(const std::string& bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    text.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                                         reinterpret_cast<const unsigned char*>(bytes.data()),
                                                         static_cast<int>(bytes.size()))));
    std::string lines;
    for (std::size_t i = 0; i < text.size(); i += 76) lines.append(text, i, 76).append("\r\n");
    return lines;
  }

  static std::string header(const std::string& smimeType = "enveloped-data") {
    return "Date: Sun, 1 Mar 2026 12:00:00 +0000\r\nFrom: Ann via board <board@lists.example>\r\n"
           "To: board@lists.example\r\nSubject: [...]\r\nMessage-ID: <1@lists.example>\r\n"
           "List-Id: <board.lists.example>\r\nPrecedence: list\r\nX-Loop: board@lists.example\r\nMIME-Version: 1.0\r\n"
           "Content-Type: application/pkcs7-mime; smime-type=" +
           smimeType +
           ";\r\n name=\"smime.p7m\"\r\n"
           "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=smime.p7m\r\n\r\n";
  }

  static std::string text(std::size_t size) {
    std::string content = "Content-Type: text/plain\r\nSubject: budget\r\n\r\n";
    while (content.size() < size) content += "The canary sings in the mine, and everybody listens to it.\r\n";
    return content;
  }

private:
  void addRecipient(Key kind) {
    std::shared_ptr<EVP_PKEY> key(kind == Key::Rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"), &EVP_PKEY_free);
    std::shared_ptr<X509> certificate(X509_new(), &X509_free);
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), static_cast<long>(certificates_.size()) + 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("member"), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    certificates_.push_back(certificate);
  }

  std::vector<std::shared_ptr<X509>> certificates_;
};

}  // namespace postern::test
