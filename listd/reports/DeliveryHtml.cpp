#include "listd/reports/DeliveryReport.h"
#include "listd/reports/HtmlParts.h"

#include <initializer_list>
#include <map>
#include <utility>

namespace postern::listd {

using nlohmann::json;

namespace {

std::string plainText(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.is_null() ? std::string() : value.dump();
}

std::string text(const json& object, const char* field) {
  return object.is_object() && object.contains(field) ? plainText(object.at(field)) : std::string();
}

// A stable word in plain language; an unknown one as it is.
std::string said(const std::string& word, std::initializer_list<std::pair<const char*, const char*>> words) {
  for (const auto& [known, meaning] : words)
    if (word == known) return meaning;
  return word;
}

std::string protectionText(const std::string& word) {
  return said(word, {{"smime", "S/MIME"},
                     {"openpgp", "OpenPGP"},
                     {"tls", "Verified TLS"},
                     {"pickup", "Pick-up"},
                     {"none", "None"},
                     {"withheld", "Withheld"}});
}

std::string reasonText(const std::string& word) {
  return said(word, {{"open-list", "the list is open"},
                     {"valid-certificate", "a valid certificate is on file"},
                     {"valid-openpgp-key", "a valid OpenPGP key is on file"},
                     {"no-key", "no key is on file"},
                     {"key-unconfirmed", "the key on file was never confirmed"},
                     {"certificate-expired", "the certificate has ended"},
                     {"certificate-not-yet-valid", "the certificate is not valid yet"},
                     {"wrong-address", "the certificate names other addresses"},
                     {"wrong-purpose", "the certificate is not made for encrypting mail"},
                     {"weak-key", "the key is too weak"},
                     {"unsupported-key", "the key has an algorithm that is not known"},
                     {"untrusted", "no trusted authority vouches for the certificate"},
                     {"revoked", "the key is revoked"},
                     {"sealing-failed", "encrypting failed"},
                     {"verified-tls", "the servers of the domain can be verified"},
                     {"pick-up", "nothing better can be had"},
                     {"tls-too-late", "verified TLS could not be had in time"},
                     {"key-expired", "the key has ended"},
                     {"key-not-yet-valid", "the key is not valid yet"},
                     {"tls-not-verified", "the servers of the domain could not be verified"},
                     {"tls-does-not-count", "TLS of this domain does not count here"},
                     {"not-on-ladder", "what the member has is not what the list allows"},
                     {"wish", "the member wants more than can be had"}});
}

std::string tlsText(const std::string& version, const std::string& cipher, const std::string& verification,
                    const std::string& name) {
  if (version.empty()) return "without TLS";
  auto line = version + (cipher.empty() ? "" : " " + cipher);
  if (verification.empty()) return line;
  const auto by = said(verification, {{"dane", "verified by DANE"},
                                      {"mta-sts", "verified by MTA-STS"},
                                      {"verified", "verified by its certificate (PKIX)"},
                                      {"none", "not verified"}});
  if (by == verification) return line + ", not verified (" + verification + ")";
  return line + ", " + by + (name.empty() || verification == "none" ? "" : " as " + name);
}

std::string checkText(const json& arrival) {
  if (!arrival.at("checked").get<bool>()) return "Encryption and signature were not looked at.";
  const auto& check = arrival.at("senderCheck");
  if (!check.is_object())
    return "Not encrypted to the list and not signed. Anybody could have written it in the sender's name.";
  const auto form = [&](const char* field) {
    return said(text(check, field), {{"smime", "S/MIME"}, {"openpgp", "OpenPGP"}});
  };
  std::string line = text(check, "encryption") == "none" ? "Not encrypted to the list. "
                                                         : "Encrypted to the list by " + form("encryption") + ". ";
  const auto standing = text(check, "standing");
  const auto signer = text(check, "signer");
  const auto by = signer.empty() ? std::string() : " (" + signer + ")";
  if (standing == "good") return line + "Signature good: " + form("signature") + by + ".";
  return line +
         said(standing, {{"none", "Not signed: anybody could have written it in the sender's name."},
                         {"bad", "Signature bad: changed on its way, or the signature does not cover it."}}) +
         (standing == "unknown-signer" ? ": the key is not known here" + by + ", so it proves nothing."
          : standing == "other-signer" ? ": somebody else signed" + by + ", so it proves nothing about the sender."
                                       : std::string());
}

// What SPF, DKIM, DMARC and ARC said, in the words of the gateway.
std::string domainText(const json& client) {
  const auto sentence = text(client, "senderCheck");
  return sentence.empty() ? std::string() : "Sender: " + sentence + ". ";
}

// The parts of delivery-report.html.
struct Parts {
  std::string head, post, hops, hop, copies, copy, key, pickup, nothing, end;

