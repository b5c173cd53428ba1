#define _GNU_SOURCE
#include "CTerminal.h"
#include "internal.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

// term.h makes a capability macro of this word.
#undef columns

static SCREEN *screen;

static bool names_utf8(const char *locale) {
    const char *dot = strchr(locale, '.');
    return dot && (strncasecmp(dot + 1, "UTF-8", 5) == 0 || strncasecmp(dot + 1, "UTF8", 4) == 0);
}

bool ct_set_locale(void) {
    if (!setlocale(LC_CTYPE, "")) {
        // The order in which the C library looks; a remote user's locale is often not installed here, but their
        // terminal speaks UTF-8 all the same.
        const char *names[] = {getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG")};
        for (int i = 0; i < 3; i++) {
            if (!names[i] || !*names[i]) continue;
            if (names_utf8(names[i])) setlocale(LC_CTYPE, "C.UTF-8");
            break;
        }
    }
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

int ct_probe_terminal(const char *name) {
    int found = 0;
    if (setupterm(name, STDOUT_FILENO, &found) != OK) return found == 1 ? CT_TERMINAL_TOO_PLAIN : CT_TERMINAL_UNKNOWN;
    const char *move = tigetstr("cup");
    int result = move && move != (char *)-1 ? CT_TERMINAL_USABLE : CT_TERMINAL_TOO_PLAIN;
    del_curterm(cur_term);
    return result;
}

static void define_keys(void) {
    static const struct {
        const char *sequence;
        int key;
    } keys[] = {
        // Terminals send CSI or SS3 forms by a mode that not all of them honour; terminfo knows only one of them.
        {"\033[A", KEY_UP},      {"\033OA", KEY_UP},      {"\033[B", KEY_DOWN},     {"\033OB", KEY_DOWN},
        {"\033[C", KEY_RIGHT},   {"\033OC", KEY_RIGHT},   {"\033[D", KEY_LEFT},     {"\033OD", KEY_LEFT},
        {"\033[H", KEY_HOME},    {"\033OH", KEY_HOME},    {"\033[F", KEY_END},      {"\033OF", KEY_END},
        {"\033[1~", KEY_HOME},   {"\033[4~", KEY_END},    {"\033[7~", KEY_HOME},    {"\033[8~", KEY_END},
        {"\033[5~", KEY_PPAGE},  {"\033[6~", KEY_NPAGE},  {"\033[2~", KEY_IC},      {"\033[3~", KEY_DC},
        {"\033[Z", KEY_BTAB},    {"\033OM", KEY_ENTER},   {"\033[200~", KEY_MAX + 1}, {"\033[201~", KEY_MAX + 2},
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) define_key(keys[i].sequence, keys[i].key);
}

bool ct_start(const char *terminal) {
    ct_save_modes();
    set_escdelay(50);
    screen = newterm(terminal, stdout, stdin);
    if (!screen) return false;
    raw();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    leaveok(stdscr, FALSE);
    intrflush(stdscr, FALSE);
    curs_set(0);
    mouseinterval(0);
    define_keys();
    if (has_colors()) {
        start_color();
        use_default_colors();
    }
    ct_put_private_modes(true);
    return true;
}

void ct_leave(void) {
    ct_put_private_modes(false);
    endwin();
}

void ct_resume(void) {
    reset_prog_mode();
    refresh();
    ct_put_private_modes(true);
    clearok(curscr, TRUE);
}

void ct_stop(void) {
    if (!screen) return;
    mousemask(0, NULL);
    ct_leave();
    delscreen(screen);
    screen = NULL;
    ct_restore_modes();
}

void ct_invalidate(void) { clearok(curscr, TRUE); }

void ct_window_size(int *rows, int *columns) {
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
        *rows = size.ws_row;
        *columns = size.ws_col;
    } else {
        *rows = 24;
        *columns = 80;
    }
    if (*rows > 1000) *rows = 1000;
    if (*columns > 1000) *columns = 1000;
}

void ct_resize(int rows, int columns) {
    resizeterm(rows, columns);
    clearok(curscr, TRUE);
}

int ct_colors(void) { return has_colors() ? COLORS : 0; }
int ct_color_pairs(void) { return has_colors() ? COLOR_PAIRS : 0; }

void ct_put_row(int row, const uint32_t *text, const uint8_t *widths, const attr_t *attributes, const int *pairs,
                int count) {
    int columns = getmaxx(stdscr);
    int column = 0;
    for (int i = 0; i < count; i++) {
        wchar_t character[CCHARW_MAX + 1] = {0};
        int length = 0;
        while (*text) {
            if (length < CCHARW_MAX) character[length++] = (wchar_t)*text;
            text++;
        }
        text++;
        int width = widths[i] == 2 ? 2 : 1;
        if (column + width > columns) return;
        bool sound = length > 0 && wcwidth(character[0]) == width;
        for (int mark = 1; sound && mark < length; mark++) sound = wcwidth(character[mark]) == 0;
        for (int part = 0; part < width; part += sound ? width : 1) {
            cchar_t cell;
            if (!sound) {
                character[0] = L'?';
                character[1] = 0;
            }
            int pair = pairs[i];
            if (setcchar(&cell, character, attributes[i], (short)(pair > 255 ? 255 : pair), NULL) != OK) continue;
#if NCURSES_EXT_COLORS
            cell.ext_color = pair;
#endif
            mvwadd_wchnstr(stdscr, row, column + part, &cell, 1);
        }
        column += width;
    }
}

void ct_set_cursor(int row, int column) {
    if (row < 0) {
        curs_set(0);
        // Where the cursor is parked when hidden costs bytes whenever it changes.
        wmove(stdscr, 0, 0);
    } else {
        wmove(stdscr, row, column);
        curs_set(1);
    }
}

void ct_present(bool synchronized) {
    if (synchronized) ct_write_all(STDOUT_FILENO, "\033[?2026h", 8);
    wnoutrefresh(stdscr);
    doupdate();
    if (synchronized) ct_write_all(STDOUT_FILENO, "\033[?2026l", 8);
}

int ct_read_key(uint32_t *value) {
    wint_t key = 0;
    int result = wget_wch(stdscr, &key);
    *value = (uint32_t)key;
    if (result == ERR) return CT_INPUT_NONE;
    return result == KEY_CODE_YES ? CT_INPUT_KEY : CT_INPUT_CHARACTER;
}

void ct_set_mouse(bool on) {
    mmask_t wanted = BUTTON1_PRESSED | BUTTON1_RELEASED | BUTTON2_PRESSED | BUTTON3_PRESSED | BUTTON4_PRESSED |
                     BUTTON5_PRESSED;
    mousemask(on ? wanted : 0, NULL);
    fflush(stdout);
}

int ct_stdin_available(void) {
    int bytes = 0;
    return ioctl(STDIN_FILENO, FIONREAD, &bytes) == 0 ? bytes : -1;
}
