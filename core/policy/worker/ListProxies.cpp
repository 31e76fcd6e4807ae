#include "core/policy/worker/ListProxies.h"

#include "core/policy/worker/Proxy.h"

namespace postern::policy::worker {

using namespace proxy;

namespace {

int indexList(lua_State* state) {
  const auto& list = factOf<ListFacts>(state, "list");
  const auto key = keyOf(state);
  if (key == "address") return text(state, list.address);
  if (key == "name") return text(state, list.name);
  if (key == "secure") return flag(state, list.secure);
  if (key == "sensitivity") return text(state, list.sensitivity);
  if (key == "anyone_posts") return flag(state, list.anyonePosts);
  if (key == "members") return number(state, list.members);
  return unknown(state, "list", key);
}

// post:noted(key): what a policy noted when the message came.
int notedOf(lua_State* state) {
  const auto& post = factOf<PostFacts>(state, "post");
  std::size_t size = 0;
  const char* const name = luaL_checklstring(state, 2, &size);
  for (const auto& note : post.notes)
    if (note.first == std::string_view(name, size)) return text(state, note.second);
  lua_pushnil(state);
  return 1;
}

int indexPost(lua_State* state) {
  const auto& post = factOf<PostFacts>(state, "post");
  const auto key = keyOf(state);
  if (key == "author") return textOrNil(state, post.author);
  if (key == "mail_from") return text(state, post.mailFrom);
  if (key == "subject") return text(state, post.subject);
  if (key == "message_id") return textOrNil(state, post.messageId);
  if (key == "size") return number(state, post.size);
  if (key == "is_encrypted") return flag(state, post.isEncrypted);
  if (key == "is_signed") return flag(state, post.isSigned);
  if (key == "author_is_member") return flag(state, post.authorIsMember);
  if (key == "is_released") return flag(state, post.released);
  if (key == "proven") return text(state, post.proven);
  if (key == "noted") return function(state, notedOf);
  if (key == "list") {
    pushList(state, post.list);
    return 1;
  }
  return unknown(state, "post", key);
}

int indexMember(lua_State* state) {
  const auto& member = factOf<MemberFacts>(state, "member");
  const auto key = keyOf(state);
  if (key == "address") return text(state, member.address);
  if (key == "domain") return text(state, member.address.substr(member.address.rfind('@') + 1));
  return unknown(state, "member", key);
}

}  // namespace

void pushPost(lua_State* state, const PostFacts& post) {
  pushProxy(state, post, "post", indexPost);
}

void pushList(lua_State* state, const ListFacts& list) {
  pushProxy(state, list, "list", indexList);
}

void pushMember(lua_State* state, const MemberFacts& member) {
  pushProxy(state, member, "member", indexMember);
}

}  // namespace postern::policy::worker
