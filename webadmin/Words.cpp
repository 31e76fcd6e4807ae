#include "webadmin/Words.h"

#include "core/app/PlanWords.h"
#include "webadmin/RecordWords.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <span>

namespace postern::webadmin::words {

namespace {

struct Entry {
  std::string_view word;
  std::string_view text;
};

// A word that has no entry (of a newer listd) is shown as it is.
std::string lookUp(std::span<const Entry> entries, std::string_view word) {
  for (const auto& entry : entries)
    if (entry.word == word) return std::string(entry.text);
  return std::string(word);
}

constexpr Entry Refusals[] = {
    {"secure-tag", "Tagged “Secure:” to a list that is not secure"},
    {"malformed", "Malformed message"},
    {"two-subjects", "Two or more subjects"},
    {"subject-too-long", "Subject too long"},
    {"bare-line-end", "Bare line feed or carriage return"},
    {"long-line", "Line longer than mail may have"},
    {"null-sender", "Bounce to an address that takes none"},
    {"size", "Larger than the limit"},
    {"client-unsaid", "A load balancer that does not say for whom it speaks"},
    {"tls-demanded", "Not over the TLS that is demanded"},
    {"name-retired", "Sent over a retired name of this server"},
    {"relay", "Address that is not ours (relay attempt)"},
    {"unknown-recipient", "Unknown recipient"},
    {"not-a-member", "Sender may not post to the list"},
    {"unreadable", "Encrypted, and the list could not read it or make sure whose it is"},
    {"policy-broken", "A policy failed (deferred, sender tries again)"},
    {"policy", "Refused by policy"},
    {"loop", "Mail loop"},
    {"disk-full", "Not enough disk space (deferred)"},
    {"too-many-recipients", "Too many recipients"},
    {"local-error", "Postern was not able to (deferred, see the log)"},
    {"not-ready", "Postern was not ready (deferred)"},
    {"closed", "The list is closed"},
};

constexpr Entry States[] = {
    {"enabled", "On"},
    {"disabled", "Switched off"},
    {"delivered", "Delivered"},
    {"deferred", "Waiting to retry"},
    {"waiting", "Waiting"},
    {"queued", "Waiting"},
    {"active", "Being sent"},
    {"held", "Held"},
    {"paused", "Paused"},
    {"failed", "Failed"},
    {"expired", "Gave up"},
    {"blocked", "Stopped at the floor"},
    {"dropped", "Dropped"},
    {"withheld", "Withheld"},
    {"sent", "Sent"},
    {"confirmed", "Confirmed"},
    {"proposed", "Proposed"},
    {"revoked", "Revoked"},
    {"weak", "Weak"},
    {"expiring", "Expires soon"},
    {"open", "Open"},
    {"closed", "Closed"},
    {"planned", "Planned"},
    {"complete", "Complete"},
    {"sending", "Being sent out"},
    {"done", "Complete"},
    {"stuck", "Stuck"},
    {"trusted", "Trusted"},
    {"distrusted", "Does not count"},
    {"rejected", "Rejected"},
    {"ignored", "Ignored"},
    {"accepted", "Accepted"},
    {"bounced", "Bounced later"},
};

constexpr Entry Tones[] = {
    {"enabled", "good"},  {"delivered", "good"}, {"confirmed", "good"}, {"complete", "good"}, {"done", "good"},
    {"deferred", "wait"}, {"waiting", "wait"},   {"queued", "wait"},    {"active", "wait"},   {"held", "wait"},
    {"paused", "wait"},   {"proposed", "wait"},  {"expiring", "wait"},  {"withheld", "wait"}, {"sending", "wait"},
    {"failed", "bad"},    {"expired", "bad"},    {"blocked", "bad"},    {"revoked", "bad"},   {"weak", "bad"},
    {"stuck", "bad"},     {"rejected", "bad"},   {"bounced", "bad"},    {"trusted", "good"},  {"distrusted", "wait"},
};

constexpr Entry Verifications[] = {
    {"verified", "Certificate verified"},
    {"dane", "Verified by DANE"},
    {"mta-sts", "Verified, as the MTA-STS policy demands"},
    {"none", "Encrypted, peer not verified"},
};

constexpr Entry Classes[] = {
    {"low", "Low: everyday matters"},
    {"moderate", "Moderate: internal matters"},
    {"high", "High: health, personal or otherwise protected data"},
};

constexpr Entry Postings[] = {
    {"members", "Only members may post."},
    {"anyone", "Anyone may post."},
};

// To who sends a message, of one recipient.
constexpr Entry Meanings[] = {
    {"smime", "Encrypted to a certificate of this person."},
    {"openpgp", "Encrypted to a key of this person."},
    {"tls", "Goes straight to a mail server that proves itself, over an encrypted connection."},
    {"pickup", "Gets a mail without content, and reads the message here after proving the mailbox."},
    {"withheld", "Gets nothing: there is no protected way to this person."},
};

constexpr Entry Notices[] = {
    {"mail-sent", "The message was taken. Here is what becomes of it."},
    {"signed-out", "You are signed out."},
    {"session-ended", "Your session had ended, so nothing was changed. Sign in and do it again."},
    {"set-up", "Your account is ready. Sign in with it."},
    {"factor-added", "It was added. From now on you can prove yourself with it."},
    {"factor-removed", "It was removed."},
    {"password-changed", "Your password was changed."},
    {"session-closed", "The session was ended."},
    {"token-revoked", "The token was revoked. It opens nothing any more."},
    {"stepped-up", "Thank you. For five minutes you will not be asked again."},
    {"too-late", "What waited was carried out already, or it waited too long. Look here before you do it again."},
    {"person-saved", "The account was changed."},
    {"list-deleted", "The list is deleted: closed and hidden. What must be kept is kept."},
    {"access-signed", "The review is signed and on record."},
    {"emergency-reviewed", "The review is on record."},
    {"rotation-started", "The rotation has started."},
    {"keys-backed-up", "The backup of the keys was made. Move it to its own place."},
    {"job-cancelled", "The job was asked to stop. It stops at its next step."},
    {"list-created", "The list was created."},
    {"requests-granted", "The requests were granted. Who asked gets a mail."},
    {"requests-refused", "The requests were refused. Who asked gets a mail with a link to the reason."},
    {"member-invited", "The invitation is on its way."},
    {"ban-added", "Whoever that fits cannot join any more. Who is a member stays one."},
    {"members-taken", "The members were taken from the directory."},
    {"ban-removed", "The ban was taken back."},
    {"member-added", "The member was added."},
    {"list-saved", "The settings were saved."},
    {"list-closed", "The list is closed. It takes no more posts."},
    {"member-removed", "The member was removed."},
    {"key-refused", "The key is refused. Mail does not propose it again."},
    {"key-confirmed", "The key is confirmed. From now on copies are encrypted to it."},
    {"key-revoked", "The key is revoked. It is never used again here."},
    {"member-enabled", "Delivery to this member is on."},
    {"member-disabled", "Delivery to this member is off."},
    {"key-imported", "The key was imported."},
    {"list-keys-changed", "The keys of the list were changed."},
    {"protection-saved", "The protection was saved. The members stand anew."},
    {"pickup-saved", "The settings were saved. They hold for what is sent from now on."},
    {"wish-saved", "The wish was saved."},
    {"queue-retry", "Asked for another delivery attempt."},
    {"queue-hold", "It is held, and stays in the queue until you release it."},
    {"queue-release", "It is released."},
    {"queue-drop", "It was dropped and will not be delivered."},
    {"queue-reroute", "It is on its new way."},
    {"queue-paused", "Nothing is sent until you resume. Mail is taken all the same."},
    {"queue-resumed", "Mail is sent again."},
    {"destination-set", "The settings are in force."},
    {"destination-reset", "The destination is as usual again."},
    {"destination-pause", "Nothing is sent there until you resume."},
    {"destination-resume", "Mail is sent there again."},
    {"destination-retry", "Asked for another attempt for all that waits there."},
    {"destination-hold", "All that waits there is held."},
    {"destination-release", "All that was held there is released."},
    {"held-released", "The messages were released and go to their recipients."},
    {"held-deleted", "The messages were deleted and their contents destroyed."},
    {"held-kept", "The messages were deleted. Some of them must be kept for now, out of the quarantine."},
    {"sender-untrusted", "The sender is not trusted any more."},
    {"dkim-added", "The key was made. Publish its record now; it signs once the record is seen in the DNS."},
    {"policy-stored", "The policy set was stored as a candidate."},
    {"policy-in-force", "The policy set is in force."},
    {"policy-soon", "The policy set is on record, and comes into force within a minute of the gateway being back."},
    {"policy-shadow", "The policy set now judges live mail beside the one in force."},
    {"policy-shadow-over", "The shadow was ended; what it counted stays here."},
    {"policy-set", "The set was changed, and is in force."},
    {"policy-set-soon", "The set was changed. It comes into force within a minute of the gateway being back."},
    {"webhook-on", "The webhook is on. What happens from now on is told."},
    {"webhook-off", "The webhook is off. Nothing is noted for it meanwhile."},
    {"webhook-removed", "The webhook was removed, with what waited for it."},
    {"dkim-checked", "The DNS was asked."},
    {"relay-added", "The relay was added. Its marked mail is taken from now on."},
    {"relay-removed", "The relay was removed. Its mail for recipients elsewhere is refused."},
    {"evidence-begun", "The evidence pack is being made. It can be downloaded here as soon as it is ready."},
    {"evidence-removed", "The evidence pack was removed."},
    {"directory-added", "The directory was saved. Members without a key are looked up there now."},
    {"directory-removed", "The directory was removed. It is not asked any more."},
    {"authority-added", "The authority is trusted. All certificates are looked at again now."},
    {"authority-removed", "The authority is trusted no more. All certificates are looked at again now."},
    {"domain-marked",
     "It is recorded and in force. What was known of the domain's TLS is forgotten; ask its servers again."},
};

constexpr std::array<ErrorWords, 9> Errors = {{
    {"malformed", "This request cannot be read", "The browser sent something that Postern does not understand.",
     "Go back, reload the page and try again."},
    {"forbidden", "This is not allowed", "Your account may not do this.", "Nothing was changed."},
    {"not-found", "There is no such page", "The address leads nowhere, or what it showed is gone.",
     "Check the address, or start from the dashboard."},
    {"method", "This page does not work that way", "It was asked for by a method that it does not know.",
     "Start from the dashboard."},
    {"conflict", "That did not work", "Postern refused the order.", "Nothing was changed."},
    {"too-large", "That is too large", "Forms and uploads may have 1 MB at most.",
     "A certificate has a few kilobytes."},
    {"too-many", "Too many attempts", "There were too many attempts from your network address.",
     "Wait five minutes, then try again."},
    {"broken", "Something is broken", "Postern could not do this. The cause is in the log of postern-webadmin.",
     "Try again; if it stays so, look into the log."},
    {"unavailable", "The list service does not answer",
     "The web interface works, but postern-listd, which holds lists and members, does not answer. Mail that comes in "
     "is still accepted and kept safe until it is back.",
     "On the server run: postern status. The cause is in the log of postern-listd. Then reload this page."},
}};

}  // namespace

std::string time(TimePoint at) {
  auto text = formatRfc3339(at);  // 2026-03-01T12:00:00Z
  text[10] = ' ';
  text.replace(19, 1, " UTC");
  return text;
}

std::string day(TimePoint at) {
  return formatRfc3339(at).substr(0, 10);
}

std::string duration(std::chrono::microseconds length) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(length).count();
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) return std::to_string(seconds / 60) + " min";
  if (seconds < 48 * 3600) return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds / 86400) + " days";
}

