// Giving the terminal back, in order and after a crash.
#define _GNU_SOURCE
#include "CTerminal.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

static struct termios saved_modes;
static volatile sig_atomic_t modes_saved;
// Whether the alternate screen is on.
static volatile sig_atomic_t screen_is_up;

// What a crash writes, made while things are well: mouse and paste off, attributes off, keypad off, cursor on, main
// screen.
static char farewell[512];
static volatile sig_atomic_t farewell_length;

static volatile sig_atomic_t parked = -1;
static volatile sig_atomic_t real_stderr = -1;

static const int guarded[] = {SIGSEGV, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE};
enum { guarded_count = sizeof guarded / sizeof guarded[0] };
static struct sigaction previous[guarded_count];
static atomic_flag crashed = ATOMIC_FLAG_INIT;

void ct_write_all(int descriptor, const void *bytes, size_t count) {
    const char *next = bytes;
    while (count > 0) {
        ssize_t written = write(descriptor, next, count);
        if (written < 0) {
            if (errno == EINTR) continue;
            return;
        }
        next += written;
        count -= (size_t)written;
    }
}

void ct_save_modes(void) {
    if (!modes_saved && tcgetattr(STDIN_FILENO, &saved_modes) == 0) modes_saved = 1;
}

void ct_restore_modes(void) {
    if (modes_saved) tcsetattr(STDIN_FILENO, TCSANOW, &saved_modes);
}

static void add(const char *sequence) {
    if (!sequence || sequence == (const char *)-1) return;
    // Padding marks of old terminals are left out: the pause is not worth having in a crash.
    size_t length = (size_t)farewell_length;
    while (*sequence && length < sizeof farewell) {
        if (sequence[0] == '$' && sequence[1] == '<') {
            while (*sequence && *sequence != '>') sequence++;
            if (*sequence) sequence++;
            continue;
        }
        farewell[length++] = *sequence++;
    }
    farewell_length = (sig_atomic_t)length;
}

static bool understands_private_modes(void) {
    const char *name = termname();
    return strncmp(name, "vt", 2) != 0 && strncmp(name, "linux", 5) != 0;
}

void ct_put_private_modes(bool on) {
    if (on) {
        farewell_length = 0;
        if (understands_private_modes()) {
            add("\033[?2026l\033[?2004l\033[?1006l\033[?1003l\033[?1002l\033[?1000l");
        }
        add(tigetstr("sgr0"));
        add(tigetstr("op"));
        add(tigetstr("rmkx"));
        add(tigetstr("cnorm"));
        add(tigetstr("rmcup"));
        screen_is_up = 1;
    } else {
        screen_is_up = 0;
    }
    if (understands_private_modes()) {
        ct_write_all(STDOUT_FILENO, on ? "\033[?2004h" : "\033[?2004l", 8);
    }
}

void ct_park_stderr(void) {
    if (parked >= 0 || !isatty(STDERR_FILENO)) return;
    int memory = memfd_create("stderr", MFD_CLOEXEC);
    if (memory < 0) return;
    int original = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    if (original < 0 || dup2(memory, STDERR_FILENO) < 0) {
        close(memory);
        if (original >= 0) close(original);
        return;
    }
    real_stderr = original;
    parked = memory;
}

// Async-signal-safe: only system calls.
static void show_parked(void) {
    int memory = parked, original = real_stderr;
    if (memory < 0) return;
    parked = -1;
    real_stderr = -1;
    dup2(original, STDERR_FILENO);
    off_t end = lseek(memory, 0, SEEK_END), limit = 64 << 10;
    off_t position = end > limit ? end - limit : 0;
    char block[4096];
    ssize_t count;
    while ((count = pread(memory, block, sizeof block, position)) > 0) {
        ct_write_all(STDERR_FILENO, block, (size_t)count);
        position += count;
    }
    close(memory);
    close(original);
}

void ct_unpark_stderr(void) { show_parked(); }

static void crash(int signal, siginfo_t *info, void *context) {
    (void)context;
    int saved = errno;
    if (!atomic_flag_test_and_set(&crashed)) {
        if (screen_is_up) {
            ct_write_all(STDOUT_FILENO, farewell, (size_t)farewell_length);
            ct_restore_modes();
        }
        show_parked();
    }
    for (int i = 0; i < guarded_count; i++) {
        if (guarded[i] == signal) sigaction(signal, &previous[i], NULL);
    }
    // A fault comes again by itself when we return; a signal that was sent must be sent again. It is blocked until
    // then.
    if (info->si_code <= 0) syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal);
    errno = saved;
}

void ct_guard_crashes(void) {
    stack_t current;
    if (sigaltstack(NULL, &current) == 0 && (current.ss_flags & SS_DISABLE)) {
        static char stack[64 << 10];
        stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
        sigaltstack(&alternate, NULL);
    }
    struct sigaction action = {.sa_sigaction = crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < guarded_count; i++) sigaction(guarded[i], &action, &previous[i]);
}

void ct_copy_to_clipboard(const char *base64, size_t length) {
    if (!understands_private_modes()) return;
    ct_write_all(STDOUT_FILENO, "\033]52;c;", 7);
    ct_write_all(STDOUT_FILENO, base64, length);
    ct_write_all(STDOUT_FILENO, "\a", 1);
}

void ct_bell(void) { ct_write_all(STDOUT_FILENO, "\a", 1); }
