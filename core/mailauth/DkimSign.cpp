#include "core/crypto/Encoding.h"
#include "core/mail/Text.h"
#include "core/mailauth/Dkim.h"

namespace postern::mailauth {

namespace {

// Signed as often as they stand and once more.
constexpr std::string_view SealedFields[] = {"from",
                                             "sender",
                                             "reply-to",
                                             "subject",
                                             "date",
                                             "to",
                                             "cc",
                                             "message-id",
                                             "in-reply-to",
                                             "references",
                                             "mime-version",
                                             "content-type",
                                             "content-transfer-encoding"};
// Signed as often as they stand.
constexpr std::string_view OtherFields[] = {"list-id",
                                            "list-post",
                                            "list-help",
                                            "list-unsubscribe",
                                            "list-archive",
                                            "list-owner",
                                            "list-unsubscribe-post",
                                            "auto-submitted",
                                            "tls-required",
                                            "tls-report-domain",
                                            "tls-report-submitter"};

void fold(std::string& field, std::string_view text, std::size_t& column) {
  if (column + text.size() > 76) {
    field += "\r\n\t";
    column = 8;
  }
  field += text;
  column += text.size();
}

}  // namespace

const std::vector<std::string_view>& signedFieldNames() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all(std::begin(SealedFields), std::end(SealedFields));
    all.insert(all.end(), std::begin(OtherFields), std::end(OtherFields));
    return all;
  }();
  return names;
}

std::string DkimSigner::sign(const mail::HeaderBlock& header, std::string_view bodyDigest, long long now) const {
  std::vector<std::string> names;
  for (const auto name : SealedFields) names.insert(names.end(), header.count(name) + 1, std::string(name));
  for (const auto name : OtherFields) names.insert(names.end(), header.count(name), std::string(name));
  std::string field = std::string("DKIM-Signature: v=1; a=") + algorithmOf(key.kind()) +
                      "; c=relaxed/relaxed; d=" + domain + ";\r\n\ts=" + selector + "; t=" + std::to_string(now) +
                      ";\r\n\th=";
  std::size_t column = 10;
  for (std::size_t i = 0; i < names.size(); ++i) fold(field, (i == 0 ? "" : ":") + names[i], column);
  field += ";\r\n\tbh=" + crypto::base64(bodyDigest) + ";\r\n\tb=";
  const auto bytes =
      canonicalHeader(header, names, Canonical::Relaxed) + canonicalField(field + "\r\n", Canonical::Relaxed);
  const auto signature = crypto::base64(key.sign(bytes.substr(0, bytes.size() - 2)));
  for (std::size_t i = 0; i < signature.size(); i += 72) {
    if (i != 0) field += "\r\n\t ";
    field += signature.substr(i, 72);
  }
  return field + "\r\n";
}

}  // namespace postern::mailauth
