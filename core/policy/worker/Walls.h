#pragma once

// The walls around a policy worker: what a script could do if it broke out of Lua. Nothing but compute and talk over
// the one socket.
namespace postern::policy::worker {

// Closes every descriptor but `socket`, sets resource limits, gives up new privileges, and filters system calls so
// that the process is killed at the first one that it has no business with. For good: nothing here can be undone.
// REQUIRES: one thread.
// Errors: throws Error(Config) with what to do; the caller must then not run any script.
void confine(int socket);

// The CPU seconds this process has used of its life's limit are half gone: time for the host to replace it.
bool wantsToRetire();

// Tries a forbidden thing by name (open, socket, fork, exec, kill, thread, exec-memory); returns true if the kernel
// let it. For `postern-policy --try NAME`, by which tests and administrators see that the walls stand.
bool tryForbidden(const char* name);

}  // namespace postern::policy::worker
