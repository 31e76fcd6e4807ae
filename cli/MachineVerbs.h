#pragma once
#include "cli/Context.h"

#include <functional>

namespace CLI {
class App;
}

namespace postern::cli {

// What a parsed verb does; the command line runs the one that was chosen.
using Choose = std::function<void(std::function<Exit(const Context&)>)>;

// The verbs about the machine that are no orders. `backup` and `config` are the nouns that they stand under.
void addBackupVerbs(CLI::App& backup, const Choose& choose);
void addMachineVerbs(CLI::App& app, CLI::App& config, const Choose& choose);

}  // namespace postern::cli
