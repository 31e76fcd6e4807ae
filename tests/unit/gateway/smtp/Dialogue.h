#pragma once
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// The dialogue language of tests/smtp/*.smtp. One step a line; `#` begins a comment.
//   O: name value      an option, before the first step: max-size, max-recipients, max-hops, max-errors, max-line,
//                      max-refused, max-idle, no-tls, not-ready, submission, implicit-tls, whole-only (not fed byte by
//                      byte), session-only (not run against a real server), tls-required, certificate-required,
//                      sender-tls (of strict.example TLS 1.3, of partner.example any), tls12 (T: is that version),
//                      xclient (the client is a filter in front), unsaid (a balancer does not say who it is),
//                      name old.example|retired.example (the client came by that name), hooks (policies are
//                      asked before RCPT), connect WORD, auth-refused (what they say: refused, deferred, broken)
//   C: text            a command line; CR LF is added
//   R: text            raw bytes, nothing is added. Escapes in C and R: \r \n \t \0 \xHH \\, and \| begins a new feed
//   R*1000: text       the same, repeated
//   S: text            the next line of output; `*` stands for anything
//   T:                 TLS is wanted now, and begins
//   E:                 the session has closed
//   A: accepted N      messages accepted so far             A: refused WORD   reason of the latest refusal
//   A: content TEXT    in the content of the latest message A: no-content TEXT
//   A: notes NAME=VALUE,NAME=VALUE                          of the latest message
//   A: from ADDRESS    A: to ADDRESS,ADDRESS                of the latest message
namespace postern::gateway::dialogue {

struct Step {
  char kind = 0;  // C R S T E A
  std::vector<std::string> feeds;
  std::string text;
  int line = 0;
};

struct Dialogue {
  std::string name;
  std::map<std::string, std::string> options;
  std::vector<Step> steps;

  bool has(const std::string& option) const { return options.contains(option); }
  unsigned number(const std::string& option, unsigned otherwise) const {
    const auto found = options.find(option);
    return found == options.end() ? otherwise : static_cast<unsigned>(std::stoul(found->second));
  }
};

inline std::vector<std::string> unescape(std::string_view text) {
  std::vector<std::string> feeds(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      feeds.back() += text[i];
      continue;
    }
    switch (text.at(++i)) {
      case 'r':
        feeds.back() += '\r';
        break;
      case 'n':
        feeds.back() += '\n';
        break;
      case 't':
        feeds.back() += '\t';
        break;
      case '0':
        feeds.back() += '\0';
        break;
      case '\\':
        feeds.back() += '\\';
        break;
      case '|':
        feeds.emplace_back();
        break;
      case 'x':
        feeds.back() += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
        break;
      default:
        throw std::runtime_error("unknown escape in a dialogue");
    }
  }
  return feeds;
}

inline Dialogue read(const std::filesystem::path& path) {
  Dialogue dialogue;
  dialogue.name = path.filename().string();
  std::ifstream in(path);
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    const auto colon = line.find(':');
    if (colon == std::string::npos)
      throw std::runtime_error(dialogue.name + ":" + std::to_string(number) + ": no colon");
    const auto key = line.substr(0, colon);
    auto text = line.substr(std::min(line.size(), colon + 2));
    if (key == "O") {
      const auto blank = text.find(' ');
      dialogue.options[text.substr(0, blank)] = blank == std::string::npos ? "" : text.substr(blank + 1);
      continue;
    }
    Step step{key[0], {}, text, number};
    if (key[0] == 'C' || key[0] == 'R') step.feeds = unescape(text);
    if (key[0] == 'C') step.feeds.back() += "\r\n";
    if (key.starts_with("R*")) {
      const auto one = step.feeds.back();
      for (auto count = std::stoul(key.substr(2)); count > 1; --count) step.feeds.back() += one;
    }
    dialogue.steps.push_back(std::move(step));
  }
  return dialogue;
}

inline std::vector<Dialogue> readAll(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".smtp") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<Dialogue> dialogues;
  for (const auto& path : paths) dialogues.push_back(read(path));
  return dialogues;
}

// `*` in the pattern stands for anything.
inline bool matches(std::string_view pattern, std::string_view text) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (text.substr(0, star) != pattern.substr(0, star)) return false;
  const auto rest = pattern.substr(star + 1);
  for (std::size_t at = star; at <= text.size(); ++at)
    if (matches(rest, text.substr(at))) return true;
  return false;
}

}  // namespace postern::gateway::dialogue
