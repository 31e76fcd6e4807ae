#include "cli/SearchVerbs.h"

#include "cli/Render.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

namespace postern::cli {
namespace {

using nlohmann::json;
using Kind = Parameter::Kind;
using Type = Parameter::Type;

Parameter wanted(const char* name, const char* field, const char* doc) {
  return {Kind::Positional, name, field, doc, true};
}
Parameter option(const char* name, const char* field, const char* doc, Type type = Type::Text) {
  return {Kind::Option, name, field, doc, false, type};
}
Parameter needed(const char* name, const char* field, const char* doc) {
  return {Kind::Option, name, field, doc, true};
}
Parameter flag(const char* name, const char* field, const char* doc) {
  return {Kind::Flag, name, field, doc, false, Type::Truth};
}

void record(std::ostream& out, const json& result) {
  renderRecord(out, result);
}

void hits(std::ostream& out, const json& result) {
  out << (result.value("moreThan", false) ? "more than " : "") << result.at("hits") << " found";
  if (result.at("notEvaluable") != 0)
    out << "; " << result.at("notEvaluable") << " more cannot be searched: encrypted, damaged or not indexed yet";
  out << "\n";
  renderTable(out, result.at("items"),
              {{"OBJECT", "object"}, {"RECEIVED", "receivedAt"}, {"FROM", "from"}, {"SUBJECT", "subject"}}, "");
  const auto next = result.value("next", "");
  if (!next.empty()) out << "(more: --after " << next << ")\n";
}

void exports(std::ostream& out, const json& result) {
  renderTable(out, result.at("items"),
              {{"ID", "id"},
               {"MATTER", "matter"},
               {"FORMAT", "format"},
               {"OBJECTS", "objects"},
               {"STATE", "state"},
               {"BY", "createdBy"},
               {"EXPIRES", "expiresAt"}},
              "No exports.");
}

// A file that is removed again unless it is kept.
class Target {
public:
  explicit Target(std::filesystem::path path) : path_(std::move(path)) {
    file_ = FileDescriptor(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file_) throwErrno("make", path_.string());
  }
  ~Target() {
    std::error_code ignored;
    if (!kept_) std::filesystem::remove(path_, ignored);
  }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  void write(std::string_view bytes) { files::writeAll(file_.get(), bytes, path_.string()); }
  void keep() {
    if (::fsync(file_.get()) != 0) throwErrno("sync", path_.string());
    kept_ = true;
  }

private:
  const std::filesystem::path path_;
  FileDescriptor file_;
  bool kept_ = false;
};

// The export once it is written or will not be.
json waitFor(const Context& context, const ExportGetOptions& options) {
  for (;;) {
    auto view = context.give(options.evidence ? "evidence.show" : "export.show", {{"id", options.id}});
    if (view.at("state") != "waiting" && view.at("state") != "running") return view;
    const auto& job = options.evidence ? view : view.at("job");
    if (job.is_object() && !context.json)
      context.err << "\r" << job.at("done") << " of " << job.at("total")
                  << (options.evidence ? " parts of the pack" : " messages") << std::flush;
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }
}

}  // namespace

std::vector<OrderVerb> searchVerbs() {
  return {
      {"search",
       "",
       "search",
       "Searches the stored mail; needs the role of a compliance officer.",
       {wanted("query", "query", "as in: dialysis from:bob@example.org after:2025-01-01"),
        option("--matter", "matter", "the matter that the search is for"),
        option("--limit", "limit", "most rows to show (20)", Type::Number),
        option("--after", "after", "go on after this message"), option("--sort", "sort", "newest or oldest first"),
        flag("--count", "count", "only say how many")},
       hits},
      {"index", "status", "index.status", "Shows how much of the stored mail can be searched.", {}, record},
      {"index", "rebuild", "index.rebuild", "Makes the search index anew; searches go on meanwhile.", {}, record},
      {"export",
       "create",
       "export.create",
       "Exports what a search finds as an encrypted archive.",
       {wanted("query", "query", "as in search"), needed("--matter", "matter", "the matter that it is for"),
        option("--format", "format", "eml, mbox or load-file (eml)"),
        flag("--redact-bcc", "redactBcc", "leave Bcc fields out")},
       [](std::ostream& out, const json& result) {
         out << "export " << result.at("id") << " of " << result.at("objects")
             << " messages begun\npassphrase: " << result.at("passphrase").get<std::string>()
             << "\nIt is shown once and stored nowhere: write it down.\n";
       }},
      {"export",
       "list",
       "export.list",
       "Shows the exports.",
       {option("--matter", "matter", "only of this matter")},
       exports},
      {"export",
       "show",
       "export.show",
       "Shows one export with its chain of custody.",
       {wanted("id", "id", "the export")},
       record},
      {"export",
       "remove",
       "export.remove",
       "Removes the archive of an export; its record stays.",
       {wanted("id", "id", "the export")},
       [](std::ostream& out, const json&) { out << "removed\n"; }},
  };
}

Exit getExport(const Context& context, const ExportGetOptions& options) {
  const auto view = waitFor(context, options);
  if (view.at("state") != "done") {
    if (context.json) context.out << view.dump(2) << "\n";
    context.err << (options.evidence ? "\nthe evidence pack is " : "\nthe export is ")
                << view.at("state").get<std::string>() << ": "
                << view.value(options.evidence ? "message" : "trouble", "") << "\n";
    return Exit::No;
  }
  Target target(options.file);
  crypto::Sha256 digest;
  const auto total = view.at("bytes").get<std::uint64_t>();
  std::string ticket;  // of an evidence pack: that its download has begun
  for (std::uint64_t at = 0; at < total;) {
    json args{{"id", options.id}, {"offset", at}};
    if (!ticket.empty()) args["ticket"] = ticket;
    const auto answer = context.give(options.evidence ? "evidence.read" : "export.read", args);
    ticket = answer.value("ticket", "");
    const auto bytes = crypto::fromBase64(answer.at("bytes").get<std::string>());
    if (!bytes || bytes->empty()) throw Error(ErrorKind::Malformed, "the archive ended before its time");
    target.write(*bytes);
    digest.update(*bytes);
    at += bytes->size();
  }
  if (crypto::hex(digest.finish()) != view.at("sha256").get<std::string>())
    throw Error(ErrorKind::Malformed, "the archive arrived damaged; try again");
  target.keep();
  context.out << (context.json ? view.dump(2)
                               : options.file.string() + ", SHA-256 " + view.at("sha256").get<std::string>())
              << "\n";
  return Exit::Ok;
}

}  // namespace postern::cli
