#include "core/audit/Entry.h"

namespace postern::audit {

const char* outcomeWord(Outcome outcome) {
  switch (outcome) {
    case Outcome::Ok:
      return "ok";
    case Outcome::Denied:
      return "denied";
    case Outcome::Error:
      return "error";
    case Outcome::BlockedByRetention:
      return "blocked-by-retention";
  }
  return "error";
}

}  // namespace postern::audit
