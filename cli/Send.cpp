#include "cli/Send.h"

#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/config/SiteConfig.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"
#include "core/mail/Header.h"
#include "core/mail/Mailboxes.h"

#include <curl/curl.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

namespace postern::cli {

namespace {

struct Envelope {
  std::string from;
  std::vector<std::string> to;
};

std::string readMessage(const std::string& file) {
  const auto raw = file == "-" ? std::string(std::istreambuf_iterator<char>(std::cin), {}) : files::read(file);
  std::string message;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '\n' && (i == 0 || raw[i - 1] != '\r')) message += '\r';
    message += raw[i];
  }
  return message;
}

std::vector<std::string> addressesOf(std::string_view message, std::string_view field) {
  std::vector<std::string> addresses;
  const auto header = mail::HeaderBlock::scan(message);
  if (!header) return addresses;
  const auto value = header->value(field);
  if (!value) return addresses;
  for (const auto& mailbox : mail::parseMailboxes(*value).mailboxes)
    if (mailbox.address) addresses.push_back(mailbox.address->text());
  return addresses;
}

Envelope envelopeOf(const std::string& message, const SendOptions& options) {
  Envelope envelope{options.from, options.to};
  if (envelope.from.empty()) {
    const auto from = addressesOf(message, "From");
    if (from.size() != 1) throw Error(ErrorKind::Config, "the message has no single From address; say --from ADDRESS");
    envelope.from = from[0];
  }
  if (envelope.to.empty())
    for (const auto* field : {"To", "Cc"})
      for (const auto& address : addressesOf(message, field)) envelope.to.push_back(address);
  if (envelope.to.empty()) throw Error(ErrorKind::Config, "the message has no recipients; say --to ADDRESS");
  return envelope;
}

struct Upload {
  std::string_view rest;
};

std::size_t giveBytes(char* to, std::size_t size, std::size_t count, void* upload) {
  auto& rest = static_cast<Upload*>(upload)->rest;
  const auto length = std::min(rest.size(), size * count);
  rest.copy(to, length);
  rest.remove_prefix(length);
  return length;
}

// Keeps the last reply of the server, all its lines.
std::size_t takeReplyLine(char* from, std::size_t size, std::size_t count, void* lines) {
  auto& reply = *static_cast<std::vector<std::string>*>(lines);
  std::string line(from, size * count);
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  if (!reply.empty() && (reply.back().size() < 4 || reply.back()[3] != '-')) reply.clear();
  reply.push_back(std::move(line));
  return size * count;
}

struct CurlEnd {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct Outcome {
  bool accepted;
  std::vector<std::string> reply;
};

Outcome transfer(const config::SiteConfig& site, const Envelope& envelope, const std::string& message) {
  if (site.listen.empty())
    throw Error(ErrorKind::Config, "the site has no plain SMTP port to send to ([gateway] listen)");
  const std::unique_ptr<CURL, CurlEnd> handle(curl_easy_init());
  std::unique_ptr<curl_slist, CurlEnd> recipients;
  for (const auto& address : envelope.to)
    recipients.reset(curl_slist_append(recipients.release(), ("<" + address + ">").c_str()));
  const auto& where = site.listen.front();
  const auto host = where.host.find(':') == std::string::npos ? where.host : "[" + where.host + "]";
  const auto url = "smtp://" + host + ":" + std::to_string(where.port) + "/" + site.hostName;
  const auto from = "<" + envelope.from + ">";
  Upload upload{message};
  Outcome outcome{false, {}};
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_TRY));
  curl_easy_setopt(handle.get(), CURLOPT_SSL_VERIFYPEER, 0L);  // the site's own port on this machine
  curl_easy_setopt(handle.get(), CURLOPT_SSL_VERIFYHOST, 0L);
  curl_easy_setopt(handle.get(), CURLOPT_MAIL_FROM, from.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_MAIL_RCPT, recipients.get());
  curl_easy_setopt(handle.get(), CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_READFUNCTION, giveBytes);
  curl_easy_setopt(handle.get(), CURLOPT_READDATA, &upload);
  curl_easy_setopt(handle.get(), CURLOPT_HEADERFUNCTION, takeReplyLine);
  curl_easy_setopt(handle.get(), CURLOPT_HEADERDATA, &outcome.reply);
  const auto code = curl_easy_perform(handle.get());
  if (code == CURLE_COULDNT_CONNECT)
    throw Error(ErrorKind::Unavailable, "nobody answers at " + url + "; is Postern running?");
  outcome.accepted = code == CURLE_OK;
  if (outcome.reply.empty()) outcome.reply.emplace_back(curl_easy_strerror(code));
  return outcome;
}

Exit sendSecure(const Context& context, const SendOptions& options) {
  const auto message = readMessage(options.file);
  const auto envelope = envelopeOf(message, options);
  nlohmann::json args{{"message", crypto::base64(message)}, {"to", envelope.to}};
  args["key"] = options.key.empty() ? crypto::randomToken() : options.key;
  if (!options.account.empty()) args["account"] = options.account;
  const auto sent = context.give("mail.send", args);
  if (context.json)
    context.out << sent.dump(2) << "\n";
  else
    context.out << "post " << sent.at("id") << " from " << sent.at("from").get<std::string>() << " for "
                << sent.at("recipients") << (sent.at("again").get<bool>() ? " (sent before, not again)" : "") << "\n";
  return Exit::Ok;
}

}  // namespace

Exit sendMessage(const Context& context, const SendOptions& options) {
  if (options.secure) return sendSecure(context, options);
  const auto site = config::loadSiteConfig(context.dataFolder);
  const auto message = readMessage(options.file);
  const auto outcome = transfer(site, envelopeOf(message, options), message);
  if (context.json)
    context.out << nlohmann::json{{"accepted", outcome.accepted}, {"reply", outcome.reply}}.dump(2) << "\n";
  else
    for (const auto& line : outcome.reply) context.out << line << "\n";
  return outcome.accepted ? Exit::Ok : Exit::No;
}

}  // namespace postern::cli
