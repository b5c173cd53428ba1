#define _GNU_SOURCE
#include "CGuestLab.h"
#include <fcntl.h>
#include <unistd.h>

int guestlab_pipe(int ends[2]) {
    return pipe2(ends, O_CLOEXEC);
}

int guestlab_spawn_close_from(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

int guestlab_spawn_change_directory(posix_spawn_file_actions_t *actions, const char *path) {
    return posix_spawn_file_actions_addchdir_np(actions, path);
}
