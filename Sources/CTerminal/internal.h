// Shared by the shim's files.
#ifndef CTERMINAL_INTERNAL_H
#define CTERMINAL_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

// Writes everything, whatever interrupts; async-signal-safe.
void ct_write_all(int descriptor, const void *bytes, size_t count);

// Keeps the terminal's modes as they were before ncurses; puts them back.
void ct_save_modes(void);
void ct_restore_modes(void);

// Bracketed paste, which ncurses knows nothing of.
void ct_put_private_modes(bool on);

#endif
