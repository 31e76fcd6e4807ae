#include "core/policy/Verdict.h"

namespace postern::policy {

const char* nameOf(Hook hook) {
  switch (hook) {
    case Hook::Connect:
      return "connect";
    case Hook::Ehlo:
      return "ehlo";
    case Hook::Auth:
      return "auth";
    case Hook::Mail:
      return "mail";
    case Hook::Rcpt:
      return "rcpt";
    case Hook::Message:
      return "message";
    case Hook::Post:
      return "post";
    case Hook::Member:
      return "member";
    case Hook::Attempt:
      return "attempt";
    case Hook::Expire:
      return "expire";
    case Hook::Route:
      return "route";
  }
  return "unknown";
}

bool isAllowed(Hook hook, VerdictKind kind) {
  if (kind == VerdictKind::Pass) return true;
  switch (hook) {
    case Hook::Message:
      return kind < VerdictKind::Protect;
    case Hook::Post:
      return kind == VerdictKind::Accept || kind == VerdictKind::Reject || kind == VerdictKind::Hold ||
             kind == VerdictKind::Discard || kind == VerdictKind::Protect;
    case Hook::Member:
      return kind == VerdictKind::Protect;
    case Hook::Attempt:
      return kind <= VerdictKind::Defer || kind == VerdictKind::Protect;
    case Hook::Route:
      return kind <= VerdictKind::Defer || kind == VerdictKind::Route;
    case Hook::Expire:
      return kind == VerdictKind::Accept || kind == VerdictKind::Defer;
    default:
      return kind <= VerdictKind::Defer;
  }
}

std::string wordFor(FailureKind kind) {
  switch (kind) {
    case FailureKind::Script:
      return "script";
    case FailureKind::Instructions:
      return "instructions";
    case FailureKind::Memory:
      return "memory";
    case FailureKind::Timeout:
      return "timeout";
    case FailureKind::Worker:
      return "worker";
    case FailureKind::Busy:
      return "busy";
    case FailureKind::NoSet:
      return "no-set";
  }
  return "unknown";
}

std::string wordFor(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::Pass:
      return "pass";
    case VerdictKind::Accept:
      return "accept";
    case VerdictKind::Reject:
      return "reject";
    case VerdictKind::Defer:
      return "defer";
    case VerdictKind::Discard:
      return "discard";
    case VerdictKind::Hold:
      return "hold";
    case VerdictKind::Redirect:
      return "redirect";
    case VerdictKind::Protect:
      return "protect";
    case VerdictKind::Route:
      return "route";
  }
  return "unknown";
}

}  // namespace postern::policy
