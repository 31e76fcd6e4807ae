#include "core/base/Error.h"
#include "listd/ReportFiles.h"
#include "listd/reports/DeliveryReport.h"

#include <initializer_list>
#include <map>
#include <utility>

namespace postern::listd {

using nlohmann::json;

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

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

std::string hopTable(const json& journey) {
  if (!journey.is_object()) return "<p>The way before us was not kept for this message.</p>\n";
  std::string out =
      "<p>" + escaped(text(journey, "sentence")) +
      "</p>\n<table><thead><tr><th scope=\"col\">Hop</th><th scope=\"col\">From</th><th scope=\"col\">To</th>"
      "<th scope=\"col\">Recorded</th><th scope=\"col\">Why</th></tr></thead><tbody>\n";
  std::size_t number = 0;
  for (const auto& hop : journey.at("hops")) {
    const auto state = said(text(hop, "state"), {{"recorded-encrypted", "encrypted"},
                                                 {"recorded-plain", "in clear"},
                                                 {"not-recorded", "not recorded, which proves neither"},
                                                 {"inside-one-provider", "inside one provider"}});
    out += "<tr><th scope=\"row\">" + std::to_string(++number) + "</th><td data-label=\"From\">" +
           escaped(text(hop, "from")) + "</td><td data-label=\"To\">" + escaped(text(hop, "by")) +
           "</td><td data-label=\"Recorded\">" + escaped(state) + "</td><td data-label=\"Why\">" +
           escaped(text(hop, "why")) + "</td></tr>\n";
  }
  return out + "</tbody></table>\n";
}

std::string facts(std::initializer_list<std::pair<const char*, std::string>> rows) {
  std::string out = "<dl>";
  for (const auto& [name, value] : rows)
    if (!value.empty()) out += std::string("<dt>") + name + "</dt><dd>" + escaped(value) + "</dd>";
  return out + "</dl>\n";
}

std::string postSection(const json& post) {
  const auto& arrival = post.at("arrival");
  const auto& client = arrival.at("client");
  const auto tls = client.is_object() && client.contains("tls") ? client.at("tls") : json::object();
  const auto address = text(client, "address");
  return "<h2>Message " + escaped(text(post, "messageId")) + " to " + escaped(text(post, "list")) + "</h2>\n" +
         facts({{"Post, queue id", text(post, "post") + ", " + text(post, "queueId")},
                {"Received", text(post, "received")},
                {"Size, class", text(post, "size") + " bytes, " + text(post, "class")},
                {"State", text(post, "state") + (text(post, "reason").empty() ? "" : ": " + text(post, "reason"))}}) +
         "<h3>1. How it came to us</h3>\n" +
         facts({{"Sent by", text(post, "sentBy")},
                {"Handed over by", text(client, "name") + (address.empty() ? "" : " [" + address + "]")},
                {"Session with us",
                 tlsText(text(tls, "version"), text(tls, "cipher"),
                         text(tls, "verification") == "verified" ? "verified" : "", text(tls, "peerName"))},
                {"Sender check", checkText(arrival)}}) +
         hopTable(arrival.at("journey"));
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

std::string copyRow(const RowReader& read, const json& row) {
  const auto key = read.of(row, "key");
  const auto protection = read.of(row, "protection");
  const auto pickup = pickupText(read, row);
  return "<tr><th scope=\"row\">" + escaped(read.of(row, "recipient")) + "</th><td data-label=\"Protection\"" +
         (protection == "withheld" ? " class=\"bad\">" : ">") + escaped(protectionText(protection)) + "<br>because " +
         escaped(reasonText(read.of(row, "reason"))) +
         (key.empty() ? "" : "<br><span class=\"key\">key " + escaped(key) + "</span>") +
         "</td><td data-label=\"State\">" + escaped(read.of(row, "state")) + "</td><td data-label=\"How it left\">" +
         escaped(leavingText(read, row)) + (pickup.empty() ? "" : "<br>" + escaped(pickup)) + "</td></tr>\n";
}

// The rows of the post from `place` on, which goes behind them: rows stand in the order of the posts.
std::string copiesOf(const RowReader& read, const json& allRows, const std::string& post, std::size_t& place) {
  std::string rows;
  for (; place < allRows.size() && read.of(allRows[place], "post") == post; ++place)
    rows += copyRow(read, allRows[place]);
  if (rows.empty()) return "<p>No copy was made of this message.</p>\n";
  return "<table><thead><tr><th scope=\"col\">Recipient</th><th scope=\"col\">2. What we did with it</th><th "
         "scope=\"col\">State</th><th scope=\"col\">3. How it left</th></tr></thead><tbody>\n" +
         rows + "</tbody></table>\n";
}

std::string styles() {
  const auto* file = reportFiles::find("reports/delivery-report.css");
  if (file == nullptr) throw Error(ErrorKind::Invariant, "this binary lacks the styles of delivery reports");
  return std::string(file->content);
}

std::string head(const json& document) {
  std::string about;
  for (const auto& [field, name] : {std::pair{"post", "post "}, {"recipient", "recipient "}, {"list", "list "}})
    if (const auto value = text(document.at("asked"), field); !value.empty())
      about += (about.empty() ? "" : ", ") + std::string(name) + value;
  const auto from = timeCell(document.at("from"));
  const auto until = timeCell(document.at("until"));
  if (!from.empty()) about += ", from " + from;
  if (!until.empty()) about += ", until before " + until;
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta "
         "http-equiv=\"Content-Security-Policy\" "
         "content=\"default-src 'none'; style-src 'unsafe-inline'\"><meta name=\"viewport\" "
         "content=\"width=device-width\"><title>Delivery report of " +
         escaped(text(document, "site")) + "</title>\n<style>" + styles() +
         "</style></head>\n<body><main><h1>Delivery report</h1>\n<p>" +
         escaped("About " + about + ". Made " + timeCell(document.at("madeAt")) + " by " + text(document, "tool") +
                 " at " + text(document, "site") + " for " + text(document, "madeBy") + ".") +
         " Times are UTC. Subjects and contents are not part of reports. The same report as JSON is signed.</p>\n";
}

}  // namespace

std::string deliveryHtml(const json& document, bool first) {
  auto out = first ? head(document) : std::string();
  const RowReader read(document.at("columns"));
  std::size_t place = 0;
  for (const auto& post : document.at("posts"))
    out += "<section>" + postSection(post) + copiesOf(read, document.at("rows"), text(post, "post"), place) +
           "</section>\n";
  if (!text(document, "next").empty()) return out;
  if (first && document.at("posts").empty()) out += "<p>In this time there was no such message.</p>\n";
  return out + "</main></body></html>\n";
}

}  // namespace postern::listd
