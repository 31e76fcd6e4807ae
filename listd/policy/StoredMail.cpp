#include "listd/policy/StoredMail.h"

#include "listd/archive/Archive.h"

#include <nlohmann/json.hpp>

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::uint32_t MaxRecipients = 1'000;

app::TlsFacts tlsOf(const json& client) {
  app::TlsFacts facts;
  const auto tls = client.value("tls", json());
  if (!tls.is_object()) return facts;
  facts.version = tls.value("version", "");
  facts.cipher = tls.value("cipher", "");
  facts.bits = static_cast<std::uint16_t>(tls.value("bits", 0));
  facts.verification = tls.value("verification", "");
  return facts;
}

}  // namespace

std::optional<app::Submission> submissionOf(SiteContext& context, const PolicyStore::StoredPost& post) {
  auto content = Archive(context).open(post.object);
  if (!content) return std::nullopt;
  app::Submission submission;
  submission.content = std::move(*content);
  submission.mailFrom = post.mailFrom;
  submission.receivedAt = post.receivedAt;
  submission.queueId = post.queueId;
  context.site.read([&](SiteTables& tables) {
    const auto list = tables.lists.find(post.list);
    if (post.domainMail)
      submission.recipients = tables.policies.recipientsOf(post.id, MaxRecipients);
    else if (list)
      submission.recipients = {list->address};
  });
  const auto client = json::parse(post.client, nullptr, false);
  if (!client.is_object()) return submission;
  submission.clientAddress = client.value("address", "");
  submission.clientName = client.value("name", "");
  submission.tls = tlsOf(client);
  if (const auto proven = client.value("senderProven", std::string()); !proven.empty())
    submission.notes.emplace_back(app::SenderProvenNote, proven);
  return submission;
}

}  // namespace postern::listd
