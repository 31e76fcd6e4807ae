#pragma once
#include "core/base/Secret.h"

#include <string>
#include <string_view>

namespace postern::crypto {

// AES-256 key wrap, RFC 3394: the form that CMS asks for. For keys at rest take AeadKey::sealSecret.
std::string wrapKey(const Secret& wrappingKey, const Secret& key);
Secret unwrapKey(const Secret& wrappingKey, std::string_view wrapped);  // throws Error(Crypto) if it does not verify

}  // namespace postern::crypto
