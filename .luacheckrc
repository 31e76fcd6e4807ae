-- luacheck lua-policies: the policies run in the sealed world of core/policy/worker/Sandbox.cpp.
std = "none"
max_line_length = 120
read_globals = {
  "assert", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "rawequal", "rawget", "rawlen", "require",
  "select", "setmetatable", "tonumber", "tostring", "type", "match", "matches", "find_all", "words_in", "in_set", "count",
  "accept", "reject", "defer", "discard", "hold", "redirect", "protect", "pass", "verdicts",
  string = { fields = { "byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "rep", "reverse",
    "sub", "upper" } },
  table = { fields = { "concat", "insert", "move", "pack", "remove", "sort", "unpack" } },
  math = { fields = { "abs", "ceil", "floor", "fmod", "huge", "max", "maxinteger", "min", "mininteger", "modf", "sqrt",
    "tointeger", "type", "ult" } },
  utf8 = { fields = { "char", "charpattern", "codepoint", "codes", "len", "offset" } },
}
exclude_files = { "lua-policies/meta/*" }
