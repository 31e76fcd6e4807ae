#pragma once
#include "webadmin/Visit.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace postern::webadmin {

// The members of a list as a table can show them: filtered, sorted and cut into pages.
//
// listd gives members in its own order, page by page. Up to `SortLimit` members are fetched whole and sorted and
// filtered here; of a longer roster listd gives the addresses that begin with the text, in its own order, and the page
// says so.
class MemberTable {
public:
  static constexpr std::size_t SortLimit = 5000;
  static constexpr std::size_t PageSize = 50;

  // Reads what is wanted from the query: q (text), show (ready withheld disabled), sort (address name protection
  // joined expiry), page (of a sorted table), after (cursor of a long one).
  MemberTable(const Visit& visit, const std::string& list);

  const std::vector<nlohmann::json>& rows() const { return rows_; }  // all that fit; one page of a long roster
  std::vector<nlohmann::json> page() const;
  std::size_t pageNumber() const { return page_; }
  std::size_t pageCount() const;
  std::uint64_t total() const { return total_; }  // members of the list, by listd
  bool tooLongToSort() const { return tooLong_; }
  const std::string& nextCursor() const { return next_; }  // of a long roster

private:
  std::vector<nlohmann::json> rows_;
  std::size_t page_ = 1;
  std::uint64_t total_ = 0;
  bool tooLong_ = false;
  std::string next_;
};

}  // namespace postern::webadmin