  Parts() {
    auto page = reportFile("reports/delivery-report.html");
    head = takePart(page, "head");
    post = takePart(page, "post");
    hops = takePart(post, "hops");
    hop = takePart(hops, "hop");
    copies = takePart(post, "copies");
    copy = takePart(copies, "copy");
    key = takePart(copy, "key");
    pickup = takePart(copy, "pickup");
    nothing = takePart(page, "nothing");
    end = takePart(page, "end");
  }
};

std::string hopTable(const Parts& parts, const json& journey) {
  std::string rows;
  std::size_t number = 0;
  for (const auto& hop : journey.at("hops")) {
    const auto state = said(text(hop, "state"), {{"recorded-encrypted", "encrypted"},
                                                 {"recorded-plain", "in clear"},
                                                 {"not-recorded", "not recorded, which proves neither"},
                                                 {"inside-one-provider", "inside one provider"}});
    rows += filled(parts.hop, {{"number", std::to_string(++number)},
                               {"from", escapedHtml(text(hop, "from"))},
                               {"by", escapedHtml(text(hop, "by"))},
                               {"state", escapedHtml(state)},
                               {"why", escapedHtml(text(hop, "why"))}});
  }
  return rows.empty() ? std::string() : filled(parts.hops, {{"hop", rows}});
}

std::string postSection(const Parts& parts, const json& post, const std::string& copies) {
  const auto& arrival = post.at("arrival");
  const auto& client = arrival.at("client");
  const auto& journey = arrival.at("journey");
  const auto tls = client.is_object() && client.contains("tls") ? client.at("tls") : json::object();
  const auto address = text(client, "address");
  const auto verified = text(tls, "verification") == "verified" ? "verified" : "";
  const auto reason = text(post, "reason");
  const auto field = [&](const char* name) { return escapedHtml(text(post, name)); };
  return filled(
      parts.post,
      {{"messageId", field("messageId")},
       {"list", field("list")},
       {"post", field("post")},
       {"queueId", field("queueId")},
       {"received", field("received")},
       {"size", field("size")},
       {"class", field("class")},
       {"state", escapedHtml(text(post, "state") + (reason.empty() ? "" : ": " + reason))},
       {"sentBy", field("sentBy")},
       {"by", escapedHtml(text(client, "name") + (address.empty() ? "" : " [" + address + "]"))},
       {"session", escapedHtml(tlsText(text(tls, "version"), text(tls, "cipher"), verified, text(tls, "peerName")))},
       {"check", escapedHtml(domainText(client) + checkText(arrival))},
       {"sentence", journey.is_object() ? escapedHtml(text(journey, "sentence")) : "It was not kept for this message."},
       {"hops", journey.is_object() ? hopTable(parts, journey) : std::string()},
       {"copies", copies}});
}

// The cells of a row by the names of their columns.
class RowReader {
public:
  explicit RowReader(const json& columns) {
    for (std::size_t i = 0; i < columns.size(); ++i) places_[columns[i].get<std::string>()] = i;
  }
  std::string of(const json& row, const char* column) const { return plainText(row.at(places_.at(column))); }

private:
  std::map<std::string, std::size_t> places_;
};

std::string leavingText(const RowReader& read, const json& row) {
  const auto host = read.of(row, "next hop");
  std::string out;
  if (!host.empty()) {
    out = "to " + host + " [" + read.of(row, "next hop address") + "], " +
          tlsText(read.of(row, "TLS"), read.of(row, "cipher"), read.of(row, "TLS verification"),
                  read.of(row, "verified name")) +
          "; answer " + read.of(row, "reply code") + " " + read.of(row, "reply") + " at " +
          read.of(row, "last attempt");
  } else if (!read.of(row, "last attempt").empty()) {
    out = read.of(row, "reply") + " at " + read.of(row, "last attempt");
  } else if (read.of(row, "protection") == "withheld") {
    out = "Nothing left us for this recipient but a notice without content.";
  } else {
    out = "It has not left yet.";
  }
  return out;
}

std::string pickupText(const RowReader& read, const json& row) {
  if (read.of(row, "pick-up").empty()) return {};
  const auto when = read.of(row, "picked up");
  const auto sent = read.of(row, "delivered");
  auto out = sent.empty() ? std::string("Envelope mail not sent yet. ") : "Envelope mail sent " + sent + ". ";
  if (!read.of(row, "link used").empty()) out += "Link first used " + read.of(row, "link used") + ". ";
  out += when.empty()
             ? "Not read."
             : "Read " + when + " (" + read.of(row, "read by") + "), " + read.of(row, "times read") + " times in all.";
  const auto state = read.of(row, "pick-up");
  return out +
         (state == "waiting" ? " Available until " + read.of(row, "available until") + "." : " Now " + state + ".");
}

std::string copyRow(const Parts& parts, const RowReader& read, const json& row) {
  const auto key = read.of(row, "key");
  const auto protection = read.of(row, "protection");
  const auto pickup = pickupText(read, row);
  return filled(parts.copy,
                {{"recipient", escapedHtml(read.of(row, "recipient"))},
                 {"tone", protection == "withheld" ? "bad" : ""},
                 {"protection", escapedHtml(protectionText(protection))},
                 {"reason", escapedHtml(reasonText(read.of(row, "reason")))},
                 {"key", key.empty() ? key : filled(parts.key, {{"fingerprint", escapedHtml(key)}})},
                 {"state", escapedHtml(read.of(row, "state"))},
                 {"leaving", escapedHtml(leavingText(read, row))},
                 {"pickup", pickup.empty() ? pickup : filled(parts.pickup, {{"words", escapedHtml(pickup)}})}});
}

// The rows of the post from `place` on, which goes behind them: rows stand in the order of the posts.
std::string copiesOf(const Parts& parts, const RowReader& read, const json& allRows, const std::string& post,
                     std::size_t& place) {
  std::string rows;
  for (; place < allRows.size() && read.of(allRows[place], "post") == post; ++place)
    rows += copyRow(parts, read, allRows[place]);
  return rows.empty() ? "No copy was made of this message." : filled(parts.copies, {{"copy", rows}});
}

std::string head(const Parts& parts, const json& document) {
  std::string about;
  for (const auto& [field, name] : {std::pair{"post", "post "}, {"recipient", "recipient "}, {"list", "list "}})
    if (const auto value = text(document.at("asked"), field); !value.empty())
      about += (about.empty() ? "" : ", ") + std::string(name) + value;
  const auto from = timeCell(document.at("from"));
  const auto until = timeCell(document.at("until"));
  if (!from.empty()) about += ", from " + from;
  if (!until.empty()) about += ", until before " + until;
  return filled(parts.head, {{"site", escapedHtml(text(document, "site"))},
                             {"about", escapedHtml(about)},
                             {"madeAt", timeCell(document.at("madeAt"))},
                             {"tool", escapedHtml(text(document, "tool"))},
                             {"madeBy", escapedHtml(text(document, "madeBy"))}});
}

}  // namespace

std::string deliveryHtml(const json& document, bool first) {
  const Parts parts;
  auto out = first ? head(parts, document) : std::string();
  const RowReader read(document.at("columns"));
  std::size_t place = 0;
  for (const auto& post : document.at("posts"))
    out += postSection(parts, post, copiesOf(parts, read, document.at("rows"), text(post, "post"), place));
  if (!text(document, "next").empty()) return out;
  if (first && document.at("posts").empty()) out += parts.nothing;
  return out + parts.end;
}

}  // namespace postern::listd
