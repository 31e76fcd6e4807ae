#include "webadmin/HtmlSanitizer.h"

#include <algorithm>
#include <array>
#include <vector>

namespace postern::webadmin {

namespace {

constexpr std::array<std::string_view, 34> Kept = {
    "p",          "div",   "span",  "b",     "strong", "i",  "em", "u",  "s",       "small", "sub", "sup",
    "blockquote", "pre",   "code",  "ul",    "ol",     "li", "dl", "dt", "dd",      "h1",    "h2",  "h3",
    "h4",         "table", "thead", "tbody", "tfoot",  "tr", "td", "th", "caption", "h5"};
constexpr std::array<std::string_view, 3> Void = {"br", "hr", "wbr"};
// Whose content is no text of the message.
constexpr std::array<std::string_view, 12> Dropped = {"script", "style",    "title",  "template", "noscript", "iframe",
                                                      "object", "textarea", "select", "svg",      "math",     "xmp"};
constexpr std::size_t MostNested = 200;

template <std::size_t N>
bool isIn(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool isBlank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

void appendEscaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else if (c != '\0')
      out += c;  // an & stays: a reference can only ever be text here
  }
}

// One tag, read from behind its '<'.
struct Tag {
  std::string name;
  bool closing = false;
  std::string href;
  std::string colspan;
  std::string rowspan;
  std::size_t end = 0;  // behind its '>'
};

std::string attributeValue(std::string_view html, std::size_t& at) {
  while (at < html.size() && isBlank(html[at])) ++at;
  if (at >= html.size()) return {};
  const char quote = html[at];
  if (quote == '"' || quote == '\'') {
    const auto end = std::min(html.find(quote, at + 1), html.size());
    std::string value(html.substr(at + 1, end - at - 1));
    at = std::min(end + 1, html.size());
    return value;
  }
  const auto start = at;
  while (at < html.size() && !isBlank(html[at]) && html[at] != '>') ++at;
  return std::string(html.substr(start, at - start));
}

Tag readTag(std::string_view html, std::size_t at) {
  Tag tag;
  if (at < html.size() && html[at] == '/') {
    tag.closing = true;
    ++at;
  }
  while (at < html.size() && !isBlank(html[at]) && html[at] != '>' && html[at] != '/') tag.name += lower(html[at++]);
  while (at < html.size() && html[at] != '>') {
    if (isBlank(html[at]) || html[at] == '/') {
      ++at;
      continue;
    }
    std::string name(1, lower(html[at++]));
    while (at < html.size() && !isBlank(html[at]) && html[at] != '>' && html[at] != '=' && html[at] != '/')
      name += lower(html[at++]);
    while (at < html.size() && isBlank(html[at])) ++at;
    if (at >= html.size() || html[at] != '=') continue;
    auto value = attributeValue(html, ++at);
    if (name == "href") tag.href = std::move(value);
    if (name == "colspan") tag.colspan = std::move(value);
    if (name == "rowspan") tag.rowspan = std::move(value);
  }
  tag.end = std::min(at + 1, html.size());
  return tag;
}

// Behind the end tag of an element whose content is left out; the end when there is none.
std::size_t skipElement(std::string_view html, std::size_t at, std::string_view name) {
  for (at = html.find('<', at); at != html.npos; at = html.find('<', at + 1)) {
    if (html.size() - at < name.size() + 2 || html[at + 1] != '/') continue;
    const auto given = html.substr(at + 2, name.size());
    if (std::equal(given.begin(), given.end(), name.begin(), [](char a, char b) { return lower(a) == b; }))
      return readTag(html, at + 1).end;
  }
  return html.size();
}

void appendSpan(std::string& out, std::string_view name, const std::string& value) {
  if (!value.empty() && value.size() <= 2 && value.find_first_not_of("0123456789") == std::string::npos)
    out += " " + std::string(name) + "=\"" + value + "\"";
}

class Writer {
public:
  void text(std::string_view text) { appendEscaped(out_, text); }

  void tag(const Tag& tag) {
    if (tag.name == "a") return link(tag);
    if (isIn(Void, tag.name)) {
      if (!tag.closing) out_ += "<" + tag.name + ">";
    } else if (isIn(Kept, tag.name)) {
      tag.closing ? close(tag.name) : open(tag);
    }
  }

  std::string finish() {
    while (!open_.empty()) close(open_.back());
    return std::move(out_);
  }

private:
  void open(const Tag& tag) {
    if (open_.size() >= MostNested) return;
    out_ += "<" + tag.name;
    if (tag.name == "td" || tag.name == "th") {
      appendSpan(out_, "colspan", tag.colspan);
      appendSpan(out_, "rowspan", tag.rowspan);
    }
    out_ += ">";
    open_.push_back(tag.name);
  }

  void close(const std::string& name) {
    if (std::find(open_.begin(), open_.end(), name) == open_.end()) return;
    for (std::string last; last != name;) {
      last = open_.back();
      open_.pop_back();
      out_ += "</" + last + ">";
    }
  }

  // People see where a link would lead, and cannot follow it by mistake.
  void link(const Tag& tag) {
    if (!tag.closing) {
      target_ = tag.href;
    } else if (!target_.empty()) {
      out_ += " [";
      appendEscaped(out_, target_.substr(0, 500));
      out_ += "]";
      target_.clear();
    }
  }

  std::string out_;
  std::string target_;
  std::vector<std::string> open_;
};

bool startsTag(std::string_view html, std::size_t at) {
  if (at + 1 >= html.size()) return false;
  const char c = lower(html[at + 1]);
  return (c >= 'a' && c <= 'z') || c == '/';
}

}  // namespace

std::string sanitizeHtml(std::string_view html) {
  Writer writer;
  for (std::size_t at = 0; at < html.size();) {
    const auto next = std::min(html.find('<', at), html.size());
    writer.text(html.substr(at, next - at));
    if (next == html.size()) break;
    if (html.substr(next, 4) == "<!--") {
      const auto end = html.find("-->", next + 4);
      at = end == html.npos ? html.size() : end + 3;
    } else if (next + 1 < html.size() && (html[next + 1] == '!' || html[next + 1] == '?')) {
      at = std::min(html.find('>', next), html.size() - 1) + 1;
    } else if (!startsTag(html, next)) {
      writer.text("<");
      at = next + 1;
    } else {
      const auto tag = readTag(html, next + 1);
      at = tag.end;
      if (isIn(Dropped, tag.name) && !tag.closing)
        at = skipElement(html, at, tag.name);
      else
        writer.tag(tag);
    }
  }
  return writer.finish();
}

}  // namespace postern::webadmin
