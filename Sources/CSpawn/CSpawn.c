#define _GNU_SOURCE
#include "CSpawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int cs_pipe(int *reader, int *writer) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return errno;
    *reader = ends[0];
    *writer = ends[1];
    return 0;
}

static int describe(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int log, int ready) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    if (!error) error = posix_spawn_file_actions_adddup2(actions, log, 1);
    if (!error) error = posix_spawn_file_actions_adddup2(actions, log, 2);
    if (!error) error = posix_spawn_file_actions_adddup2(actions, ready, 3);
    if (!error) error = posix_spawn_file_actions_addclosefrom_np(actions, 4);
    // The starter's directory may be unmounted or removed one day.
    if (!error) error = posix_spawn_file_actions_addchdir_np(actions, "/");
    // The console blocks and catches signals; what it starts begins with the defaults.
    if (!error) error = posix_spawnattr_setsigmask(attributes, &none);
    if (!error) error = posix_spawnattr_setsigdefault(attributes, &all);
    if (!error) {
        error = posix_spawnattr_setflags(
            attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    }
    return error;
}

int cs_spawn(const char *executable, char *const *arguments, int log, int ready, pid_t *pid) {
    // Sources below 4 could be overwritten by an earlier dup2.
    int safe_log = fcntl(log, F_DUPFD_CLOEXEC, 10), safe_ready = fcntl(ready, F_DUPFD_CLOEXEC, 10);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = safe_log < 0 || safe_ready < 0 ? errno : 0;
    if (!error) {
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
        error = describe(&actions, &attributes, safe_log, safe_ready);
        if (!error) error = posix_spawn(pid, executable, &actions, &attributes, arguments, environ);
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
    if (safe_log >= 0) close(safe_log);
    if (safe_ready >= 0) close(safe_ready);
    return error;
}

int cs_wait(pid_t pid, int milliseconds, int *status) {
    int descriptor = (int)syscall(SYS_pidfd_open, pid, 0);
    if (descriptor >= 0) {
        struct pollfd ended = {.fd = descriptor, .events = POLLIN};
        while (poll(&ended, 1, milliseconds) < 0 && errno == EINTR) {}
        close(descriptor);
    }
    return waitpid(pid, status, WNOHANG) == pid;
}
