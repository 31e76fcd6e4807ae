#pragma once
#include "core/app/GatewayLink.h"
#include "core/crypto/SealedBox.h"
#include "core/mail/Message.h"
#include "listd/site/SiteContext.h"

#include <functional>
#include <string>

namespace postern::listd {

// Takes over one accepted message: opens it, and for each list it is for stores the content in the vault and writes
// the plan. Once take() has returned all is durable and the gateway may forget the message. A repeat is harmless.
// A bounce is noted in the ledger of the copy that its VERP tag proves, and never distributed.
// Threads: safe for all. Errors: what the parts throw; then the message stays with the gateway.
class Intake {
public:
  // `planned` is called after a plan was written; any thread.
  Intake(SiteContext& context, std::function<void()> planned);

  void take(const app::AcceptedItem& item);

private:
  struct Arrival;
  void takeFor(const Arrival& arrival, const std::string& recipient);
  void plan(const Arrival& arrival, const List& list);
  void noteBounce(const Arrival& arrival, const mail::Address& recipient, const List& list);

  SiteContext& context_;
  std::function<void()> planned_;
  crypto::SealedBoxReader reader_;
};

}  // namespace postern::listd
