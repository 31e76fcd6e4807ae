#include "cli/SupportBundle.h"

#include "cli/Hardening.h"
#include "core/app/Orders.h"
#include "core/base/Clock.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/config/SiteConfig.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"

#include <archive.h>
#include <archive_entry.h>
#include <Poco/Pipe.h>
#include <Poco/PipeStream.h>
#include <Poco/Process.h>
#include <Poco/StreamCopier.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

namespace postern::cli {

using nlohmann::json;

namespace {

namespace fs = std::filesystem;

// Orders whose answers tell how the site is and name no mail.
constexpr std::pair<const char*, const char*> Orders[] = {
    {"status", "status.json"},
    {"queue.list", "queue.json"},
    {"job.list", "jobs.json"},
    {"keys.status", "keys.json"},
    {"audit.status", "audit.json"},
    {"backup.status", "backups.json"},
    {"retention.status", "retention.json"},
    {"route.list", "routes.json"},
    {"domain.list", "domains.json"},
    {"list.list", "lists.json"},
};

constexpr char ReadMe[] =
    "A support bundle of Postern.\n\n"
    "In it: versions, settings, the state of the site and of its jobs, names, sizes and owners of files, what the "
    "check of\n"
    "this machine found, and the journal of the processes.\n"
    "Not in it: mail, subjects, keys, passwords, tokens. The parts of mail addresses before the @ are replaced by "
    "stand-ins,\n"
    "which are the same for the same address within this bundle and tell nothing outside of it.\n"
    "Read it before you pass it on.\n";

bool isLocal(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("!#$%&'*+/=?^_`{|}~.-").find(c) != std::string_view::npos ||
         static_cast<unsigned char>(c) >= 0x80;
}

class Bundle {
public:
  explicit Bundle(const fs::path& path) : path_(path), archive_(::archive_write_new(), &::archive_write_free) {
    if (fs::exists(path)) throw Error(ErrorKind::Config, path.string() + " is there already; name a new file");
    const auto mask = ::umask(0077);
    check(::archive_write_add_filter_gzip(archive_.get()));
    check(::archive_write_set_format_pax_restricted(archive_.get()));
    const int opened = ::archive_write_open_filename(archive_.get(), path.c_str());
    ::umask(mask);
    check(opened);
  }

  void add(const std::string& name, const std::string& content) {
    const std::unique_ptr<archive_entry, decltype(&::archive_entry_free)> entry(::archive_entry_new(),
                                                                                &::archive_entry_free);
    ::archive_entry_set_pathname(entry.get(), ("postern-support/" + name).c_str());
    ::archive_entry_set_filetype(entry.get(), AE_IFREG);
    ::archive_entry_set_perm(entry.get(), 0600);
    ::archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
    check(::archive_write_header(archive_.get(), entry.get()));
    if (::archive_write_data(archive_.get(), content.data(), content.size()) < 0) check(ARCHIVE_FATAL);
    names_.push_back(name);
  }

  std::vector<std::string> finish() {
    check(::archive_write_close(archive_.get()));
    return names_;
  }

private:
  void check(int code) {
    if (code >= ARCHIVE_WARN) return;
    const auto* text = ::archive_error_string(archive_.get());
    throw Error(ErrorKind::Io, "cannot write " + path_.string() + ": " + (text != nullptr ? text : "unknown"));
  }

