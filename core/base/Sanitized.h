#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define POSTERN_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define POSTERN_SANITIZED 1
#endif
#endif
#ifndef POSTERN_SANITIZED
#define POSTERN_SANITIZED 0
#endif

namespace postern {

// Whether this build carries AddressSanitizer or ThreadSanitizer, which need more of the system than our processes
// allow themselves: terabytes of addresses, standard error, and looking into themselves when they end.
constexpr bool Sanitized = POSTERN_SANITIZED != 0;

}  // namespace postern
