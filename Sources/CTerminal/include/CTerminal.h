// The little that Swift cannot import of ncurses and Linux: function-like macros, shared mutable state, variadics,
// signalfd and eventfd; and the crash guard, which must be async-signal-safe.
#ifndef CTERMINAL_H
#define CTERMINAL_H

#include <curses.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Attributes and mouse buttons: macros with casts that do not import.
static const attr_t CT_A_BOLD = A_BOLD;
static const attr_t CT_A_DIM = A_DIM;
static const attr_t CT_A_UNDERLINE = A_UNDERLINE;
static const attr_t CT_A_REVERSE = A_REVERSE;
static const attr_t CT_A_ITALIC = A_ITALIC;

static const mmask_t CT_BUTTON1_PRESSED = BUTTON1_PRESSED;
static const mmask_t CT_BUTTON1_RELEASED = BUTTON1_RELEASED;
static const mmask_t CT_BUTTON2_PRESSED = BUTTON2_PRESSED;
static const mmask_t CT_BUTTON3_PRESSED = BUTTON3_PRESSED;
static const mmask_t CT_BUTTON4_PRESSED = BUTTON4_PRESSED;
static const mmask_t CT_BUTTON5_PRESSED = BUTTON5_PRESSED;

static const int CT_KEY_F0 = KEY_F0;

// What a key press or another report of ncurses is.
static const int CT_INPUT_NONE = 0;
static const int CT_INPUT_CHARACTER = 1;
static const int CT_INPUT_KEY = 2;

// Keys of our own, above KEY_MAX: the ends of bracketed paste.
static const int CT_KEY_PASTE_BEGIN = KEY_MAX + 1;
static const int CT_KEY_PASTE_END = KEY_MAX + 2;

// What setupterm says of a terminal name.
static const int CT_TERMINAL_USABLE = 0;
static const int CT_TERMINAL_UNKNOWN = 1;
// It is described, but cannot place the cursor.
static const int CT_TERMINAL_TOO_PLAIN = 2;

// Sets LC_CTYPE from the environment; a UTF-8 locale that is not installed becomes C.UTF-8. Returns whether text is
// UTF-8 from now on.
bool ct_set_locale(void);

// Describes a terminal name without touching the terminal.
int ct_probe_terminal(const char *name);

// Starts ncurses on stdin and stdout; false when it cannot be. The terminal is raw, without echo, keypad on, keys are
// read without waiting.
bool ct_start(const char *terminal);
// Leaves the alternate screen and restores the modes; ct_resume comes back to it.
void ct_leave(void);
void ct_resume(void);
// Leaves and frees.
void ct_stop(void);
// Repaints every cell at the next ct_present.
void ct_invalidate(void);

// Size from TIOCGWINSZ; 24 by 80 where the terminal does not know.
void ct_window_size(int *rows, int *columns);
void ct_resize(int rows, int columns);
int ct_colors(void);
int ct_color_pairs(void);

// Puts `count` cells on a row from column 0. `text` holds them one after the other, each ended by a 0; `widths` says 1
// or 2 columns. A character that the C library's width table sees differently becomes question marks, so that the
// columns after it stay in place.
void ct_put_row(int row, const uint32_t *text, const uint8_t *widths, const attr_t *attributes, const int *pairs,
                int count);
// Shows the cursor there, or hides it when row is negative.
void ct_set_cursor(int row, int column);
// Sends what has changed, between the marks of a synchronized update when `synchronized`.
void ct_present(bool synchronized);

// Reads one key without waiting: what it is, and its value. A mouse report is KEY_MOUSE.
int ct_read_key(uint32_t *value);
void ct_set_mouse(bool on);

// Hands text, already in base64, to the operator's clipboard (OSC 52) where the terminal may know how.
void ct_copy_to_clipboard(const char *base64, size_t length);
void ct_bell(void);

// Bytes that can be read from stdin; -1 when it is gone.
int ct_stdin_available(void);

// Blocks the terminal's signals in the calling thread; first thing in main, before there is another thread.
void ct_block_signals(void);
// A descriptor from which they are read.
int ct_signal_descriptor(void);
// The next of them, or 0.
int ct_read_signal(int descriptor);
// An eventfd, for waking the loop.
int ct_event_descriptor(void);
void ct_wake(int descriptor);
void ct_drain(int descriptor);

// While the screen is up, stderr goes to memory: a message drawn into the alternate screen is lost.
void ct_park_stderr(void);
// Puts stderr back and writes there what came meanwhile (its last 64 KiB).
void ct_unpark_stderr(void);

// From now on, a crash restores the terminal and shows the parked stderr before it takes its course.
void ct_guard_crashes(void);

// Stops this process until it is continued, in the foreground again.
void ct_stop_self(void);

// Whether the calling thread is the one that entered main.
bool ct_is_main_thread(void);

// Ends the process at once: no destructors, other threads may be anywhere.
void ct_exit(int code) __attribute__((noreturn));

// Replaces this process by itself with one environment variable set; returns only when it fails.
void ct_reexec(char *const *arguments, const char *variable, const char *value);

#endif
