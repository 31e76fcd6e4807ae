// Copies judged by other programs: the openssl command, gpgsm and OpenSSL's own CMS_encrypt.
#include "core/base/Error.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"
#include "core/seal/SmimeSealer.h"
#include "core/seal/SmimeSigner.h"
#include "tests/unit/core/seal/SealFixture.h"

using namespace postern;
using namespace postern::seal;
using namespace postern::test;

namespace {

const std::string Inner =
    "Content-Type: text/plain; charset=utf-8; hp=\"cipher\"\r\nContent-Transfer-Encoding: 8bit\r\n"
    "Subject: Secure: budget\r\n\r\nThe figures are gr\xc3\xb6\xc3\x9f"
    "er.\r\n.\r\nFrom here on\r\n";

const SigningIdentity& listIdentity() {
  static const auto identity = SigningIdentity::create(
      "board@lists.example", std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now()),
      std::chrono::days(100));
  return identity;
}

TimePoint now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

void store(const TempFolder& folder, const std::string& name, std::string_view content) {
  files::replaceDurably(folder / name, content);
}

// The command writes text with the line ends of its machine.
std::string withoutCr(std::string text) {
  std::erase(text, '\r');
  return text;
}

std::string quoted(const std::filesystem::path& path) {
  return "'" + path.string() + "'";
}

std::string messageOf(const SmimeSealer& sealer, const SharedBody& body, const RecipientKey& recipient) {
  return "From: board@lists.example\r\nTo: board@lists.example\r\nSubject: [...]\r\n" + sealer.head(body, recipient) +
         body.tail();
}

// What OpenSSL prints of a message, with everything random made alike.
std::string shapeOf(CMS_ContentInfo* cms) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  CMS_ContentInfo_print_ctx(out.get(), cms, 0, nullptr);
  std::string shape;
  std::string_view text = contentOf(out.get());
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto dump = line.find(" - ");  // "0000 - 30 82 …": keep the offset, so lengths count
    const auto nonce = line.find("[HEX DUMP]:");
    shape.append(line.substr(0, std::min(dump, nonce))).append("\n");
  }
  return shape;
}

CmsPtr encryptWithOpenSsl(const Member& member, const std::string& plain, ContentCipher cipher) {
  const auto content = readOnlyBio(plain);
  const auto* algorithm = cipher == ContentCipher::Gcm ? EVP_aes_256_gcm() : EVP_aes_256_cbc();
  constexpr unsigned Flags = CMS_BINARY | CMS_PARTIAL;
  CmsPtr cms(CMS_encrypt(nullptr, nullptr, algorithm, Flags));
  CMS_RecipientInfo* info = CMS_add1_recipient_cert(cms.get(), member.x509.get(), Flags | CMS_KEY_PARAM);
  BOOST_REQUIRE(info != nullptr);
  EVP_PKEY_CTX* context = CMS_RecipientInfo_get0_pkey_ctx(info);
  if (member.recipient.kind != KeyKind::Rsa) EVP_PKEY_CTX_set_ecdh_kdf_md(context, EVP_sha256());
  BOOST_REQUIRE(CMS_final(cms.get(), content.get(), nullptr, Flags) == 1);
  return cms;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_seal_SmimeOracle)

// OAEP is left out: OpenSSL omits the NULL parameters of SHA-256, RFC 4055 §2.1 wants them written.
BOOST_AUTO_TEST_CASE(copies_have_the_shape_that_openssl_gives_them) {
  const SmimeSealer sealer;
  for (const auto cipher : {ContentCipher::Cbc, ContentCipher::Gcm})
    for (const auto& kind : {"rsa2048", "rsa4096", "P-256", "P-384", "P-521"}) {
      const Member member(kind, "anna", 77);
      const auto plain = randomBytes(333);
      const auto body = SharedBody::encrypt(plain, cipher);
      const auto message = messageOf(sealer, body, member.recipient);
      const auto in = readOnlyBio(message);
      const CmsPtr ours(SMIME_read_CMS(in.get(), nullptr));
      BOOST_REQUIRE(ours.get() != nullptr);
      BOOST_TEST(shapeOf(ours.get()) == shapeOf(encryptWithOpenSsl(member, plain, cipher).get()));
    }
}

