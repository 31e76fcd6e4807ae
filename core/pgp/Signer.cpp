#include "core/pgp/Signer.h"

#include "core/base/Error.h"
#include "core/crypto/Random.h"
#include "core/pgp/Armor.h"
#include "core/pgp/Rnp.h"

namespace postern::pgp {

namespace {

using rnp::check;
using rnp::out;

constexpr std::size_t MaxSignature = 64 * 1024;

void requireCrlf(std::string_view entity) {
  for (std::size_t at = 0; (at = entity.find_first_of("\r\n", at)) != std::string_view::npos; at += 2)
    if (entity.substr(at, 2) != "\r\n")
      throw Error(ErrorKind::Malformed, "cannot sign a message with a bare CR or LF: its lines must end in CR LF");
}

void requireUsable(const rnp::Key& key) {
  bool valid = false;
  bool expired = false;
  bool revoked = false;
  check(rnp_key_is_valid(key.get(), &valid), "sign a message");
  check(rnp_key_is_expired(key.get(), &expired), "sign a message");
  check(rnp_key_is_revoked(key.get(), &revoked), "sign a message");
  if (revoked) throw Error(ErrorKind::Crypto, "cannot sign: the list's OpenPGP key is revoked; make a new one");
  if (expired) throw Error(ErrorKind::Crypto, "cannot sign: the list's OpenPGP key has expired; extend it");
  if (!valid) throw Error(ErrorKind::Crypto, "cannot sign: the list's OpenPGP key is damaged");
}

}  // namespace

std::string Signer::signDetached(std::string_view bytes, TimePoint now) const {
  const auto ffi = rnp::store(now);
  const auto secret = key_.serialized();
  rnp::load(ffi, secret.view(), RNP_LOAD_SAVE_PUBLIC_KEYS | RNP_LOAD_SAVE_SECRET_KEYS);
  const auto key = rnp::find(ffi, key_.fingerprint());
  requireUsable(key);
  const auto input = rnp::memoryInput(bytes);
  const auto output = rnp::memoryOutput(MaxSignature);
  rnp::Sign operation;
  check(rnp_op_sign_detached_create(out(operation), ffi.get(), input.get(), output.get()), "sign a message");
  auto* op = operation.get();
  check(rnp_op_sign_set_hash(op, RNP_ALGNAME_SHA512), "sign a message");
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  check(rnp_op_sign_set_creation_time(op, static_cast<std::uint32_t>(seconds)), "sign a message");
  check(rnp_op_sign_add_signature(op, key.get(), nullptr), "sign a message");
  check(rnp_op_sign_execute(op), "sign a message");
  return armor("SIGNATURE", rnp::contentOf(output));
}

std::string Signer::sign(std::string_view entity, TimePoint now) const {
  requireCrlf(entity);
  const auto signature = signDetached(entity, now);
  const auto boundary = "signed-" + crypto::randomToken(18);
  std::string result =
      "Content-Type: multipart/signed; protocol=\"application/pgp-signature\";\r\n"
      " micalg=pgp-sha512; boundary=\"" +
      boundary + "\"\r\n\r\n";
  result.reserve(entity.size() + signature.size() + 1024);
  result.append("--").append(boundary).append("\r\n");
  result.append(entity);
  result.append("\r\n--").append(boundary).append("\r\n");
  result.append(
      "Content-Type: application/pgp-signature; name=signature.asc\r\n"
      "Content-Description: OpenPGP digital signature\r\n"
      "Content-Disposition: attachment; filename=signature.asc\r\n\r\n");
  result.append(signature);
  return result.append("\r\n--").append(boundary).append("--\r\n");
}

}  // namespace postern::pgp
