#pragma once
#include "core/app/Service.h"
#include "core/config/SiteConfig.h"

#include <memory>

namespace postern::gateway {

// The whole gateway of a site: SMTP server, policies, queue, delivery and the local socket for listd. Runs from
// construction to destruction; stopping first lets the messages in accept end, then the deliveries.
// Threads: made and destroyed by one. Errors: the constructor throws Error for what is missing or cannot be opened.
class Gateway : public app::Service {
public:
  explicit Gateway(const config::SiteConfig& config);
  ~Gateway() override;

  bool alive() override;  // connections are accepted, and the queue answers
  // Limits of new sessions; those that are open keep theirs. The TLS certificate is read again.
  void reload(const config::SiteConfig& config) override;

private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace postern::gateway
