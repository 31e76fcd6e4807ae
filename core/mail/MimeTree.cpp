#include "core/mail/MimeTree.h"

#include "core/mail/Charset.h"
#include "core/mail/EncodedWord.h"
#include "core/mail/MimeScan.h"
#include "core/mail/Text.h"

#include <gmime/gmime.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <set>

namespace postern::mail {

namespace {

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
template <class T>
using Ref = std::unique_ptr<T, Unref>;

struct FreeOptions {
  void operator()(GMimeParserOptions* options) const { g_mime_parser_options_free(options); }
};

void initGmime() {
  static std::once_flag once;
  std::call_once(once, [] { g_mime_init(); });
}

std::string text(const char* value) {
  return value == nullptr ? std::string() : repairUtf8(value);
}

// What is left of a name when folders, controls and leading dots are gone.
std::string safeFilename(std::string name) {
  const auto folder = name.find_last_of("/\\");
  if (folder != name.npos) name.erase(0, folder + 1);
  std::erase_if(name, [](char c) { return hasControl({&c, 1}); });
  return name;
}

// The content of a part, decoded as it is read: its size, and its first octets.
struct Content {
  std::uint64_t size = 0;
  std::string start;
};

Content readContent(GMimePart* part, std::size_t keep) {
  Content content;
  auto* wrapper = g_mime_part_get_content(part);
  if (wrapper == nullptr) return content;
  auto* stream = g_mime_data_wrapper_get_stream(wrapper);
  if (stream == nullptr) return content;
  g_mime_stream_reset(stream);
  GMimeEncoding decoder;
  g_mime_encoding_init_decode(&decoder, g_mime_data_wrapper_get_encoding(wrapper));
  std::array<char, 16384> in;
  std::string out;
  for (;;) {
    const auto count = g_mime_stream_read(stream, in.data(), in.size());
    if (count <= 0) break;
    out.resize(g_mime_encoding_outlen(&decoder, static_cast<std::size_t>(count)));
    out.resize(g_mime_encoding_step(&decoder, in.data(), static_cast<std::size_t>(count), out.data()));
    content.size += out.size();
    content.start.append(out, 0, keep - std::min(keep, content.start.size()));
  }
  return content;
}

bool contains(std::string_view bytes, std::string_view what) {
  return bytes.find(what) != bytes.npos;
}

// The type of a CMS object by its first octets, for senders that leave out smime-type (RFC 8551 §3.2.2).
std::string cmsType(std::string_view start) {
  using namespace std::string_view_literals;
  const auto head = start.substr(0, 64);
  if (contains(head, "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03"sv)) return "enveloped-data";
  if (contains(head, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17"sv)) return "authenveloped-data";
  if (contains(head, "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"sv)) return "signed-data";
  return {};
}

bool hasPgpMessage(std::string_view text) {
  constexpr std::string_view mark = "-----BEGIN PGP MESSAGE-----";
  for (auto at = text.find(mark); at != text.npos; at = text.find(mark, at + 1))
    if (at == 0 || text[at - 1] == '\n') return true;
  return false;
}

}  // namespace

class MimeReader {
public:
  MimeReader(MimeTree& tree, const MimeLimits& limits) : tree_(tree), limits_(limits), textLeft_(limits.maxTextInAll) {}

  void read(std::string_view bytes) {
    initGmime();
    const Ref<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size()));
    const Ref<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
    const std::unique_ptr<GMimeParserOptions, FreeOptions> options(g_mime_parser_options_new());
    const Ref<GMimeMessage> message(g_mime_parser_construct_message(parser.get(), options.get()));
    if (message && g_mime_message_get_mime_part(message.get()) != nullptr)
      walk(g_mime_message_get_mime_part(message.get()));
    else
      tree_.parts_.push_back(MimePart{});
    if (tree_.parts_.front().type.empty()) tree_.parts_.front().type = "text/plain";
  }

private:
  struct Job {
    GMimeObject* object;
    std::size_t parent;
    std::size_t depth;
  };

  void walk(GMimeObject* root) {
    std::vector<Job> jobs{{root, MimePart::None, 0}};
    while (!jobs.empty()) {
      const Job job = jobs.back();
      jobs.pop_back();
      if (job.depth > limits_.maxDepth) {
        note(Ambiguity::TooDeep);
        continue;
      }
      if (tree_.parts_.size() >= limits_.maxParts) return note(Ambiguity::TooManyParts);
      const auto index = tree_.parts_.size();
      tree_.parts_.push_back(describe(job));
      if (GMIME_IS_MULTIPART(job.object)) {
        auto* multipart = GMIME_MULTIPART(job.object);
        for (int i = g_mime_multipart_get_count(multipart); i-- > 0;)
          jobs.push_back({g_mime_multipart_get_part(multipart, i), index, job.depth + 1});
      } else if (GMIME_IS_MESSAGE_PART(job.object)) {
        auto* inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(job.object));
        auto* part = inner == nullptr ? nullptr : g_mime_message_get_mime_part(inner);
        if (part != nullptr) jobs.push_back({part, index, job.depth + 1});
      }
    }
  }

