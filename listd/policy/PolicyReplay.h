#pragma once
#include "listd/jobs/JobRunner.h"
#include "listd/policy/PolicyCare.h"

namespace postern::listd {

inline constexpr const char* ReplayJob = "policy.replay";

// Judges the stored messages of a time by a policy set and by the one in force, and counts what differs. Opens one
// message at a time and has the gateway judge it; at most 100 in a second, so that live mail does not notice. A
// checkpoint every 50 messages. Args: {revision from until}, result: {revision from until compared different failed
// unreadable kinds[{hook now then messages recipients}] messages[{post queueId now then}] (1000 at most)}.
JobRunner::Work replayWork(SiteContext& context, const AskPolicies& ask);

}  // namespace postern::listd
