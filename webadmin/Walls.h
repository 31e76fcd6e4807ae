#pragma once
#include "core/app/Confinement.h"

namespace postern::webadmin {

// What of the file system the web process needs: its settings, its TLS files, its sessions. Not the folder of listd, in
// which the key of the command line lies, and no folder in which another process makes its socket.
app::Confinement wallsOf(const config::SiteConfig& config);

}  // namespace postern::webadmin