  MimePart describe(const Job& job) {
    MimePart part;
    part.parent = job.parent;
    part.depth = job.depth;
    auto* type = g_mime_object_get_content_type(job.object);
    if (type != nullptr) {
      part.type = lowerAscii(text(g_mime_content_type_get_media_type(type)) + "/" +
                             text(g_mime_content_type_get_media_subtype(type)));
      part.charset = lowerAscii(text(g_mime_content_type_get_parameter(type, "charset")));
    }
    part.disposition = lowerAscii(text(g_mime_object_get_disposition(job.object)));
    if (GMIME_IS_PART(job.object)) describeLeaf(GMIME_PART(job.object), type, part);
    if (job.parent == MimePart::None) classify(type, part);
    return part;
  }

  void describeLeaf(GMimePart* leaf, GMimeContentType* type, MimePart& part) {
    part.filename = safeFilename(text(g_mime_part_get_filename(leaf)));
    part.encoding = text(g_mime_content_encoding_to_string(g_mime_part_get_content_encoding(leaf)));
    const bool isText = part.type.starts_with("text/") || part.type == "message/delivery-status" ||
                        part.type == "message/global-delivery-status";
    const std::size_t keep = isText ? std::min(limits_.maxTextPerPart, textLeft_) : 64;
    auto content = readContent(leaf, limits_.keepContent ? std::string::npos : keep);
    part.size = content.size;
    if (limits_.keepContent) {
      part.content = content.start;
      content.start.resize(std::min(content.start.size(), keep));
    }
    if (isText) {
      part.textTruncated = content.size > content.start.size();
      auto decoded = toUtf8(content.start, part.charset);
      part.text = decoded ? std::move(*decoded) : repairUtf8(content.start);
      textLeft_ -= std::min(textLeft_, content.start.size());
    } else if (part.parent == MimePart::None && part.type.ends_with("pkcs7-mime")) {
      cmsType_ = lowerAscii(text(type == nullptr ? nullptr : g_mime_content_type_get_parameter(type, "smime-type")));
      if (cmsType_.empty()) cmsType_ = cmsType(content.start);
    }
  }

  void classify(GMimeContentType*, const MimePart& root) {
    tree_.encrypted_ = root.type == "multipart/encrypted" || cmsType_ == "enveloped-data" ||
                       cmsType_ == "authenveloped-data" || (root.type == "text/plain" && hasPgpMessage(root.text));
    tree_.signed_ = root.type == "multipart/signed" || cmsType_ == "signed-data";
  }

  void note(Ambiguity ambiguity) {
    if (!tree_.has(ambiguity)) tree_.ambiguities_.push_back(ambiguity);
  }

  MimeTree& tree_;
  const MimeLimits& limits_;
  std::size_t textLeft_;
  std::string cmsType_;
};

const char* ambiguityText(Ambiguity ambiguity) {
  switch (ambiguity) {
    case Ambiguity::BareCr:
      return "bare carriage return";
    case Ambiguity::BareLf:
      return "bare line feed";
    case Ambiguity::Nul:
      return "NUL octet";
    case Ambiguity::BrokenHeader:
      return "malformed header line";
    case Ambiguity::DuplicateFrom:
      return "two From fields";
    case Ambiguity::DuplicateField:
      return "a header field stands twice";
    case Ambiguity::DuplicateContentHeader:
      return "a content header field stands twice";
    case Ambiguity::MultipleFrom:
      return "more than one author";
    case Ambiguity::NoFrom:
      return "no usable From address";
    case Ambiguity::ConflictingEncoding:
      return "unknown or conflicting content encoding";
    case Ambiguity::BadContentType:
      return "malformed content type";
    case Ambiguity::OtherSubject:
      return "a part has another subject than the message";
    case Ambiguity::DuplicateParameter:
      return "a content parameter stands twice";
    case Ambiguity::BadBoundary:
      return "missing or malformed multipart boundary";
    case Ambiguity::UnclosedMultipart:
      return "a multipart is not closed";
    case Ambiguity::NestedBoundary:
      return "nested parts with the same boundary";
    case Ambiguity::TooDeep:
      return "parts nested too deeply";
    case Ambiguity::TooManyParts:
      return "too many parts";
  }
  return "ambiguous structure";
}

bool MimeTree::has(Ambiguity ambiguity) const {
  return std::find(ambiguities_.begin(), ambiguities_.end(), ambiguity) != ambiguities_.end();
}

MimeTree MimeTree::parse(const Message& message, const MimeLimits& limits) {
  MimeTree tree;
  tree.ambiguities_ = scanMime(message, limits);
  // gmime recurses and compares each delimiter with every level, so it never sees what is beyond the limits, nor a
  // structure that it may read otherwise than our scan did (of two Content-Types it takes the last).
  constexpr std::array Unreadable = {Ambiguity::TooDeep,
                                     Ambiguity::TooManyParts,
                                     Ambiguity::DuplicateContentHeader,
                                     Ambiguity::BadContentType,
                                     Ambiguity::BadBoundary,
                                     Ambiguity::BrokenHeader,
                                     Ambiguity::Nul};
  if (std::any_of(Unreadable.begin(), Unreadable.end(), [&](Ambiguity ambiguity) { return tree.has(ambiguity); })) {
    tree.parts_.push_back(MimePart{});
    tree.parts_.front().type = "application/octet-stream";
    return tree;
  }
  MimeReader(tree, limits).read(message.bytes());
  return tree;
}

bool MimeTree::isEncrypted() const {
  return encrypted_;
}
bool MimeTree::isSigned() const {
  return signed_;
}

}  // namespace postern::mail
