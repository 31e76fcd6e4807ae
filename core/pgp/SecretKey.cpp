#include "core/pgp/SecretKey.h"

#include "core/base/Error.h"
#include "core/mail/Text.h"
#include "core/pgp/Rnp.h"

namespace postern::pgp {

namespace {

using rnp::check;
using rnp::out;

constexpr std::size_t MaxKeySize = 1u << 20;
constexpr std::uint32_t BothKinds = RNP_LOAD_SAVE_PUBLIC_KEYS | RNP_LOAD_SAVE_SECRET_KEYS;
constexpr const char* Doing = "make an OpenPGP key";
constexpr std::size_t MaxName = 200;

std::uint32_t lifetimeOf(std::chrono::seconds lifetime) {
  if (lifetime <= std::chrono::seconds(0) || lifetime.count() > 0xffffffff)
    throw Error(ErrorKind::Crypto, "an OpenPGP key cannot be made for that time");
  return static_cast<std::uint32_t>(lifetime.count());
}

// What could be taken for an address or a line end is not part of a name.
std::string userId(std::string_view name, std::string_view address) {
  if (address.find_first_of("<>") != std::string_view::npos || mail::hasControl(address) || !mail::isUtf8(address))
    throw Error(ErrorKind::Crypto, "an OpenPGP key cannot be made for that address");
  auto clean = mail::repairUtf8(name);
  std::erase_if(clean,
                [](char c) { return c == '<' || c == '>' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  const auto text = mail::trim(mail::cutUtf8(clean, MaxName));
  if (text.empty()) return std::string(address);
  return std::string(text).append(" <").append(address).append(">");
}

rnp::Key generatePrimary(const rnp::Ffi& ffi, const std::string& id, std::uint32_t lifetime) {
  rnp::Generate operation;
  check(rnp_op_generate_create(out(operation), ffi.get(), RNP_ALGNAME_EDDSA), Doing);
  auto* op = operation.get();
  check(rnp_op_generate_set_userid(op, id.c_str()), Doing);
  check(rnp_op_generate_set_hash(op, RNP_ALGNAME_SHA512), Doing);
  check(rnp_op_generate_set_expiration(op, lifetime), Doing);
  for (const char* usage : {"sign", "certify"}) check(rnp_op_generate_add_usage(op, usage), Doing);
  for (const char* cipher : {RNP_ALGNAME_AES_256, RNP_ALGNAME_AES_192, RNP_ALGNAME_AES_128})
    check(rnp_op_generate_add_pref_cipher(op, cipher), Doing);
  for (const char* hash : {RNP_ALGNAME_SHA512, RNP_ALGNAME_SHA384, RNP_ALGNAME_SHA256})
    check(rnp_op_generate_add_pref_hash(op, hash), Doing);
  check(rnp_op_generate_add_pref_compression(op, "Uncompressed"), Doing);
  check(rnp_op_generate_execute(op), Doing);
  rnp::Key key;
  check(rnp_op_generate_get_key(op, out(key)), Doing);
  return key;
}

void generateSubkey(const rnp::Ffi& ffi, const rnp::Key& primary, std::uint32_t lifetime) {
  rnp::Generate operation;
  check(rnp_op_generate_subkey_create(out(operation), ffi.get(), primary.get(), RNP_ALGNAME_ECDH), Doing);
  auto* op = operation.get();
  check(rnp_op_generate_set_curve(op, "Curve25519"), Doing);
  check(rnp_op_generate_set_hash(op, RNP_ALGNAME_SHA512), Doing);
  check(rnp_op_generate_set_expiration(op, lifetime), Doing);
  check(rnp_op_generate_add_usage(op, "encrypt"), Doing);
  check(rnp_op_generate_execute(op), Doing);
}

Secret exportSecret(const rnp::Key& primary) {
  const auto output = rnp::memoryOutput(MaxKeySize);
  check(rnp_key_export(primary.get(), output.get(), RNP_KEY_EXPORT_SECRET | RNP_KEY_EXPORT_SUBKEYS),
        "write an OpenPGP key");
  return rnp::takeSecret(output);
}

std::string exportPublic(const rnp::Key& primary) {
  const auto output = rnp::memoryOutput(MaxKeySize);
  check(rnp_key_export(primary.get(), output.get(), RNP_KEY_EXPORT_PUBLIC | RNP_KEY_EXPORT_SUBKEYS),
        "write an OpenPGP key");
  return std::string(rnp::contentOf(output));
}

PublicKey publicPart(const rnp::Key& primary) {
  auto key = PublicKey::parse(exportPublic(primary));
  if (!key) throw Error(ErrorKind::Crypto, "a list's OpenPGP key is of no use: " + key.error().message);
  return std::move(*key);
}

struct Loaded {
  rnp::Ffi ffi;
  rnp::Key primary;
};

Loaded loadKey(const Secret& bytes, std::string_view fingerprint, TimePoint now) {
  Loaded loaded{rnp::store(now), nullptr};
  rnp::load(loaded.ffi, bytes.view(), BothKinds);
  loaded.primary = rnp::find(loaded.ffi, fingerprint);
  return loaded;
}

// The one primary key in a new store.
rnp::Key onlyPrimary(const rnp::Ffi& ffi) {
  struct Done {
    void operator()(rnp_identifier_iterator_st* it) const { rnp_identifier_iterator_destroy(it); }
  };
  rnp_identifier_iterator_t raw = nullptr;
  check(rnp_identifier_iterator_create(ffi.get(), &raw, "fingerprint"), "load an OpenPGP key");
  const std::unique_ptr<rnp_identifier_iterator_st, Done> it(raw);
  const char* fingerprint = nullptr;
  rnp::Key primary;
  while (rnp_identifier_iterator_next(it.get(), &fingerprint) == RNP_SUCCESS && fingerprint) {
    auto key = rnp::find(ffi, fingerprint);
    bool isPrimary = false;
    bool hasSecret = false;
    check(rnp_key_is_primary(key.get(), &isPrimary), "load an OpenPGP key");
    check(rnp_key_have_secret(key.get(), &hasSecret), "load an OpenPGP key");
    if (!hasSecret) throw Error(ErrorKind::Crypto, "a stored OpenPGP key has no secret part");
    if (!isPrimary) continue;
    if (primary) throw Error(ErrorKind::Crypto, "a stored OpenPGP key is more than one key");
    primary = std::move(key);
  }
  if (!primary) throw Error(ErrorKind::Crypto, "a stored OpenPGP key is no key");
  return primary;
}

const char* reasonCode(Revocation reason) {
  switch (reason) {
    case Revocation::NoReason:
      return "no";
    case Revocation::Superseded:
      return "superseded";
    case Revocation::Compromised:
      return "compromised";
    case Revocation::Retired:
      return "retired";
  }
  return "no";
}

}  // namespace

SecretKey SecretKey::create(std::string_view listName, std::string_view listAddress, TimePoint now,
                            std::chrono::seconds lifetime) {
  const auto ffi = rnp::store(now);
  const auto seconds = lifetimeOf(lifetime);
  const auto primary = generatePrimary(ffi, userId(listName, listAddress), seconds);
  generateSubkey(ffi, primary, seconds);
  return SecretKey(exportSecret(primary), publicPart(primary));
}

SecretKey SecretKey::parse(const Secret& serialized) {
  const auto ffi = rnp::store(SystemClock().now());
  rnp::load(ffi, serialized.view(), BothKinds);
  return SecretKey(serialized, publicPart(onlyPrimary(ffi)));
}

SecretKey SecretKey::extended(TimePoint now, TimePoint expires) const {
  const auto [ffi, primary] = loadKey(bytes_, fingerprint(), now);
  const auto extend = [&](const rnp::Key& key) {
    std::uint32_t created = 0;
    check(rnp_key_get_creation(key.get(), &created), "extend an OpenPGP key");
    const auto lifetime =
        std::chrono::floor<std::chrono::seconds>(expires) - std::chrono::sys_seconds(std::chrono::seconds(created));
    check(rnp_key_set_expiration(key.get(), lifetimeOf(lifetime)), "extend an OpenPGP key");
  };
  extend(primary);
  std::size_t count = 0;
  check(rnp_key_get_subkey_count(primary.get(), &count), "extend an OpenPGP key");
  for (std::size_t i = 0; i < count; ++i) {
    rnp::Key subkey;
    check(rnp_key_get_subkey_at(primary.get(), i, out(subkey)), "extend an OpenPGP key");
    extend(subkey);
  }
  return SecretKey(exportSecret(primary), publicPart(primary));
}

SecretKey SecretKey::revoked(TimePoint now, Revocation reason, std::string_view text) const {
  const auto [ffi, primary] = loadKey(bytes_, fingerprint(), now);
  check(rnp_key_revoke(primary.get(), 0, RNP_ALGNAME_SHA512, reasonCode(reason), std::string(text).c_str()),
        "revoke an OpenPGP key");
  return SecretKey(exportSecret(primary), publicPart(primary));
}

}  // namespace postern::pgp