BOOST_AUTO_TEST_CASE(the_openssl_command_opens_and_verifies_copies) {
  const TempFolder folder;
  const SmimeSealer sealer;
  const auto signedEntity = SmimeSigner(listIdentity()).sign(Inner, now());
  store(folder, "list.pem", listIdentity().certificate().pem());
  for (const auto cipher : {ContentCipher::Cbc, ContentCipher::Gcm}) {
    const auto body = SharedBody::encrypt(signedEntity, cipher);
    for (const auto& kind : {"rsa2048", "rsa3072", "rsa4096", "P-256", "P-384", "P-521"}) {
      const Member member(kind, "anna", 4711);
      store(folder, "cert.pem", member.certificatePem());
      store(folder, "key.pem", pemOf(member.privateKey));
      store(folder, "copy.eml", messageOf(sealer, body, member.recipient));
      const auto opened = run("openssl cms -decrypt -binary -in " + quoted(folder / "copy.eml") + " -recip " +
                              quoted(folder / "cert.pem") + " -inkey " + quoted(folder / "key.pem") + " -out " +
                              quoted(folder / "signed.eml"));
      BOOST_TEST(opened.status == 0, kind << ": " << opened.output);
      BOOST_TEST(files::read(folder / "signed.eml") == signedEntity);
      const auto verified = run("openssl cms -verify -purpose any -in " + quoted(folder / "signed.eml") + " -CAfile " +
                                quoted(folder / "list.pem") + " -out " + quoted(folder / "inner.eml"));
      BOOST_TEST(verified.status == 0, verified.output);
      BOOST_TEST(withoutCr(files::read(folder / "inner.eml")) == withoutCr(Inner));
    }
  }
}

// Members of the default form: AES-CBC and RSA is what gpgsm 2.2 reads.
BOOST_AUTO_TEST_CASE(gpgsm_opens_and_verifies_copies) {
  const TempFolder folder;
  const SmimeSealer sealer;
  const Member member("rsa2048", "anna", 4711);
  std::filesystem::create_directory(folder / "home");
  std::filesystem::permissions(folder / "home", std::filesystem::perms::owner_all);
  store(folder, "home/gpg-agent.conf", "allow-loopback-pinentry\n");
  store(folder, "home/gpgsm.conf", "disable-crl-checks\n");
  store(folder, "cert.pem", member.certificatePem());
  store(folder, "key.pem", pemOf(member.privateKey));
  store(folder, "pass", "test\n");
  store(folder, "list.der", listIdentity().certificate().der());
  auto fingerprint = [](X509* x509) {
    std::array<unsigned char, 20> digest{};
    X509_digest(x509, EVP_sha1(), digest.data(), nullptr);
    return postern::crypto::hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
  };
  store(folder, "home/trustlist.txt",
        fingerprint(member.x509.get()) + " S relax\n" + fingerprint(listIdentity().certificate().handle()) +
            " S relax\n");
  const std::string gpgsm =
      "gpgsm --homedir " + quoted(folder / "home") + " --batch --no-tty --yes --pinentry-mode loopback ";
  // gpgsm 2.2 misreads about one PKCS#12 file in a hundred, the same one each time; a file made anew has other octets.
  Run imported{1, {}};
  for (int tries = 0; tries < 6 && imported.status != 0; ++tries) {
    const auto exported = run("openssl pkcs12 -export -legacy -in " + quoted(folder / "cert.pem") + " -inkey " +
                              quoted(folder / "key.pem") + " -passout pass:test -out " + quoted(folder / "key.p12"));
    BOOST_REQUIRE_MESSAGE(exported.status == 0, exported.output);
    imported =
        run(gpgsm + "--passphrase-fd 0 --import " + quoted(folder / "key.p12") + " < " + quoted(folder / "pass"));
  }
  const auto listImported = run(gpgsm + "--import " + quoted(folder / "list.der"));
  BOOST_TEST(imported.status == 0, imported.output);

  const auto signedEntity = SmimeSigner(listIdentity()).sign(Inner, now());
  for (const std::size_t size : {std::size_t(0), std::size_t(1), std::size_t(1000000)}) {
    const auto plain = size == 0 ? signedEntity : randomBytes(size);
    const auto body = SharedBody::encrypt(plain);
    const auto head = sealer.head(body, member.recipient);
    store(folder, "copy.b64", head.substr(head.find("\r\n\r\n") + 4) + body.tail());
    const auto opened = run(gpgsm + "--assume-base64 --passphrase-fd 0 --output " + quoted(folder / "plain") +
                            " --decrypt " + quoted(folder / "copy.b64") + " < " + quoted(folder / "pass"));
    BOOST_TEST(opened.status == 0, opened.output);
    BOOST_TEST((files::read(folder / "plain") == plain));
  }

  const auto boundary = signedEntity.substr(signedEntity.find("boundary=\"") + 10, 31);
  const auto last = signedEntity.find("base64\r\n");
  const auto start = signedEntity.find("\r\n\r\n", last) + 4;
  store(folder, "sig.b64", signedEntity.substr(start, signedEntity.find("\r\n--" + boundary, start) - start));
  store(folder, "inner", Inner);
  const auto verified =
      run(gpgsm + "--assume-base64 --verify " + quoted(folder / "sig.b64") + " " + quoted(folder / "inner"));
  BOOST_TEST(verified.output.find("Good signature") != std::string::npos, verified.output + listImported.output);
  store(folder, "inner", Inner + " ");
  const auto changed =
      run(gpgsm + "--assume-base64 --verify " + quoted(folder / "sig.b64") + " " + quoted(folder / "inner"));
  BOOST_TEST(changed.output.find("Good signature") == std::string::npos);
  run("gpgconf --homedir " + quoted(folder / "home") + " --kill all");
}

