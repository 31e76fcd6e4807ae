// Attack 11: scripts that use up resources, swallow limits, or reach for what is outside. Beside each limit there is a
// script that stays under it, since a host that fails on everything would pass all of this.
#include "core/base/Sanitized.h"
#include "tests/unit/core/policy/PolicyFixture.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

using namespace postern::policy;
using namespace postern::policy::test;
using namespace std::chrono_literals;

namespace {

// The same script, harmless at load and hostile in the call.
struct Hostile {
  const char* name;
  const char* body;
  const char* word;  // of the failure; two words with '|' between where it depends on the machine
};

const Hostile scripts[] = {
    {"endless loop", "while true do end", "instructions"},
    {"endless repeat without a body", "repeat until false", "instructions"},
    {"goto loop", "::again:: goto again", "instructions"},
    {"loop around pcall", "while true do pcall(function() while true do end end) end", "instructions"},
    {"pcall of pcall", "local function f() while true do pcall(pcall, pcall, f) end end f()", "instructions"},
    {"pcall that returns a verdict after the limit", "pcall(function() while true do end end) return accept()",
     "instructions"},
    {"loop in __index", "local t = setmetatable({}, {__index = function(t, k) while true do end end}) return t.x",
     "instructions"},
    {"loop in __close",
     "local x <close> = setmetatable({}, {__close = function() while true do end end}) return accept()",
     "instructions"},
    {"loop in __close after an error",
     "pcall(function() local x <close> = setmetatable({}, {__close = function() while true do end end}) error('x') "
     "end) "
     "return accept()",
     "instructions"},
    {"__close after the limit goes on",
     "local n = 0 local x <close> = setmetatable({}, {__close = function() for i = 1, 1e9 do n = n + 1 end end}) "
     "while true do end",
     "instructions"},
    {"loop in a sort order",
     "local t = {} for i = 1, 100 do t[i] = i end "
     "table.sort(t, function(a, b) while true do end end)",
     "instructions"},
    {"loop in a gsub function", "(('x'):rep(100)):gsub('.', function() while true do end end)", "instructions"},
    {"loop in tostring", "tostring(setmetatable({}, {__tostring = function() while true do end end}))", "instructions"},
    {"table bomb", "local t = {} for i = 1, 1e9 do t[i] = {i} end", "memory|instructions|timeout"},
    {"string doubling", "local s = 'x' while true do s = s .. s end", "memory"},
    {"string.rep", "return (('x'):rep(1e9))", "memory"},
    {"string.rep in a pcall loop", "while true do pcall(string.rep, 'x', 1 << 40) end", "memory|instructions|timeout"},
    {"table.concat bomb", "local t = {} for i = 1, 1000 do t[i] = ('x'):rep(100000) end return table.concat(t)",
     "memory|timeout"},
    {"memory limit swallowed by pcall",
     "pcall(function() local s = 'x' while true do s = s .. s end end) "
     "return accept()",
     "memory|timeout"},
    {"deep recursion", "local function f(n) return 1 + f(n + 1) end return f(1)", "script|memory"},
    {"endless tail recursion", "local function f() return f() end return f()", "instructions"},
    {"deep recursion through C", "local function f(s) return s:gsub('.', f) end f('x')", "script|memory|instructions"},
    {"recursion in pcall for ever", "local function f() pcall(f) f() end f()", "instructions|memory"},
    {"pattern backtracking", "return (('a'):rep(40)):find(('a?'):rep(40) .. ('a'):rep(40) .. 'b')", "timeout"},
    {"pattern backtracking in gmatch", "for x in (('a'):rep(40)):gmatch(('a?'):rep(40) .. ('a'):rep(40) .. 'b') do end",
     "timeout"},
    {"pattern backtracking in pcall",
     "pcall(function() return (('a'):rep(30)):gsub(('a-'):rep(30) .. 'b', '') end) return accept()", "timeout"},
    {"table.move without end", "table.move({}, 1, 1 << 60, 2)", "timeout|memory"},
    {"table.unpack too much", "return select('#', table.unpack({}, 1, 1e8))", "script|memory"},
    {"table.insert into the middle of a fake length",
     "table.insert(setmetatable({}, {__len = function() return 1 << 60 end}), 1, 'x')", "timeout|memory"},
    {"deep nesting of verdicts", "for i = 1, 1e9 do reject{} end", "script|instructions|memory"},
    {"endless notes", "for i = 1, 1e9 do msg:note('k', i) end", "script"},
};

const char* forbidden[] = {"io.open('/etc/passwd')",
                           "os.execute('id')",
                           "os.getenv('HOME')",
                           "os.exit(0)",
                           "load('return 1')()",
                           "loadstring('x')",
                           "dofile('/etc/passwd')",
                           "loadfile('x')",
                           "debug.getregistry()",
                           "debug.sethook()",
                           "collectgarbage('stop')",
                           "string.dump(match)",
                           "coroutine.wrap(function() end)",
                           "package.loadlib('x', 'y')",
                           "rawset(string, 'find', nil)",
                           "xpcall(error, error)",
                           "print('x')",
                           "warn('@on')",
                           "_G.x",
                           "math.random()",
                           "require('io')",
                           "require('/etc/passwd')",
                           "require('../secret')",
                           "_ENV.x.y",
                           "string.pack('i', 1)",
                           "setmetatable({}, {__gc = function() end})",
                           "setmetatable('', {})",
                           "getmetatable('').__index",
                           "getmetatable(tx).__index",
                           "getmetatable(string).__index.find",
                           "setmetatable(string, {})",
                           "setmetatable(tx, {})"};

}  // namespace

