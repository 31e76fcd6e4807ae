#include "core/policy/frame/ListFrame.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"

namespace postern::policy::frame {

namespace {

void write(Writer& writer, const PostFacts& post) {
  writer.string(post.author).string(post.mailFrom).string(post.subject).string(post.messageId).u64(post.size);
  writer.boolean(post.isEncrypted).boolean(post.isSigned).boolean(post.authorIsMember).string(post.proven);
  writer.boolean(post.released);
  writer.list(post.notes, [](Writer& w, const auto& note) { w.string(note.first).string(note.second); });
  const auto& list = post.list;
  writer.string(list.address).string(list.name).boolean(list.secure).string(list.sensitivity);
  writer.boolean(list.anyonePosts).u64(list.members);
}

PostFacts readPost(Reader& reader) {
  PostFacts post;
  post.author = reader.string();
  post.mailFrom = reader.string();
  post.subject = reader.string();
  post.messageId = reader.string();
  post.size = reader.u64();
  post.isEncrypted = reader.boolean();
  post.isSigned = reader.boolean();
  post.authorIsMember = reader.boolean();
  post.proven = reader.string();
  post.released = reader.boolean();
  post.notes = reader.list<std::pair<std::string, std::string>>([](Reader& r) {
    auto name = r.string();
    return std::pair(std::move(name), r.string());
  });
  post.list.address = reader.string();
  post.list.name = reader.string();
  post.list.secure = reader.boolean();
  post.list.sensitivity = reader.string();
  post.list.anyonePosts = reader.boolean();
  post.list.members = reader.u64();
  return post;
}

}  // namespace

std::string encodeList(RequestKind kind, const ListRequest& request) {
  Writer writer;
  writer.u8(static_cast<std::uint8_t>(kind));
  write(writer, request.post);
  writer.list(request.members, [](Writer& w, const MemberFacts& member) { w.string(member.address); });
  return std::move(writer).bytes();
}

ListRequest decodeList(std::string_view frame) {
  const auto kind = requestKind(frame);
  if (kind != RequestKind::Post && kind != RequestKind::Members)
    throw Error(ErrorKind::Malformed, "a policy frame is malformed: not about a list");
  Reader reader(frame.substr(1));
  ListRequest request;
  request.post = readPost(reader);
  request.members = reader.list<MemberFacts>([](Reader& r) { return MemberFacts{r.string()}; });
  reader.expectEnd();
  return request;
}

}  // namespace postern::policy::frame