BOOST_AUTO_TEST_CASE(a_changed_signed_message_does_not_verify) {
  const TempFolder folder;
  store(folder, "list.pem", listIdentity().certificate().pem());
  auto signedEntity = SmimeSigner(listIdentity()).sign(Inner, now());
  const auto verify = [&] {
    store(folder, "signed.eml", signedEntity);
    return run("openssl cms -verify -purpose any -in " + quoted(folder / "signed.eml") + " -CAfile " +
               quoted(folder / "list.pem") + " -out /dev/null")
        .status;
  };
  BOOST_TEST(verify() == 0);
  const auto at = signedEntity.find("figures");
  signedEntity[at] = 'F';
  BOOST_TEST(verify() != 0);
}

BOOST_AUTO_TEST_CASE(signatures_carry_what_mail_programs_look_for) {
  const auto entity = SmimeSigner(listIdentity()).sign(Inner, now());
  BOOST_TEST(entity.starts_with(
      "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n micalg=sha-256;"));
  BOOST_TEST(entity.find("\r\n\r\n--signed-") != std::string::npos);
  BOOST_TEST(entity.find(Inner) != std::string::npos);
  BOOST_TEST(entity.ends_with("--\r\n"));
  const auto in = readOnlyBio(entity);
  BIO* content = nullptr;
  const CmsPtr cms(SMIME_read_CMS(in.get(), &content));
  const BioPtr owner(content);
  BOOST_REQUIRE(cms.get() != nullptr);
  auto* signers = CMS_get0_SignerInfos(cms.get());
  BOOST_TEST(sk_CMS_SignerInfo_num(signers) == 1);
  auto* signer = sk_CMS_SignerInfo_value(signers, 0);
  for (const int nid : {NID_pkcs9_contentType, NID_pkcs9_messageDigest, NID_pkcs9_signingTime, NID_SMIMECapabilities})
    BOOST_TEST(CMS_signed_get_attr_by_NID(signer, nid, -1) >= 0, OBJ_nid2sn(nid));
}

BOOST_AUTO_TEST_CASE(refuses_to_sign_bare_line_ends) {
  const SmimeSigner signer(listIdentity());
  for (const auto* entity : {"a\nb", "a\rb", "\n", "\r", "a\r\n\nb", "a\r\r\n", "a\r\n\r"})
    BOOST_CHECK_THROW(signer.sign(entity, now()), Error);
  for (const auto* entity : {"", "a", "\r\n", "a\r\n\r\nb\r\n"}) BOOST_CHECK_NO_THROW(signer.sign(entity, now()));
}

BOOST_AUTO_TEST_SUITE_END()
