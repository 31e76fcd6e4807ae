#include "gateway/policy/PolicyFile.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Log.h"

namespace postern::gateway {

namespace {

constexpr std::uint8_t Version = 1;

}  // namespace

KeptPolicies PolicyFile::read() const {
  KeptPolicies kept;
  if (!std::filesystem::exists(path_)) return kept;
  const auto bytes = files::read(path_);
  Reader reader(bytes);
  if (reader.u8() != Version)
    throw Error(ErrorKind::Malformed, path_.string() + " is of another version; remove it to begin with the folder");
  const auto files = reader.list<policy::SetFile>([](Reader& r) {
    policy::SetFile file;
    file.path = r.string();
    file.text = r.string();
    return file;
  });
  const auto sets = reader.list<int>([&](Reader& r) {
    auto name = r.string();
    kept.values[std::move(name)] = r.list<std::string>([](Reader& each) { return each.string(); });
    return 0;
  });
  reader.expectEnd();
  if (files.empty()) return kept;
  auto texts = policy::assembleSet(files);
  if (!texts) throw Error(ErrorKind::Malformed, path_.string() + " holds no policy set");
  kept.texts = std::move(*texts);
  return kept;
}

KeptPolicies PolicyFile::readOrNone() const {
  try {  // the boundary of the start: the gateway must go on delivering what it has
    return read();
  } catch (const Error& error) {
    log::error("policy", "the policy set that was in force cannot be read", {{"error", error.message()}});
    return {policy::SetTexts(), {}};
  }
}

void PolicyFile::write(const KeptPolicies& kept) const {
  Writer writer;
  writer.u8(Version);
  writer.list(kept.texts ? policy::filesOf(*kept.texts) : std::vector<policy::SetFile>(),
              [](Writer& w, const policy::SetFile& file) { w.string(file.path).string(file.text); });
  writer.list(kept.values, [](Writer& w, const auto& set) {
    w.string(set.first).list(set.second, [](Writer& each, const std::string& value) { each.string(value); });
  });
  files::replaceDurably(path_, writer.bytes());
}

}  // namespace postern::gateway
