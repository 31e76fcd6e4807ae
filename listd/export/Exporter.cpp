#include "listd/export/Exporter.h"

#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Log.h"
#include "core/base/Periodic.h"
#include "core/crypto/Aead.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "listd/archive/Archive.h"
#include "listd/export/ExportFormats.h"
#include "listd/export/ZipWriter.h"

#include <thread>

namespace postern::listd {
namespace {

using nlohmann::json;

constexpr std::string_view TextKey = "postern matter texts v1";
constexpr const char* SiteKeyName = "export";

constexpr const char* ReadMe =
    "This archive was made by Postern. manifest.json names every file with its SHA-256 and every message with its\n"
    "digest at receipt; what could not be exported is under \"missing\". custody.json says who asked for what, and "
    "when.\n"
    "The manifest is signed (Ed25519). To check the signature:\n\n"
    "  openssl pkeyutl -verify -pubin -inkey manifest-key.pem -rawin -in manifest.json -sigfile manifest.sig\n\n"
    "Compare the key's fingerprint with the one that the site's compliance officer or auditor tells you.\n";

std::string numbered(std::uint64_t number) {
  const auto digits = std::to_string(number);
  return std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits;
}

// One run of the job, from an empty archive to a signed one.
class ExportRun {
public:
  ExportRun(SiteContext& context, const Export& made, const std::filesystem::path& path, const Secret& passphrase)
      : context_(context), made_(made), zip_(path, passphrase), now_(context.clock.now()) {}

  // False: it was stopped.
  bool writeMessages(const std::vector<std::uint64_t>& objects, JobContext& job) {
    if (made_.format == "mbox") zip_.begin("mail.mbox", now_);
    for (std::size_t i = 0; i < objects.size(); ++i) {
      if (job.stopRequested()) return false;
      writeMessage(numbered(i + 1), objects[i]);
      if (i % 100 == 0) job.progress(i, objects.size(), "writing messages");
    }
    if (made_.format == "mbox") files_.push_back(zip_.end());
    if (made_.format == "load-file") {
      files_.push_back(zip_.add("loadfile.dat", datHeader() + dat_, now_));
      files_.push_back(zip_.add("loadfile.xml", edrmHeader() + edrm_ + edrmFooter(), now_));
    }
    return true;
  }

  // Adds chain of custody, manifest and signature, and fills in what is known of the archive now.
  Export finish() {
    files_.push_back(zip_.add("custody.json", custody().dump(2) + "\n", now_));
    files_.push_back(zip_.add("README.txt", ReadMe, now_));
    const auto key = exportKey(context_);
    const auto manifestText = manifest().dump(2) + "\n";
    zip_.add("manifest.json", manifestText, now_);
    zip_.add("manifest.sig", key.sign(manifestText), now_);
    zip_.add("manifest-key.pem", publicKeyPem(key.verifier()), now_);
    const auto whole = zip_.finish();
    auto result = made_;
    result.missing = missing_.size();
    result.bytes = whole.bytes;
    result.sha256 = whole.sha256;
    result.manifestSha256 = crypto::hex(crypto::sha256(manifestText));
    result.finishedAt = now_;
    result.expiresAt = now_ + ExportsKept;
    result.state = "done";
    return result;
  }

private:
  void writeMessage(const std::string& number, std::uint64_t id) {
    const auto object = context_.site.read([&](SiteTables& tables) { return tables.archive.find(id); });
    auto content = object ? Archive(context_).open(id) : std::nullopt;
    if (!content) return noteMissing(id, object);
    const auto digest = crypto::hex(crypto::sha256(*content));
    json entry = {{"object", std::to_string(id)},
                  {"number", number},
                  {"receivedAt", formatRfc3339(object->receivedAt)},
                  {"sha256AsKept", digest}};
    if (!object->digest.empty()) entry["asReceived"] = object->digest == digest;
    if (made_.redactBcc) *content = withoutBcc(*content);
    entry["sha256"] = crypto::hex(crypto::sha256(*content));
    entry["bytes"] = content->size();
    if (made_.format == "mbox") {
      zip_.append(mboxEntry(*content, object->receivedAt));
      entry["file"] = "mail.mbox";
    } else {
      const auto name = "messages/" + number + ".eml";
      files_.push_back(zip_.add(name, *content, object->receivedAt));
      entry["file"] = name;
    }
    if (made_.format == "load-file") addLoadRow(number, *object, *content, entry);
    messages_.push_back(std::move(entry));
  }

