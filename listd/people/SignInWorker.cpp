#include "listd/people/SignInWorker.h"

#include "core/app/Orders.h"
#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/mail/Text.h"
#include "listd/people/Person.h"

#include <algorithm>

namespace postern::listd {
namespace {

constexpr std::chrono::milliseconds Turn{2000};
constexpr std::chrono::milliseconds Pause{200};
constexpr std::string_view Scopes[] = {"mail:write", "mail:send"};

bool isAlone(SiteTables& tables, const Account& account) {
  const auto all = tables.accounts.all();
  return std::none_of(all.begin(), all.end(), [&](const Account& other) {
    return other.name != account.name && other.state != "disabled" && mail::equalsIgnoreCase(other.mail, account.mail);
  });
}

}  // namespace

app::SignInAnswer judgeSignIn(SiteContext& context, const app::SignInQuestion& question) {
  app::SignInAnswer answer;
  answer.id = question.id;
  const auto now = context.clock.now();
  app::Actor actor;
  actor.kind = "api";
  actor.token = std::string(question.password.view());
  const auto token = context.site.read([&](SiteTables& tables) -> std::uint64_t {
    const auto person = personOf(tables, actor, now);
    const auto account = person.account.empty() ? std::nullopt : tables.accounts.find(person.account);
    if (!account || account->mail.empty() || !isAlone(tables, *account)) return 0;
    if (std::find_first_of(person.scopes.begin(), person.scopes.end(), std::begin(Scopes), std::end(Scopes)) ==
        person.scopes.end())
      return 0;
    if (!mail::equalsIgnoreCase(question.name, account->name) && !mail::equalsIgnoreCase(question.name, account->mail))
      return 0;
    answer.right = true;
    answer.person = {account->name, account->mail};
    return person.token;
  });
  if (answer.right) context.site.write([&](SiteTables& tables) { tables.tokens.recordUse(token, now); });
  return answer;
}

SignInWorker::SignInWorker(SiteContext& context, std::string socketPath)
    : context_(context),
      socketPath_(std::move(socketPath)),
      thread_([this](std::stop_token stop) { run(std::move(stop)); }) {}

SignInWorker::~SignInWorker() {
  thread_.request_stop();
  const MutexLock lock(mutex_);
  if (link_) link_->shutdown();
  changed_.notify_all();
}

std::shared_ptr<app::SignInLink> SignInWorker::take(std::shared_ptr<app::SignInLink> link) {
  const MutexLock lock(mutex_);
  link_ = link;
  return link;
}

void SignInWorker::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    try {
      serve(stop);
    } catch (const Error& error) {
      log::debug("signin", "no connection to the gateway for sign-ins", {{"reason", error.message()}});
    }
    take(nullptr);
    const MutexLock lock(mutex_);
    changed_.wait_for(mutex_, Pause, [&] { return stop.stop_requested(); });
  }
}

void SignInWorker::serve(const std::stop_token& stop) {
  const auto link = take(std::make_shared<app::SignInLink>(socketPath_));
  std::vector<app::SignInAnswer> answers;
  while (!stop.stop_requested()) {
    const auto questions = link->exchange(answers, answers.empty() ? Turn : std::chrono::milliseconds(0));
    answers.clear();
    for (const auto& question : questions) answers.push_back(judgeSignIn(context_, question));
  }
}

}  // namespace postern::listd
