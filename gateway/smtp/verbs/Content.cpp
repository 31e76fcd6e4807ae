#include "gateway/smtp/verbs/Verbs.h"

// DATA and BDAT: the two ways in which content comes.
namespace postern::gateway::verbs {

namespace {

smtp::ContentLimits limitsOf(const SessionData& session) {
  return {session.settings.maxMessageSize, session.settings.maxContentLine};
}

}  // namespace

void applyData(SessionData& session, Arguments&&) {
  session.decoder.emplace(limitsOf(session));
  session.state = State::Content;
  session.say(smtp::ReplyId::StartContent);
}

void applyBdat(SessionData& session, Arguments&& arguments) {
  const auto& command = std::get<smtp::BdatCommand>(arguments);
  if (!session.decoder) session.decoder.emplace(limitsOf(session));
  session.chunkSize = session.chunkLeft = command.octets;
  session.chunkIsLast = command.last;
  session.state = State::ChunkBytes;
}

void skipChunk(SessionData& session, std::uint64_t octets, Reply refusal) {
  session.dropTransaction();
  session.chunkRefusal = std::move(refusal);
  session.chunkLeft = octets;
  session.chunkIsLast = false;
  session.state = State::ChunkBytes;
}

}  // namespace postern::gateway::verbs
