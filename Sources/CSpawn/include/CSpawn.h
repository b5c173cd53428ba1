// Starting a process that outlives its starter: what of posix_spawn and pidfd Swift cannot import.
#ifndef CSPAWN_H
#define CSPAWN_H

#include <sys/types.h>

// Starts a program in a session of its own, in /, with default signals, /dev/null on descriptor 0, `log` on 1 and 2,
// `ready` on 3, and nothing else open. Returns 0 or an errno.
int cs_spawn(const char *executable, char *const *arguments, int log, int ready, pid_t *pid);

// A pipe whose ends do not survive an exec. Returns 0 or an errno.
int cs_pipe(int *reader, int *writer);

// Waits until a child has ended and reaps it: 1, or 0 when it lives on after the time.
int cs_wait(pid_t pid, int milliseconds, int *status);

#endif