  void addLoadRow(const std::string& number, const StoredObject& object, const std::string& content, json& entry) {
    LoadRow row{number,
                object.id,
                MessageCard::read(content, true),
                object.receivedAt,
                content.size(),
                entry.at("sha256").get<std::string>(),
                entry.at("file").get<std::string>(),
                "text/" + number + ".txt"};
    auto text = "From: " + row.card.from + "\nTo: " + row.card.to + "\nCc: " + row.card.cc +
                "\nDate: " + row.card.date + "\nSubject: " + row.card.subject + "\n\n";
    text += row.card.sealed ? "[end-to-end encrypted: the text is not readable here]\n" : row.card.text;
    files_.push_back(zip_.add(row.text, text, object.receivedAt));
    entry["text"] = row.text;
    dat_ += datLine(row);
    edrm_ += edrmDocument(row);
  }

  void noteMissing(std::uint64_t id, const std::optional<StoredObject>& object) {
    std::string reason = "there is no such message";
    if (object && object->state == ObjectState::Stored) reason = "its content is not in the vault";
    if (object && object->state != ObjectState::Stored)
      reason = "destroyed under the retention rules" +
               (toMicros(object->destroyedAt) == 0 ? std::string() : " at " + formatRfc3339(object->destroyedAt));
    missing_.push_back({{"object", std::to_string(id)}, {"reason", reason}});
  }

  json custody() const {
    return {{"site", context_.config.hostName},
            {"export", made_.id},
            {"matter", made_.matterId},
            {"requestedBy", made_.createdBy},
            {"requestedAt", formatRfc3339(made_.createdAt)},
            {"selection", openForMatter(context_, made_.matterId, made_.sealedQuery)},
            {"format", made_.format},
            {"bccRedacted", made_.redactBcc},
            {"messagesAsked", messages_.size() + missing_.size()},
            {"messagesExported", messages_.size()},
            {"messagesMissing", missing_.size()},
            {"writtenAt", formatRfc3339(now_)},
            {"startedTimes", made_.starts},
            {"startedAgain", made_.starts > 1 ? "the writing was interrupted and done anew from the same list" : ""},
            {"tool", "Postern " POSTERN_VERSION},
            {"downloads", "recorded in the audit log and shown by: postern export show"}};
  }

  json manifest() const {
    json files = json::array();
    for (const auto& file : files_)
      files.push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}});
    return {{"type", "postern-export-1"},     {"export", made_.id},
            {"matter", made_.matterId},       {"files", files},
            {"messages", messages_},          {"missing", missing_},
            {"bccRedacted", made_.redactBcc}, {"writtenAt", formatRfc3339(now_)}};
  }

  SiteContext& context_;
  const Export& made_;
  ZipWriter zip_;
  const TimePoint now_;
  std::vector<ZipWriter::File> files_;
  json messages_ = json::array();
  json missing_ = json::array();
  std::string dat_;
  std::string edrm_;
};

std::filesystem::path partOf(const std::filesystem::path& path) {
  return path.string() + ".part";
}

void store(SiteContext& context, const Export& made) {
  context.site.write([&](SiteTables& tables) { tables.search.update(made); });
}

json runExport(SiteContext& context, Export& made, JobContext& job) {
  const auto path = exportFile(context, made.id);
  files::makePrivateFolder(path.parent_path());
  const auto free = files::freeSpace(path.parent_path());
  if (free < context.config.minFreeSpace)
    throw Error(ErrorKind::DiskFull, "there is no room for an export in " + path.parent_path().string() + ": " +
                                         std::to_string(free >> 20) + " MB are free");
  ++made.starts;
  made.trouble.clear();
  store(context, made);
  const auto objects = context.site.read([&](SiteTables& tables) { return tables.search.objectsOf(made.id); });
  const Secret passphrase(openForMatter(context, made.matterId, made.sealedPassphrase));
  ExportRun run(context, made, partOf(path), passphrase);
  if (!run.writeMessages(objects, job)) {
    std::filesystem::remove(partOf(path));
    return nullptr;
  }
  auto done = run.finish();
  done.sealedPassphrase.clear();
  std::filesystem::rename(partOf(path), path);
  files::syncFolder(path.parent_path());
  const bool wanted = context.site.write([&](SiteTables& tables) {
    const auto now = tables.search.findExport(done.id);
    if (!now || now->state != "waiting") return false;  // removed meanwhile
    tables.search.update(done);
    return true;
  });
  if (!wanted) {
    std::filesystem::remove(path);
    return nullptr;
  }
  return {{"export", done.id}, {"bytes", done.bytes}, {"sha256", done.sha256}, {"missing", done.missing}};
}

}  // namespace

std::string sealForMatter(const SiteContext& context, std::uint64_t matterId, std::string_view text) {
  return crypto::AeadKey(context.root.derive(TextKey)).seal(text, "matter/" + std::to_string(matterId));
}

std::string openForMatter(const SiteContext& context, std::uint64_t matterId, std::string_view sealed) {
  return crypto::AeadKey(context.root.derive(TextKey)).open(sealed, "matter/" + std::to_string(matterId));
}

