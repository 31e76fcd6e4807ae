#include "webadmin/JourneyViews.h"

#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::views {

namespace {

json stateBadge(const std::string& state) {
  if (state == "recorded-encrypted") return {{"text", "Recorded as encrypted"}, {"tone", "good"}};
  if (state == "recorded-plain") return {{"text", "Recorded as plain"}, {"tone", "bad"}};
  if (state == "inside-one-provider") return {{"text", "Inside one provider"}, {"tone", "quiet"}};
  return {{"text", "Not recorded"}, {"tone", "wait"}};
}

json verdictBadge(const std::string& verdict) {
  if (verdict == "encrypted") return {{"text", "Encrypted, as recorded"}, {"tone", "good"}};
  if (verdict == "plain") return {{"text", "In clear"}, {"tone", "bad"}};
  if (verdict == "not-recorded") return {{"text", "Not known"}, {"tone", "wait"}};
  if (verdict == "inside-one-provider") return {{"text", "Inside one provider"}, {"tone", "quiet"}};
  return {{"text", "No record"}, {"tone", "wait"}};
}

std::string named(const std::string& name) {
  return name.empty() ? "not named" : name;
}

std::string formOf(const std::string& word) {
  return word == "openpgp" ? "OpenPGP" : "S/MIME";
}

}  // namespace

json journey(const json& journey, TimePoint now) {
  if (!journey.is_object() || !journey.contains("hops")) return nullptr;
  json rows = json::array();
  for (const auto& hop : part(journey, "hops"))
    rows.push_back({{"number", rows.size() + 1},
                    {"from", named(text(hop, "from"))},
                    {"fromAddress", text(hop, "fromAddress")},
                    {"by", named(text(hop, "by"))},
                    {"software", text(hop, "software")},
                    {"badge", stateBadge(text(hop, "state"))},
                    {"version", text(hop, "version")},
                    {"cipher", text(hop, "cipher")},
                    {"why", text(hop, "why")},
                    {"at", time(hop, "at", now)}});
  const bool any = !rows.empty();
  return {{"sentence", text(journey, "sentence")},
          {"badge", verdictBadge(text(journey, "verdict"))},
          {"hops", std::move(rows)},
          {"hasHops", any}};
}

json senderCheck(const json& check) {
  const auto encryption = text(check, "encryption");
  const auto standing = text(check, "standing");
  const auto signer = text(check, "signer");
  const auto by = signer.empty() ? std::string() : " Key of " + signer + ".";
  std::string words = "Not signed: nothing proves which person wrote it.";
  json badge = {{"text", "Not signed"}, {"tone", "wait"}};
  if (standing == "good") {
    words = "Good, by " + formOf(text(check, "signature")) + "." + by;
    badge = {{"text", "Signature good"}, {"tone", "good"}};
  } else if (standing == "unknown-signer") {
    words = "By a key that the site does not know; it proves nothing about the sender." + by;
    badge = {{"text", "Signer unknown"}, {"tone", "wait"}};
  } else if (standing == "other-signer") {
    words = "By somebody else; it proves nothing about the sender." + by;
    badge = {{"text", "Signed by somebody else"}, {"tone", "bad"}};
  } else if (standing == "bad") {
    words = "Bad: the message was changed on its way, or the signature does not cover it.";
    badge = {{"text", "Signature bad"}, {"tone", "bad"}};
  }
  return {{"encryption", encryption.empty() || encryption == "none"
                             ? "Not encrypted to the list; its way was protected hop by hop at most."
                             : "Encrypted to the list by " + formOf(encryption) + "."},
          {"signature", words},
          {"badge", badge},
          {"fingerprint", words::fingerprint(text(check, "fingerprint"))}};
}

json senderDomain(const json& client) {
  const auto proven = text(client, "senderProven");
  const auto sentence = words::sentence(text(client, "senderCheck"));
  const auto view = [&](const char* badge, const char* tone, std::string said, const char* help) {
    return json{{"badge", {{"text", badge}, {"tone", tone}}}, {"sentence", std::move(said)}, {"help", help}};
  };
  if (proven == "yes")
    return view("Domain proven", "good", sentence,
                "Looked at by SPF, DKIM, DMARC and ARC. It proves the domain, never the person.");
  if (proven == "no")
    return view("Domain not proven", "wait", sentence,
                "Looked at by SPF, DKIM, DMARC and ARC. Anybody could have put this sender in.");
  if (proven == "unknown")
    return view("Could not be looked at", "wait", sentence,
                "SPF, DKIM and DMARC need the DNS. What is not proven counts as unproven.");
  if (const auto account = text(client, "account"); !account.empty())
    return view("Written here", "good", "Written on this site by " + account + ", who was signed in.", "");
  return view("Not looked at", "calm", "SPF, DKIM, DMARC and ARC were not looked at.",
              "It came from this machine, from a relay of your own, or before there were such checks.");
}

}  // namespace postern::webadmin::views
