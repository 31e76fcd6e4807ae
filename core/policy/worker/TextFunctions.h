#pragma once
#include <lua.hpp>

// Functions of scripts that look through text, and at sets and counts.
namespace postern::policy::worker {

// Adds matches, find_all, words_in, in_set and count to the table on top of the stack.
void addTextFunctions(lua_State* state);

// msg:parts() and msg:text().
int partsOfMessage(lua_State* state);
int textOfMessage(lua_State* state);

}  // namespace postern::policy::worker
