#include "listd/keys/DirectoryStore.h"

namespace postern::listd {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text.append(text.empty() ? "" : " ").append(word);
  return text;
}

std::vector<std::string> wordsOf(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace

void DirectoryStore::set(const Directory& directory) {
  database_
      .prepare(
          "INSERT OR REPLACE INTO directories (name, url, authorities, bind_name, base, filter, attributes, domains, "
          "authoritative, made_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(directory.name, directory.url, directory.authorities, directory.bindName, directory.base, directory.filter,
            joined(directory.attributes), joined(directory.domains), directory.authoritative, directory.madeAt)
      .run();
}

std::vector<Directory> DirectoryStore::all() const {
  auto select = database_.prepare(
      "SELECT name, url, authorities, bind_name, base, filter, attributes, domains, authoritative, made_at, "
      "answered_at, answer, failed_at, failure FROM directories ORDER BY name");
  select.bind();
  std::vector<Directory> directories;
  while (select.step())
    directories.push_back({select.text(0),
                           select.text(1),
                           select.text(2),
                           select.text(3),
                           select.text(4),
                           select.text(5),
                           wordsOf(select.view(6)),
                           wordsOf(select.view(7)),
                           select.boolean(8),
                           select.time(9),
                           {select.time(10), select.text(11)},
                           {select.time(12), select.text(13)}});
  return directories;
}

bool DirectoryStore::remove(std::string_view name) {
  database_.prepare("DELETE FROM directories WHERE name = ?").bind(name).run();
  return database_.changes() > 0;
}

void DirectoryStore::noteAsked(std::string_view name, bool answered, const LookupNote& note) {
  database_
      .prepare(answered ? "UPDATE directories SET answered_at = ?, answer = ? WHERE name = ?"
                        : "UPDATE directories SET failed_at = ?, failure = ? WHERE name = ?")
      .bind(note.askedAt, note.outcome, name)
      .run();
}

void DirectoryStore::noteLookup(std::string_view address, const LookupNote& note) {
  database_.prepare("INSERT OR REPLACE INTO key_lookups (address, asked_at, outcome) VALUES (?, ?, ?)")
      .bind(address, note.askedAt, note.outcome)
      .run();
}

std::optional<LookupNote> DirectoryStore::lookup(std::string_view address) const {
  auto select = database_.prepare("SELECT asked_at, outcome FROM key_lookups WHERE address = ?");
  if (!select.bind(address).step()) return std::nullopt;
  return LookupNote{select.time(0), select.text(1)};
}

void DirectoryStore::forgetLookups() {
  database_.prepare("DELETE FROM key_lookups").bind().run();
}

std::vector<std::string> DirectoryStore::addressesToLookUp(std::string_view after, TimePoint now, TimePoint before,
                                                           std::uint32_t limit) const {
  auto select = database_.prepare(
      "SELECT DISTINCT m.address FROM members m JOIN lists l ON l.id = m.list_id WHERE m.address > ? AND m.state = "
      "'enabled' AND l.secure = 1 AND l.deleted_at = 0 AND NOT EXISTS (SELECT 1 FROM member_keys k WHERE k.address = "
      "m.address AND k.state = 'confirmed' AND k.origin <> 'lookup' AND k.verdict IN "
      "('valid-certificate', 'valid-openpgp-key') AND k.not_after > ?) AND NOT EXISTS (SELECT 1 FROM key_lookups q "
      "WHERE q.address = m.address AND "
      "q.asked_at >= ?) ORDER BY m.address LIMIT ?");
  select.bind(after, now, before, limit);
  std::vector<std::string> addresses;
  while (select.step()) addresses.push_back(select.text(0));
  return addresses;
}

void DirectoryStore::addAuthority(const TrustedAuthority& authority) {
  database_
      .prepare(
          "INSERT INTO trusted_authorities (fingerprint, certificate, subject, not_after, added_at, added_by) VALUES "
          "(?, ?, ?, ?, ?, ?)")
      .bind(authority.fingerprint, store::Blob{authority.certificate}, authority.subject, authority.notAfter,
            authority.addedAt, authority.addedBy)
      .run();
}

std::vector<TrustedAuthority> DirectoryStore::authorities() const {
  auto select = database_.prepare(
      "SELECT fingerprint, certificate, subject, not_after, added_at, added_by FROM trusted_authorities ORDER BY "
      "subject, fingerprint");
  select.bind();
  std::vector<TrustedAuthority> authorities;
  while (select.step())
    authorities.push_back(
        {select.text(0), select.blob(1), select.text(2), select.time(3), select.time(4), select.text(5)});
  return authorities;
}

bool DirectoryStore::removeAuthority(std::string_view fingerprint) {
  database_.prepare("DELETE FROM trusted_authorities WHERE fingerprint = ?").bind(fingerprint).run();
  return database_.changes() > 0;
}

}  // namespace postern::listd
