#pragma once
#include "core/app/PolicyLink.h"
#include "core/policy/PolicyHost.h"

// The hooks that listd asks about: `post` and `member`. A policy that fails is said to have failed, never to pass.
// Threads: safe for all.
namespace postern::gateway {

// Bits of app::ListHook.
std::uint16_t activeListHooks(const policy::PolicyHost& policies);

app::PostAnswer judgePost(policy::PolicyHost& policies, const app::PostQuestion& question);
app::MembersAnswer judgeMembers(policy::PolicyHost& policies, const app::MembersQuestion& question);

}  // namespace postern::gateway
