#pragma once
#include "core/app/Service.h"
#include "core/base/Clock.h"
#include "core/config/SiteConfig.h"

#include <memory>

namespace postern::listd {

// The whole of listd: opens the site, takes orders on its two sockets, and works with the gateway until it is
// destroyed. Destruction ends all threads; what was under way goes on from site.db at the next start. Ownership:
// `config` must outlive it. Errors: the constructor throws Error with what to do.
class Listd : public app::Service {
public:
  explicit Listd(const config::SiteConfig& config);
  Listd(const config::SiteConfig& config, const Clock& clock);
  ~Listd() override;

  bool alive() override;  // the one thread that writes the site comes round

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::listd