std::string relative(TimePoint at, TimePoint now) {
  constexpr std::chrono::days Far{60};  // "in 1,700 days" tells nobody anything
  if (at - now > Far || now - at > Far) return day(at);
  return at <= now ? duration(now - at) + " ago" : "in " + duration(at - now);
}

std::string count(std::uint64_t number) {
  auto text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

std::string size(std::uint64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + " bytes";
  constexpr std::array Units = {"kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  for (; value >= 999.95 && unit + 1 < Units.size(); ++unit) value /= 1000;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", value, Units[unit]);
  return text.data();
}

std::string fingerprint(std::string_view hex) {
  std::string text;
  for (std::size_t i = 0; i < hex.size(); ++i) {
    if (i && i % 4 == 0) text += ' ';
    text += hex[i];
  }
  return text;
}

std::string meaning(std::string_view protection) {
  return lookUp(Meanings, protection);
}

std::string protection(std::string_view word) {
  return app::protectionTitle(word);
}
std::string reason(std::string_view word) {
  return app::reasonText(word);
}
std::string refusal(std::string_view word) {
  return lookUp(Refusals, word);
}
std::string state(std::string_view word) {
  return lookUp(States, word);
}
std::string listClass(std::string_view word) {
  return lookUp(Classes, word);
}
std::string posting(std::string_view word) {
  return lookUp(Postings, word);
}

std::string toneOf(std::string_view stateWord) {
  const auto tone = lookUp(Tones, stateWord);
  return tone == stateWord ? "quiet" : tone;
}

std::string verification(std::string_view word) {
  if (word.empty()) return {};
  const auto text = lookUp(Verifications, word);
  return text == word ? "Encrypted, peer not verified: " + text : text;
}

std::string sentence(std::string_view text) {
  std::string made(text);
  const auto word = text.substr(0, text.find(' '));
  const auto isLetter = [](char c) { return (c >= 'a' && c <= 'z') || c == ':'; };
  if (!word.empty() && word[0] != ':' && std::all_of(word.begin(), word.end(), isLetter))
    made[0] = static_cast<char>(made[0] - 'a' + 'A');
  const bool endsOpen = !made.empty() && std::string_view(".!?:>").find(made.back()) == std::string_view::npos;
  if (endsOpen && text.find(": postern ") == std::string_view::npos) made += '.';
  return made;
}

std::string notice(std::string_view code) {
  const auto text = lookUp(Notices, code);
  if (text != code) return text;
  const auto ofRecords = recordNotice(code);
  return ofRecords == code ? std::string() : ofRecords;
}

ErrorWords errorPage(int status) {
  switch (status) {
    case 400:
    case 411:
      return Errors[0];
    case 403:
      return Errors[1];
    case 404:
      return Errors[2];
    case 405:
      return Errors[3];
    case 409:
      return Errors[4];
    case 413:
      return Errors[5];
    case 429:
      return Errors[6];
    case 503:
      return Errors[8];
    default:
      return Errors[7];
  }
}

}  // namespace postern::webadmin::words
