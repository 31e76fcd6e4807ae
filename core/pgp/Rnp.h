#pragma once
#include "core/base/Clock.h"
#include "core/base/Secret.h"

#include <rnp/rnp.h>
#include <rnp/rnp_err.h>

#include <memory>
#include <string>
#include <string_view>

// Owners of librnp's objects, for this room only.
namespace postern::pgp::rnp {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
template <class Handle, auto Free>
using Owner = std::unique_ptr<std::remove_pointer_t<Handle>, Freer<Free>>;

using Ffi = Owner<rnp_ffi_t, &rnp_ffi_destroy>;
using Key = Owner<rnp_key_handle_t, &rnp_key_handle_destroy>;
using UserId = Owner<rnp_uid_handle_t, &rnp_uid_handle_destroy>;
using Input = Owner<rnp_input_t, &rnp_input_destroy>;
using Output = Owner<rnp_output_t, &rnp_output_destroy>;
using Sign = Owner<rnp_op_sign_t, &rnp_op_sign_destroy>;
using Verify = Owner<rnp_op_verify_t, &rnp_op_verify_destroy>;
using Generate = Owner<rnp_op_generate_t, &rnp_op_generate_destroy>;
using Buffer = Owner<void*, &rnp_buffer_destroy>;

// Throws Error(Crypto) "cannot DOING: reason" unless the result is success.
void check(rnp_result_t result, std::string_view doing);

// `check(rnp_x_create(out(owner), …), …)`: takes what the function hands out.
template <class Owner>
class Out {
public:
  explicit Out(Owner& owner) : owner_(owner) {}
  ~Out() { owner_.reset(handle_); }
  Out(const Out&) = delete;
  Out& operator=(const Out&) = delete;
  operator typename Owner::pointer *() { return &handle_; }

private:
  Owner& owner_;
  typename Owner::pointer handle_ = nullptr;
};
template <class Owner>
Out<Owner> out(Owner& owner) {
  return Out<Owner>(owner);
}

// An empty key store at which it is `now`. Its complaints go nowhere.
Ffi store(TimePoint now);
void load(const Ffi& ffi, std::string_view bytes, std::uint32_t flags);  // RNP_LOAD_SAVE_PUBLIC_KEYS, …_SECRET_KEYS
Key find(const Ffi& ffi, std::string_view fingerprintHex);               // throws if it is not there

Input memoryInput(std::string_view bytes);  // the bytes must outlive it
Output memoryOutput(std::size_t most);
std::string_view contentOf(const Output& output);
Secret takeSecret(const Output& output);  // and wipes it there

}  // namespace postern::pgp::rnp
