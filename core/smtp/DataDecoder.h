#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::smtp {

// What is wrong with the bytes of a message as they came over the wire. Any of these refuses the transaction.
struct ContentFindings {
  bool bareCr = false;       // CR without LF
  bool bareLf = false;       // LF without CR
  bool nul = false;          // RFC 5321 has no NUL; BINARYMIME is not offered
  bool tooLarge = false;     // over the size limit; the rest was counted and thrown away
  bool lineTooLong = false;  // over the line limit (RFC 5321 §4.5.3.1.6), the line end not counted

  bool any() const { return bareCr || bareLf || nul || tooLarge || lineTooLong; }
  std::string lineEndText() const;  // "a bare LF", "a bare CR and a NUL"; empty if these three are false
};

struct ContentLimits {
  std::uint64_t maxBytes = 20u << 20;
  std::uint32_t maxLine = 998;  // 0: any
};

// Takes message content off the wire, whatever way the bytes are split.
// Invariants:
//  1. DATA ends at CR LF "." CR LF only (RFC 5321 §4.1.1.4), the first line counting as behind a CR LF. No other
//     sequence ends it, so that nothing a lax sender lets through can begin a second transaction here.
//  2. A dot at the start of a line is taken off (§4.5.2); of the last line the CR LF stays, as its text's line end.
//  3. Once a finding refuses the content, the bytes kept are freed and nothing more is kept: memory is bounded by
//     maxBytes plus one feed.
// Threads: one at a time.
class DataDecoder {
public:
  explicit DataDecoder(const ContentLimits& limits) : limits_(limits) {}

  // Bytes behind DATA. Returns how many belong to the content; fewer than given only if done() became true.
  std::size_t feedData(std::string_view bytes);
  // Bytes of BDAT chunks (RFC 3030): no dots, no end mark; the caller counts. The same law for line ends.
  void feedChunk(std::string_view bytes);
  // Behind the last chunk: a CR at the very end is bare; a last line without CR LF gets one.
  void endOfChunks();

  bool done() const { return done_; }
  const ContentFindings& findings() const { return findings_; }
  std::uint64_t receivedBytes() const { return received_; }  // decoded octets, those thrown away too
  std::string takeContent() { return std::move(content_); }

private:
  enum class At : std::uint8_t { LineStart, Dot, DotCr, InLine, Cr };

  void keep(std::string_view bytes);
  void discard();
  // Takes a run without CR, LF and NUL from the front of `bytes`.
  std::size_t takeRun(std::string_view bytes);
  void take(char byte, bool dots);
  void endLine();

  ContentLimits limits_;
  ContentFindings findings_;
  std::string content_;
  std::uint64_t received_ = 0;
  std::uint64_t lineLength_ = 0;
  At at_ = At::LineStart;
  bool discarding_ = false;
  bool done_ = false;
};

}  // namespace postern::smtp
