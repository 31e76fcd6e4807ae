#pragma once
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

namespace postern::test {

// A throw-away CA and server certificates from it, for TLS tests. The CA's certificate is a PEM file below /tmp that
// goes with the object.
class TlsTestCertificates {
public:
  struct Server {
    std::shared_ptr<X509> certificate;
    std::shared_ptr<EVP_PKEY> key;
  };

  TlsTestCertificates() : caKey_(makeKey()) {
    ca_ = makeCertificate("Test CA", "", caKey_, 0, 3600, nullptr, nullptr);
    char folder[] = "/tmp/postern-tls-XXXXXX";
    if (::mkdtemp(folder) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = folder;
    const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(caFile().c_str(), "w"), &std::fclose);
    if (!file || PEM_write_X509(file.get(), ca_.get()) != 1) throw std::runtime_error("cannot write the CA");
  }
  ~TlsTestCertificates() { std::filesystem::remove_all(folder_); }
  TlsTestCertificates(const TlsTestCertificates&) = delete;

  std::filesystem::path caFile() const { return folder_ / "ca.pem"; }

  Server server(const std::string& host) const { return make(host, -60, 3600, true); }
  Server expired(const std::string& host) const { return make(host, -7200, -3600, true); }
  // DER of a certificate, and of its public key, for TLSA records.
  static std::string derOf(X509* certificate) {
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(certificate, &bytes);
    std::string der(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    return der;
  }
  static std::string publicKeyOf(X509* certificate) {
    unsigned char* bytes = nullptr;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &bytes);
    std::string der(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    return der;
  }
  X509* authority() const { return ca_.get(); }
  Server selfSigned(const std::string& host) const { return make(host, -60, 3600, false); }

private:
  Server make(const std::string& host, long from, long until, bool signedByCa) const {
    auto key = makeKey();
    auto certificate = makeCertificate(host, host, key, from, until, signedByCa ? ca_.get() : nullptr,
                                       signedByCa ? caKey_.get() : nullptr);
    return {certificate, key};
  }

  static std::shared_ptr<EVP_PKEY> makeKey() { return {EVP_EC_gen("P-256"), &EVP_PKEY_free}; }

  static std::shared_ptr<X509> makeCertificate(const std::string& name, const std::string& host,
                                               const std::shared_ptr<EVP_PKEY>& key, long from, long until,
                                               X509* issuer, EVP_PKEY* issuerKey) {
    std::shared_ptr<X509> certificate(X509_new(), &X509_free);
    static long serial = 1;
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), until);
    X509_set_pubkey(certificate.get(), key.get());
    auto* subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1,
                               -1, 0);
    X509_set_issuer_name(certificate.get(), issuer ? X509_get_subject_name(issuer) : subject);
    addExtension(certificate.get(), NID_basic_constraints, host.empty() ? "critical,CA:TRUE" : "CA:FALSE");
    if (!host.empty()) addExtension(certificate.get(), NID_subject_alt_name, "DNS:" + host);
    X509_sign(certificate.get(), issuerKey ? issuerKey : key.get(), EVP_sha256());
    return certificate;
  }

  static void addExtension(X509* certificate, int nid, const std::string& value) {
    auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  std::shared_ptr<EVP_PKEY> caKey_;
  std::shared_ptr<X509> ca_;
  std::filesystem::path folder_;
};

}  // namespace postern::test
