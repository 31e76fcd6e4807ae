#include "core/records/Predicate.h"

namespace postern::records {

Truth both(Truth left, Truth right) {
  if (left == Truth::False || right == Truth::False) return Truth::False;
  return left == Truth::Unknown || right == Truth::Unknown ? Truth::Unknown : Truth::True;
}

Truth negation(Truth value) {
  if (value == Truth::Unknown) return value;
  return value == Truth::True ? Truth::False : Truth::True;
}

Truth either(Truth left, Truth right) {
  return negation(both(negation(left), negation(right)));
}

}  // namespace postern::records
