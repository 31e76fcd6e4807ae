#include "core/policy/worker/Patterns.h"

#include <re2/re2.h>

#include <cstdint>
#include <stdexcept>

namespace postern::policy::worker {

namespace {

constexpr std::size_t MaxKept = 48;
constexpr std::int64_t MemoryOfOne = 2 << 20;

std::unique_ptr<re2::RE2> compile(std::string_view pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(MemoryOfOne);
  return std::make_unique<re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
}

std::string problemOf(std::string_view pattern, const re2::RE2* compiled) {
  if (pattern.size() > Patterns::MaxPattern) return "a pattern has at most 4096 bytes";
  if (compiled != nullptr && compiled->ok()) return {};
  return "not a pattern of RE2: " + (compiled == nullptr ? std::string() : compiled->error()).substr(0, 120);
}

}  // namespace

Patterns::Patterns() = default;
Patterns::~Patterns() = default;

const re2::RE2& Patterns::compiled(std::string_view pattern) {
  const std::string key(pattern);
  if (const auto found = known_.find(key); found != known_.end()) return *found->second;
  auto made = pattern.size() > MaxPattern ? nullptr : compile(pattern);
  if (const auto problem = problemOf(pattern, made.get()); !problem.empty()) throw std::invalid_argument(problem);
  if (known_.size() >= MaxKept) known_.clear();
  return *known_.emplace(key, std::move(made)).first->second;
}

std::string whatIsWrongWith(std::string_view pattern) {
  const auto made = pattern.size() > Patterns::MaxPattern ? nullptr : compile(pattern);
  return problemOf(pattern, made.get());
}

}  // namespace postern::policy::worker
