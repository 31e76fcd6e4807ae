#pragma once
#include "core/app/GatewayLink.h"
#include "core/crypto/SealedBox.h"
#include "core/mail/Message.h"
#include "core/net/Clamd.h"
#include "listd/expand/ListPolicies.h"
#include "listd/keys/Proposals.h"
#include "listd/plan/PostingRule.h"
#include "listd/receive/Reception.h"
#include "listd/site/SiteContext.h"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// The note of a submission that was written here: by which account. Believed of nothing that came by the gateway.
constexpr std::string_view AccountNote = "account";

// Takes over accepted messages: opens them, and for each list they are for stores the content in the vault and writes
// the plan. Once take() has returned all is durable and the gateway may forget the messages; many taken together share
// the syncs. A repeat is harmless. A bounce is noted in the ledger of the copy that its VERP tag proves, and never
// distributed. What the gateway says is to be held for a person goes into the quarantine; so does what was encrypted to
// a list and is infected once it is open (docs/decisions/0043). Threads: safe for all. Errors: what the parts throw;
// then all of the messages stay with the gateway, and the caller takes them one by one to find the one that cannot be
// taken.
class Intake {
public:
  // `planned` is called after a plan was written; any thread.
  Intake(SiteContext& context, std::function<void()> planned);

  void take(std::span<const app::AcceptedItem> items);

  // A held message that a person let go: as take(), but nothing holds it once more. May be repeated.
  void release(std::uint64_t acceptedId, app::Submission submission);

private:
  struct Arrival;
  struct Planned;
  using Plans = std::vector<Planned>;
  void judgeAll(const std::shared_ptr<const Arrival>& arrival, Plans& plans);
  std::vector<std::uint64_t> listsOf(const Arrival& arrival) const;
  void judgeFor(const std::shared_ptr<const Arrival>& arrival, const std::string& recipient, Plans& plans);
  void judgeOutbound(const std::shared_ptr<const Arrival>& arrival, const std::string& listAddress, Plans& plans);
  std::optional<Planned> judge(const std::shared_ptr<const Arrival>& arrival, const List& list);
  PostingRuling judgeMessage(const mail::Message& message, const app::Submission& submission, const List& list);
  std::optional<Reception> receive(const Arrival& arrival, const List& list, PostingRuling& ruling);
  void scanOpened(const Arrival& arrival, const mail::Message& message) const;
  app::PostQuestion questionOf(const Arrival& arrival, const List& list) const;
  void askAboutPost(const Arrival& arrival, const List& list, PostingRuling& ruling) const;
  std::optional<MemberFloors> askAboutMembers(const Arrival& arrival, const List& list) const;
  static Post postOf(const Arrival& arrival, const List& list);
  std::vector<KeyFinding> keysOf(const Reception& reception, const List& list);
  static StoredObject objectOf(const Planned& plan);
  void store(const Plans& plans);
  void takeRequest(const Arrival& arrival, const List& list);
  void noteBounce(const Arrival& arrival, const mail::Address& recipient, const List& list);

  SiteContext& context_;
  std::function<void()> planned_;
  crypto::SealedBoxReader reader_;
  std::optional<net::Clamd> scanner_;
};

}  // namespace postern::listd
