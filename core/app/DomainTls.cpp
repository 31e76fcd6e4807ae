#include "core/app/DomainTls.h"

#include "core/base/Error.h"

namespace postern::app {

const char* tlsMeansWord(TlsMeans means) {
  switch (means) {
    case TlsMeans::None:
      return "none";
    case TlsMeans::Pkix:
      return "pkix";
    case TlsMeans::Sts:
      return "mta-sts";
    case TlsMeans::Dane:
      return "dane";
  }
  throw Error(ErrorKind::Invariant, "unknown means of verified TLS");
}

}  // namespace postern::app
