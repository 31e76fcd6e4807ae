#pragma once
#include <string>
#include <string_view>

namespace postern::app {

// The id under which one accepted message is known everywhere: in the 250, in our Received line, in the logs of all
// processes, in its copies and in the ledger. A trace-id of W3C Trace Context: 32 hexadecimal digits in small letters,
// not all zero. Always made here, never taken from mail or from a client.
std::string newTraceId();

// The same id whenever it is made from the same bytes, for what may be asked twice.
std::string traceIdOf(std::string_view bytes);

bool isTraceId(std::string_view text);

}  // namespace postern::app
