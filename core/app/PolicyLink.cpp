#include "core/app/PolicyLink.h"

#include "core/base/Error.h"

namespace postern::app {

namespace {

template <class Question>
std::string framed(GatewayVerb verb, const Question& question) {
  Writer writer;
  writer.u8(static_cast<std::uint8_t>(verb));
  question.encode(writer);
  return std::move(writer).bytes();
}

}  // namespace

void PostQuestion::encode(Writer& writer) const {
  writer.string(author).string(mailFrom).string(subject).string(messageId).u64(size).boolean(encrypted);
  writer.boolean(isSigned).boolean(authorIsMember).string(proven).boolean(released);
  writer.list(notes, [](Writer& w, const auto& note) { w.string(note.first).string(note.second); });
  writer.string(list).string(listName).boolean(secure).string(sensitivity).boolean(anyonePosts).u64(members);
}

PostQuestion PostQuestion::decode(Reader& reader) {
  PostQuestion question;
  question.author = reader.string();
  question.mailFrom = reader.string();
  question.subject = reader.string();
  question.messageId = reader.string();
  question.size = reader.u64();
  question.encrypted = reader.boolean();
  question.isSigned = reader.boolean();
  question.authorIsMember = reader.boolean();
  question.proven = reader.string();
  question.released = reader.boolean();
  question.notes = reader.list<std::pair<std::string, std::string>>([](Reader& r) {
    auto name = r.string();
    return std::pair(std::move(name), r.string());
  });
  question.list = reader.string();
  question.listName = reader.string();
  question.secure = reader.boolean();
  question.sensitivity = reader.string();
  question.anyonePosts = reader.boolean();
  question.members = reader.u64();
  return question;
}

void PostAnswer::encode(Writer& writer) const {
  writer.u8(static_cast<std::uint8_t>(kind)).string(reason).string(policy).string(text);
  writer.u8(static_cast<std::uint8_t>(floor));
}

PostAnswer PostAnswer::decode(Reader& reader) {
  PostAnswer answer;
  answer.kind = reader.enumeration(Kind::Failed);
  answer.reason = reader.string();
  answer.policy = reader.string();
  answer.text = reader.string();
  answer.floor = reader.enumeration(Protection::Smime);
  return answer;
}

void MembersQuestion::encode(Writer& writer) const {
  post.encode(writer);
  writer.list(members, [](Writer& w, const std::string& member) { w.string(member); });
}

MembersQuestion MembersQuestion::decode(Reader& reader) {
  MembersQuestion question;
  question.post = PostQuestion::decode(reader);
  question.members = reader.list<std::string>([](Reader& r) { return r.string(); });
  if (question.members.size() > MaxMembers)
    throw Error(ErrorKind::Malformed, "the policies were asked about too many members at once");
  return question;
}

void MembersAnswer::encode(Writer& writer) const {
  writer.boolean(failed).string(problem);
  writer.list(floors, [](Writer& w, Protection floor) { w.u8(static_cast<std::uint8_t>(floor)); });
}

MembersAnswer MembersAnswer::decode(Reader& reader) {
  MembersAnswer answer;
  answer.failed = reader.boolean();
  answer.problem = reader.string();
  answer.floors = reader.list<Protection>([](Reader& r) { return r.enumeration(Protection::Smime); });
  return answer;
}

// ---- over the link ----

PostAnswer GatewayLink::judgePost(const PostQuestion& question) {
  const auto reply = ask(framed(GatewayVerb::JudgePost, question));
  Reader reader(reply);
  return PostAnswer::decode(reader);
}

MembersAnswer GatewayLink::judgeMembers(const MembersQuestion& question) {
  const auto reply = ask(framed(GatewayVerb::JudgeMembers, question));
  Reader reader(reply);
  return MembersAnswer::decode(reader);
}

PostAnswer GatewayService::judgePost(const PostQuestion&) {
  return {PostAnswer::Kind::Failed, "policy-broken", {}, "no policy can be asked from here", {}};
}

MembersAnswer GatewayService::judgeMembers(const MembersQuestion&) {
  return {true, "no policy can be asked from here", {}};
}

}  // namespace postern::app
