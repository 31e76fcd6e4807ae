#pragma once
#include "core/policy/frame/PolicyFrame.h"

#include <string>
#include <string_view>
#include <vector>

// The questions of the hooks `post` and `member`, as bytes. As PolicyFrame.h.
namespace postern::policy::frame {

struct ListRequest {
  PostFacts post;
  std::vector<MemberFacts> members;  // RequestKind::Members
};

std::string encodeList(RequestKind kind, const ListRequest& request);
ListRequest decodeList(std::string_view frame);

}  // namespace postern::policy::frame
