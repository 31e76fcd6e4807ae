// postern: makes a site, runs it and gives it orders.
//
// SECURITY
//   Runs with the rights of the person who calls it. Orders go to listd, which checks by the kernel who asks.
//   `postern run` starts the other processes and holds no keys and no mail itself.
#include "cli/CommandLine.h"

#include <iostream>

int main(int argc, char** argv) {
  return static_cast<int>(postern::cli::runCommandLine({argv + 1, argv + argc}, std::cout, std::cerr));
}
