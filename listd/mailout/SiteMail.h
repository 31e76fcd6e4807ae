#pragma once
#include "core/base/Clock.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

struct SiteTables;

// Mail that the site itself writes to people: content-free, with a link behind which the content is. Its shapes are
// fixed, so that the gateway's floor guard can know them: a kind, numbers and a link, never text that somebody typed.
struct SiteMail {
  enum class Kind {
    HoldNotice,        // "You have been asked to keep mail": link to the notice
    HoldReminder,      // the same, again
    ApprovalsWaiting,  // weekly: how many requests wait
    LonePersonChange,  // to the outside address of a one-person site: what will happen, when, and the link to stop it
    AuditAnchor,       // to the auditor: the checkpoint (origin, size, root, signature)
    Invitation,        // link that makes an account
    BreakGlass,        // the sealed emergency account was opened
  };
  Kind kind = Kind::HoldNotice;
  std::string recipient;
  std::string link;  // https://…; empty where there is none
  std::vector<std::string>
      lines;  // what the kind needs: counts, dates, the checkpoint's lines; checked against its shape
};

// Puts mail into the outbox, in the caller's transaction; a worker hands it to the gateway as copies of kind Notice,
// once, also across crashes.
void sendSiteMail(SiteTables& tables, const SiteMail& mail, TimePoint now);

}  // namespace postern::listd
