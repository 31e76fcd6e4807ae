#pragma once
#include "cli/Context.h"
#include "cli/OrderVerbs.h"

#include <filesystem>
#include <string>
#include <vector>

namespace postern::cli {

std::vector<OrderVerb> searchVerbs();

struct ExportGetOptions {
  bool evidence = false;  // an evidence pack, not an export
  std::string id;
  std::filesystem::path file;
};

// `postern export get ID FILE`, `postern evidence get ID FILE`: waits for the archive with its progress, then writes it
// to FILE (0600, never over a file that is there) and checks its SHA-256. Exit No when the export failed or was
// removed.
Exit getExport(const Context& context, const ExportGetOptions& options);

}  // namespace postern::cli
