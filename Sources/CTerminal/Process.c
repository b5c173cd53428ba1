// Signals by descriptor, waking, stopping and starting over.
#define _GNU_SOURCE
#include "CTerminal.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void terminal_signals(sigset_t *set) {
    sigemptyset(set);
    static const int signals[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) sigaddset(set, signals[i]);
}

void ct_block_signals(void) {
    sigset_t set;
    terminal_signals(&set);
    // A write to a terminal or socket that is gone is an error to handle, not a death.
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int ct_signal_descriptor(void) {
    sigset_t set;
    terminal_signals(&set);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int ct_read_signal(int descriptor) {
    struct signalfd_siginfo info;
    return read(descriptor, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

int ct_event_descriptor(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

void ct_wake(int descriptor) {
    // Only a counter that is full already can refuse.
    (void)!eventfd_write(descriptor, 1);
}

void ct_drain(int descriptor) {
    eventfd_t count;
    (void)!eventfd_read(descriptor, &count);
}

void ct_stop_self(void) {
    do {
        kill(getpid(), SIGSTOP);
        // Continued in the background (bg): the terminal is the shell's, so stop again.
    } while (tcgetpgrp(STDIN_FILENO) > 0 && tcgetpgrp(STDIN_FILENO) != getpgrp());
}

bool ct_is_main_thread(void) { return gettid() == getpid(); }

void ct_exit(int code) { _exit(code); }

void ct_reexec(char *const *arguments, const char *variable, const char *value) {
    if (setenv(variable, value, 1) != 0) return;
    execv("/proc/self/exe", arguments);
}
