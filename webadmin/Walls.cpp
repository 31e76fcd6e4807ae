#include "webadmin/Walls.h"

namespace postern::webadmin {

app::Confinement wallsOf(const config::SiteConfig& config) {
  app::Confinement walls;
  walls.mayReadTlsFiles(config).mayRead(config.dataFolder / "postern.toml");
  return walls;
}

}  // namespace postern::webadmin