BOOST_AUTO_TEST_SUITE(core_policy_HostileScript)

BOOST_AUTO_TEST_CASE(every_resource_attack_ends_in_a_failure_within_the_limit) {
  for (const auto& script : scripts) {
    BOOST_TEST_CONTEXT(script.name) {
      const SetFolder folder(script.body);
      auto options = folder.options();
      options.limits.timeout = 700ms;
      PolicyHost host(options);
      BOOST_REQUIRE(host.status().hasSet);
      const auto start = std::chrono::steady_clock::now();
      const auto outcome = host.message(twoLists(), mail("hello"));
      const auto took = std::chrono::steady_clock::now() - start;
      BOOST_TEST(!outcome);
      const std::string words = std::string("|") + script.word + "|";
      BOOST_TEST(words.find("|" + failureWord(outcome) + "|") != std::string::npos,
                 "got " << failureWord(outcome) << ": " << detailOf(outcome));
      BOOST_TEST((took < 2s));
    }
  }
}

BOOST_AUTO_TEST_CASE(honest_work_stays_under_the_limits) {
  const auto outcome = askOnce(
      "local t = {} for i = 1, 20000 do t[i] = 'entry ' .. i end table.sort(t) "
      "local ok, why = pcall(error, 'mine') if ok or why ~= 'mine' then return reject{} end "
      "local s = table.concat(t, ' ') if not s:find('entry 777 ', 1, true) then return reject{} end "
      "return accept{ reason = 'honest' }");
  BOOST_REQUIRE_MESSAGE(outcome.has_value(), detailOf(outcome));
  BOOST_TEST(outcome->recipients[0].reason == "honest");
}