  const fs::path path_;
  std::unique_ptr<archive, decltype(&::archive_write_free)> archive_;
  std::vector<std::string> names_;
};

std::string answerOf(const Context& context, const char* order) {
  try {
    return context.give(order, json::object()).dump(2);
  } catch (const app::OrderRefused& refused) {
    return json{{"refused", refused.error().message}}.dump(2);
  } catch (const Error& error) {
    return json{{"unavailable", error.message()}}.dump(2);
  }
}

std::string outputOf(const std::string& program, const std::vector<std::string>& arguments) {
  Poco::Pipe output;
  std::string text;
  try {
    const auto process = Poco::Process::launch(program, arguments, "/", nullptr, &output, &output, {});
    Poco::PipeInputStream stream(output);
    Poco::StreamCopier::copyToString(stream, text);
    process.wait();
  } catch (const Poco::Exception& error) {  // not on this machine
    return program + ": " + error.displayText() + "\n";
  }
  return text;
}

std::string versions() {
  utsname kernel{};
  ::uname(&kernel);
  std::ostringstream out;
  out << "postern " << POSTERN_VERSION << "\nkernel " << kernel.release << " " << kernel.machine << "\n";
  std::error_code none;
  if (fs::exists("/etc/os-release", none)) out << files::read("/etc/os-release");
  out << outputOf("dpkg-query", {"-W", "postern*", "libssl3", "libsqlite3-0", "libpocofoundation80", "librnp0",
                                 "libunbound8", "postfix", "rspamd", "restic"});
  return out.str();
}

std::string filesOf(const fs::path& folder) {
  std::ostringstream out;
  std::error_code none;
  constexpr std::size_t Most = 20'000;
  std::size_t count = 0;
  for (const auto& entry :
       fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied, none)) {
    struct stat facts {};
    if (++count > Most || ::lstat(entry.path().c_str(), &facts) != 0) continue;
    char mode[8];
    std::snprintf(mode, sizeof mode, "%06o", facts.st_mode & 0177777U);
    out << mode << ' ' << facts.st_uid << ':' << facts.st_gid << ' ' << facts.st_size << ' ' << facts.st_blocks * 512
        << ' ' << entry.path().lexically_relative(folder).string() << '\n';
  }
  if (count > Most) out << "… and " << count - Most << " more\n";
  return out.str();
}

std::string hardeningOf(const Context& context) {
  std::ostringstream out;
  for (const auto& each : lookAtHardening(context.dataFolder))
    out << (each.state == HardeningFinding::State::Good  ? "good     "
            : each.state == HardeningFinding::State::Bad ? "BAD      "
                                                         : "warning  ")
        << each.what << (each.todo.empty() ? "" : " -> ") << each.todo << '\n';
  return out.str();
}

}  // namespace

Redactor::Redactor() : key_(crypto::randomBytes(16)) {}

std::string Redactor::standIn(std::string_view localPart) {
  return "<" + crypto::hex(crypto::sha256(key_ + std::string(localPart))).substr(0, 8) + ">";
}

std::string Redactor::operator()(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto sign = text.find('@', at);
    if (sign == std::string_view::npos) {
      out.append(text.substr(at));
      break;
    }
    auto begin = sign;
    while (begin > at && isLocal(text[begin - 1])) --begin;
    out.append(text.substr(at, begin - at));
    if (begin < sign) out += standIn(text.substr(begin, sign - begin));
    out += '@';
    at = sign + 1;
  }
  // Long runs of the alphabets of keys and tokens, and whatever is given to a name that says secret.
  static const std::regex Runs("[A-Za-z0-9+/_-]{40,}={0,2}");
  static const std::regex Named("((?:password|secret|token|passphrase|key)\"?\\s*[:=]\\s*\"?)([^\"\\s,}]{8,})",
                                std::regex::icase);
  return std::regex_replace(std::regex_replace(out, Named, "$1<secret>"), Runs, "<long>");
}

Exit makeSupportBundle(const Context& context, const SupportOptions& options) {
  const auto site = config::loadSiteConfig(context.dataFolder);
  Redactor redact;
  Bundle bundle(options.file);
  bundle.add("README.txt", ReadMe);
  bundle.add("versions.txt", versions());
  bundle.add("settings.toml", redact(config::describeSiteConfig(site)));
  bundle.add("drift.json", redact(configDrift(context.dataFolder).dump(2)));
  bundle.add("hardening.txt", redact(hardeningOf(context)));
  bundle.add("files.txt", redact(filesOf(site.dataFolder)));
  for (const auto& [order, file] : Orders) bundle.add(file, redact(answerOf(context, order)));
  bundle.add("journal.txt",
             redact(outputOf("journalctl", {"--no-pager", "--output=short-iso-precise", "--unit=postern*",
                                            "--since=-" + std::to_string(options.days) + "d"})));
  bundle.add("units.txt", redact(outputOf("systemctl", {"--no-pager", "status", "postern*"})));
  const auto names = bundle.finish();
  if (context.json) {
    context.out << json{{"file", options.file}, {"names", names}}.dump(2) << "\n";
    return Exit::Ok;
  }
  context.out << options.file << " holds " << names.size()
              << " files without mail, keys and names of people. Read it before you pass it on:\n";
  for (const auto& name : names) context.out << "  " << name << "\n";
  return Exit::Ok;
}

}  // namespace postern::cli
