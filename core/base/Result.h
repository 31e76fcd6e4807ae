#pragma once
#include <utility>
#include <variant>

namespace postern {

// The error side of a Result, as in `return Unexpected(AddressError::NoAt);`.
template <class E>
class Unexpected {
public:
  explicit Unexpected(E error) : error_(std::move(error)) {}
  E& error() & { return error_; }
  const E& error() const& { return error_; }
  E&& error() && { return std::move(error_); }

private:
  E error_;
};

// A value or an expected failure: a parse outcome, a missing row, a verdict, a remote refusal.
// Broken things (I/O, SQL, configuration, invariants) are thrown as Error instead.
// The member names are those of std::expected, which replaces this type once the compiler has it.
// REQUIRES: value() and operator* only when has_value(); error() only when not.
template <class T, class E>
class [[nodiscard]] Result {
public:
  using value_type = T;
  using error_type = E;

  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  Result(Unexpected<E> failure) : content_(std::in_place_index<1>, std::move(failure).error()) {}

  bool has_value() const { return content_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return std::get<0>(content_); }
  const T& value() const& { return std::get<0>(content_); }
  T&& value() && { return std::get<0>(std::move(content_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  E& error() & { return std::get<1>(content_); }
  const E& error() const& { return std::get<1>(content_); }

  template <class U>
  T value_or(U&& other) const& {
    return has_value() ? value() : static_cast<T>(std::forward<U>(other));
  }

private:
  std::variant<T, E> content_;
};

}  // namespace postern