BOOST_AUTO_TEST_CASE(a_script_reaches_nothing_outside) {
  for (const auto* expression : forbidden) {
    BOOST_TEST_CONTEXT(expression) {
      const auto outcome = askOnce(std::string("local x = ") + expression + " return accept()");
      BOOST_TEST(failureWord(outcome) == "script");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_script_that_catches_the_refusal_still_has_nothing) {
  const auto outcome = askOnce(
      "for _, name in ipairs{'io', 'os', 'debug', 'load', 'package', 'coroutine', 'collectgarbage', '_G', 'rawset'} do "
      "local ok, value = pcall(function() return _ENV[name] end) "
      "if value ~= nil then return reject{ text = name } end end return accept()");
  BOOST_REQUIRE(outcome.has_value());
  BOOST_TEST((outcome->recipients[0].kind == VerdictKind::Accept), outcome->recipients[0].text);
}

BOOST_AUTO_TEST_CASE(bytecode_is_not_loaded) {
  SetFolder folder;
  folder.write("probe.lua", std::string("\x1bLua") + "T\0\x19\x93\r\n\x1a\n");
  const auto report = checkSet(folder.path(), WorkerProgram);
  BOOST_TEST(!report.ok);
  BOOST_REQUIRE(!report.problems.empty());
  BOOST_TEST(report.problems[0].text.find("binary") != std::string::npos, report.problems[0].text);
}

BOOST_AUTO_TEST_CASE(nothing_is_carried_from_one_message_to_the_next) {
  // Whatever of this a script can do at all, the next call must not see it.
  const SetFolder folder(
      "seen.count = seen.count + 1 "
      "pcall(function() string.find = nil end) pcall(function() table.insert(string, 'x') end) "
      "pcall(function() helper.word = 'poison' end) pcall(function() stolen = msg end) "
      "pcall(function() getmetatable('').__index = nil end) "
      "if seen.count ~= 1 or not ('abc'):find('b') or helper.word ~= 'clean' then return reject{ text = 'poisoned' } "
      "end "
      "return accept()",
      "local seen = { count = 0 } local helper = require 'lib/helper'");
  const_cast<SetFolder&>(folder).write("lib/helper.lua", "return { word = 'clean' }");
  PolicyHost host(folder.options());
  for (int i = 0; i < 3; ++i) {
    const auto outcome = host.message(twoLists(), mail("hello"));
    BOOST_REQUIRE_MESSAGE(outcome.has_value(), detailOf(outcome));
    BOOST_TEST((outcome->recipients[0].kind == VerdictKind::Accept), outcome->recipients[0].text);
  }
  BOOST_TEST(host.status().workersStarted == 1u);  // it was the same worker
}

BOOST_AUTO_TEST_CASE(one_policy_cannot_change_the_libraries_of_the_next) {
  SetFolder folder;
  folder.write("a_first.lua", policyText("a_first",
                                         "for _, t in ipairs{string, table, math, utf8, helper} do "
                                         "if pcall(function() t.find = 1 end) then return reject{} end "
                                         "if pcall(table.insert, t, 1) then return reject{} end end return pass()",
                                         "message", "local helper = require 'lib/helper'"));
  folder.write("b_second.lua",
               policyText("b_second", "return accept{ reason = ('abc'):find('b') and 'fine' or 'hurt' }"));
  folder.write("lib/helper.lua", "return { }");
  PolicyHost host(folder.options());
  const auto outcome = host.message(twoLists(), mail("hello"));
  BOOST_REQUIRE_MESSAGE(outcome.has_value(), detailOf(outcome));
  BOOST_TEST(outcome->recipients[0].policy == "b_second");
  BOOST_TEST(outcome->recipients[0].reason == "fine");
}

BOOST_AUTO_TEST_CASE(a_file_that_loops_at_load_is_refused_and_the_running_set_stays) {
  SetFolder folder("return accept()");
  auto options = folder.options();
  options.limits.timeout = 500ms;
  PolicyHost host(options);
  folder.write("probe.lua", policyText("probe", "return accept()", "message", "while true do end"));
  BOOST_TEST(!host.reload().ok);
  BOOST_TEST(host.message(twoLists(), mail("x")).has_value());
}

BOOST_AUTO_TEST_CASE(a_stuck_script_does_not_hold_up_other_callers) {
  const SetFolder folder(
      "if msg.subject == 'bomb' then return (('a'):rep(40)):find(('a?'):rep(40) .. ('a'):rep(40) .. 'b') end "
      "return accept()");
  auto options = folder.options();
  options.workers = 2;
  options.limits.timeout = 1500ms;
  PolicyHost host(options);
  std::atomic<int> timeouts = 0;
  std::vector<std::jthread> attackers;
  for (int i = 0; i < 4; ++i)
    attackers.emplace_back([&] {
      const auto outcome = host.message(twoLists(), mail("bomb"));
      if (!outcome && outcome.error().kind == FailureKind::Timeout) ++timeouts;
    });
  std::vector<std::chrono::steady_clock::duration> times;
  const auto end = std::chrono::steady_clock::now() + 1s;
  while (std::chrono::steady_clock::now() < end) {
    const auto start = std::chrono::steady_clock::now();
    BOOST_TEST(host.message(twoLists(), mail("honest")).has_value());
    times.push_back(std::chrono::steady_clock::now() - start);
  }
  attackers.clear();
  std::sort(times.begin(), times.end());
  BOOST_TEST(timeouts == 4);
  BOOST_TEST(times.size() > 50u);
  BOOST_TEST((times[times.size() / 2] < 50ms));
  BOOST_TEST((times.back() < 700ms));  // the first waits until one attacker counts as stuck
}

BOOST_AUTO_TEST_CASE(forbidden_system_calls_kill_the_worker) {
  for (const std::string what : {"open", "socket", "fork", "exec", "kill", "thread", "exec-memory"}) {
    BOOST_TEST_CONTEXT(what) {
      const pid_t child = ::fork();
      if (child == 0) {
        ::execl(WorkerProgram.c_str(), "postern-policy", "--try", what.c_str(), nullptr);
        ::_exit(99);
      }
      int status = 0;
      BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
      BOOST_TEST(WIFSIGNALED(status));
      BOOST_TEST(WTERMSIG(status) == SIGSYS);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_worker_has_one_descriptor_and_its_limits) {
  const SetFolder folder("return accept()");
  const auto texts = readSet(folder.path());
  BOOST_REQUIRE(texts.has_value());
  const int leak = ::dup(STDERR_FILENO);  // one without close-on-exec: a worker must not keep it
  WorkerProcess worker(WorkerProgram);
  BOOST_REQUIRE(worker.load(*texts, {}).ok);
  const auto proc = "/proc/" + std::to_string(worker.process());
  const auto status = postern::files::read(proc + "/status");
  BOOST_TEST(status.find("Seccomp:\t2") != std::string::npos);
  BOOST_TEST(status.find("NoNewPrivs:\t1") != std::string::npos);
  const auto limits = postern::files::read(proc + "/limits");
  BOOST_TEST(limits.find("Max open files            0 ") != std::string::npos, limits);
  BOOST_TEST(limits.find("Max core file size        0 ") != std::string::npos, limits);
  BOOST_TEST(limits.find("Max cpu time              60 ") != std::string::npos, limits);
  if (::geteuid() == 0) {  // it is not dumpable, so its folder belongs to root
    std::size_t descriptors = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(proc + "/fd")) ++descriptors;
    BOOST_TEST(descriptors >= 1u);
    BOOST_TEST(descriptors <= (postern::Sanitized ? 3u : 1u));  // a sanitizer reports on standard output and error
  }
  ::close(leak);
}

BOOST_AUTO_TEST_CASE(a_worker_killed_while_idle_is_replaced_without_a_failure) {
  const SetFolder folder("return accept()");
  const auto texts = readSet(folder.path());
  BOOST_REQUIRE(texts.has_value());
  WorkerProcess worker(WorkerProgram);
  BOOST_TEST(worker.usable());
  ::kill(worker.process(), SIGKILL);
  // Its end of the socket closes with it; wait for that rather than for a time.
  siginfo_t info{};
  BOOST_REQUIRE(::waitid(P_PID, static_cast<id_t>(worker.process()), &info, WEXITED | WNOWAIT) == 0);
  BOOST_TEST(!worker.usable());
}

BOOST_AUTO_TEST_SUITE_END()
