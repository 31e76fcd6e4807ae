#pragma once
#include "core/config/SiteConfig.h"
#include "core/mail/Message.h"
#include "core/net/Clamd.h"
#include "core/policy/Verdict.h"
#include "gateway/inspect/MilterClient.h"
#include "gateway/inspect/Rspamd.h"
#include "gateway/smtp/Ports.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::gateway {

// What the companion programs say of a message.
struct CompanionFindings {
  std::optional<Refusal> refusal;  // whatever the policies say
  std::optional<policy::SpamFacts> spam;
  std::optional<std::string> hold;                         // by a milter: why; whatever the policies say
  bool discarded = false;                                  // by a milter
  std::optional<std::string> content;                      // with the header as milters want it
  std::vector<std::pair<std::string, std::string>> notes;  // for the trace of the message
};

// What is done at what the spam filter says, where no policy has an opinion of its own.
enum class SpamTreatment : std::uint8_t { Accept, Hold, Defer, Reject };

// The companions of the site: ClamAV, then rspamd, then milters in their order, each shown what the ones before it
// left. Mail that cannot be judged is deferred; where the settings say accept, mail for open lists alone goes on
// without. What was written on our pages is shown to ClamAV alone: its author is known, and has no SMTP session.
// Ownership: none. Threads: safe for all; check() blocks for the time limits of the settings at most. Errors: none,
// what a companion breaks is a refusal with 451.
class Companions {
public:
  struct Settings {
    std::optional<net::Clamd> clamav;
    bool clamavMayFail = false;
    std::optional<Rspamd> rspamd;
    bool rspamdMayFail = false;
    SpamTreatment onReject = SpamTreatment::Reject;
    SpamTreatment onSuspicious = SpamTreatment::Hold;
    SpamTreatment onGreylist = SpamTreatment::Defer;
    struct Milter {
      MilterClient client;
      bool mayFail = false;
    };
    std::vector<Milter> milters;

    static Settings of(const config::SiteConfig& config);
  };
  explicit Companions(Settings settings) : settings_(std::move(settings)) {}

  CompanionFindings check(const InspectionFacts& facts, const mail::Message& message) const;
  SpamTreatment treatmentOf(const policy::SpamFacts& spam) const;

private:
  void scan(const InspectionFacts& facts, const mail::Message& message, CompanionFindings& findings) const;
  void askSpamFilter(const InspectionFacts& facts, const mail::Message& message, CompanionFindings& findings) const;
  void askMilter(const Settings::Milter& milter, const InspectionFacts& facts, const mail::Message& message,
                 CompanionFindings& findings) const;

  const Settings settings_;
};

// "reject 15.2/15 GTUBE=0": what is noted of the spam filter's answer.
std::string spamNote(const policy::SpamFacts& spam);

}  // namespace postern::gateway