audit::SignerKey exportKey(SiteContext& context) {
  const auto name = context.config.hostName + "/export";
  if (auto seed = context.keys.siteKey(SiteKeyName)) return audit::SignerKey(name, std::move(*seed));
  auto key = audit::SignerKey::generate(name);
  context.keys.storeSiteKey(SiteKeyName, key.seed(), key.verifier().publicKey());
  return key;
}

std::string publicKeyPem(const audit::VerifierKey& key) {
  // SubjectPublicKeyInfo of Ed25519 (RFC 8410 §4): always this prefix.
  const auto prefix = crypto::fromHex("302a300506032b6570032100");
  return "-----BEGIN PUBLIC KEY-----\n" + crypto::base64(*prefix + key.publicKey()) + "\n-----END PUBLIC KEY-----\n";
}

std::filesystem::path exportFile(const SiteContext& context, std::uint64_t exportId) {
  return context.config.path("exports") / (std::to_string(exportId) + ".zip");
}

namespace {

constexpr std::chrono::seconds LookForRoom{1};

// What could be written of the archive is gone; a full disk may not even take this note, which is then made later.
void pause(SiteContext& context, Export& made, JobContext& job, const std::string& why) {
  job.progress(0, made.objects, "paused: " + why + "; it goes on by itself once there is room");
  try {  // the boundary of a note that only tells people
    made.trouble = why;
    store(context, made);
  } catch (const std::exception& error) {
    log::error("export", "that an export is paused cannot be written", {{"export", made.id}, {"error", error.what()}});
  }
}

// False when the job is to stop. A site that is nearly full is left alone until there is room for mail and archive.
bool waitForRoom(const SiteContext& context, const JobContext& job, std::uint64_t needed) {
  const auto folder = context.config.path("exports");
  do {
    for (auto waited = std::chrono::milliseconds(0); waited < LookForRoom; waited += std::chrono::milliseconds(100)) {
      if (job.stopRequested()) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  } while (files::freeSpace(folder) < context.config.minFreeSpace + needed);
  return true;
}

std::uint64_t sizeOf(const std::filesystem::path& path) {
  std::error_code missing;
  const auto size = std::filesystem::file_size(path, missing);
  return missing ? 0 : size;
}

void fail(SiteContext& context, Export& made, const std::string& why) {
  made.state = "failed";
  made.trouble = why;
  made.sealedPassphrase.clear();
  made.finishedAt = context.clock.now();
  store(context, made);
}

}  // namespace

JobRunner::Work exportWork(SiteContext& context) {
  return [&context](JobContext& job) -> json {
    const auto id = job.job().args.at("export").get<std::uint64_t>();
    while (true) {
      auto found = context.site.read([&](SiteTables& tables) { return tables.search.findExport(id); });
      if (!found || found->state != "waiting") return {{"export", id}, {"state", found ? found->state : "removed"}};
      const auto part = partOf(exportFile(context, id));
      std::error_code ignored;
      try {  // the boundary of a queue job: a failed export leaves nothing
        return runExport(context, *found, job);
      } catch (const Error& error) {
        const auto written = sizeOf(part);
        std::filesystem::remove(part, ignored);
        if (error.kind() != ErrorKind::DiskFull) {
          fail(context, *found, error.message());
          throw;
        }
        pause(context, *found, job, error.message());
        if (!waitForRoom(context, job, written)) return nullptr;
      } catch (const std::exception& error) {
        std::filesystem::remove(part, ignored);
        fail(context, *found, error.what());
        throw;
      }
    }
  };
}

void removeExport(SiteContext& context, SiteTables& tables, Export made, std::string state) {
  const auto path = exportFile(context, made.id);
  std::filesystem::remove(path);
  std::filesystem::remove(partOf(path));
  made.state = std::move(state);
  made.sealedPassphrase.clear();
  tables.search.update(made);
}

ExportSweeper::ExportSweeper(SiteContext& context) : context_(context) {
  thread_ = std::jthread([this](const std::stop_token& stop) {
    repeatUntilStopped(stop, std::chrono::hours(1), [this] {
      try {  // the boundary of a queue job: it is tried again in an hour
        runOnce();
      } catch (const std::exception& error) {
        log::error("export", "old exports cannot be removed", {{"error", error.what()}});
      }
    });
  });
}

void ExportSweeper::runOnce() {
  const auto now = context_.clock.now();
  context_.site.write([&](SiteTables& tables) {
    for (const auto& made : tables.search.exports(0)) {
      const bool old = made.state == "done" && made.expiresAt <= now;
      const bool forgotten = made.state == "waiting" && made.createdAt + ExportsKept <= now;
      if (old || forgotten) removeExport(context_, tables, made, "expired");
    }
  });
}

}  // namespace postern::listd
