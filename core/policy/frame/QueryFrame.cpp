#include "core/policy/frame/QueryFrame.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"

namespace postern::policy::frame {

namespace {

constexpr char QueryMark = '?';  // no kind of reply

[[noreturn]] void malformed(const char* what) {
  throw Error(ErrorKind::Malformed, std::string("a policy query is malformed: ") + what);
}

Writer begin(QueryKind kind) {
  Writer writer;
  writer.u8(static_cast<std::uint8_t>(QueryMark)).u8(static_cast<std::uint8_t>(kind));
  return writer;
}

}  // namespace

bool isQuery(std::string_view frame) {
  return !frame.empty() && frame[0] == QueryMark;
}

QueryKind queryKind(std::string_view frame) {
  if (frame.size() < 2 || !isQuery(frame)) malformed("no query");
  return Reader(frame.substr(1)).enumeration(QueryKind::Count);
}

std::string encodeContentQuery() {
  return begin(QueryKind::Content).bytes();
}

std::string encode(const CountQuery& query) {
  auto writer = begin(QueryKind::Count);
  writer.string(query.policy).string(query.key).u32(query.seconds);
  return std::move(writer).bytes();
}

CountQuery decodeCountQuery(std::string_view frame) {
  if (queryKind(frame) != QueryKind::Count) malformed("not about a count");
  Reader reader(frame.substr(2));
  CountQuery query;
  query.policy = reader.string();
  query.key = reader.string();
  query.seconds = reader.u32();
  reader.expectEnd();
  if (query.policy.size() > 40 || query.key.size() > MaxCountKey) malformed("a key that is too long");
  if (query.seconds < 1 || query.seconds > MaxCountSeconds) malformed("a window that cannot be");
  return query;
}

std::string encodeContent(const MessageContent& content) {
  Writer writer;
  writer.list(content.parts, [](Writer& w, const PartFacts& part) {
    w.string(part.type).string(part.filename).u64(part.size).string(part.disposition).boolean(part.isEncrypted);
  });
  writer.string(content.text).boolean(content.textCut);
  return std::move(writer).bytes();
}

MessageContent decodeContent(std::string_view frame) {
  Reader reader(frame);
  MessageContent content;
  content.parts = reader.list<PartFacts>([](Reader& r) {
    PartFacts part;
    part.type = r.string();
    part.filename = r.string();
    part.size = r.u64();
    part.disposition = r.string();
    part.isEncrypted = r.boolean();
    return part;
  });
  content.text = reader.string();
  content.textCut = reader.boolean();
  reader.expectEnd();
  return content;
}

std::string encodeCount(std::uint64_t count) {
  Writer writer;
  writer.u64(count);
  return std::move(writer).bytes();
}

std::uint64_t decodeCount(std::string_view frame) {
  Reader reader(frame);
  const auto count = reader.u64();
  reader.expectEnd();
  return count;
}

}  // namespace postern::policy::frame
