#ifndef CGUESTLAB_H
#define CGUESTLAB_H

#include <spawn.h>

// glibc declares these only under _GNU_SOURCE, which Swift's own Glibc module is built without.
int guestlab_pipe(int ends[2]);
int guestlab_spawn_close_from(posix_spawn_file_actions_t *actions, int first);
int guestlab_spawn_change_directory(posix_spawn_file_actions_t *actions, const char *path);

#endif
