// Firmware for STM32F072 that does what no firmware should, for tests of the emulator: -DMODE chooses.
#include "fsdev.h"

// Jumps nowhere, writes everywhere, never attaches, stalls every request, floods the processor with interrupts.
#define JUMPS 1
#define WRITES 2
#define SILENT 3
#define STALLS 4
#define FLOODS 5

static volatile uint32_t ticks;

static void stall_everything(void) {
    uint32_t status = ISTR;
    if (status & 0x0400) {
        ISTR = ~0x0400u;
        PMA(0) = 64, PMA(4) = 128, PMA(6) = 0x8400;
        EP(0) = 0x0200;
        set_status(0, 3, 2);
        DADDR = 0x80;
    } else if (status & 0x8000) {
        clear_rx(0), clear_tx(0);
        set_status(0, 1, 1);
    } else ISTR = ~0x1F00u;
}

void start(void) {
    prepare();
#if MODE == JUMPS
    ((void (*)(void))0xF0000001)();
#elif MODE == WRITES
    for (volatile uint32_t *p = (volatile uint32_t *)0x20002000;; p++) *p = 0xDEADBEEF;
#elif MODE == STALLS
    attach();
    for (;;) stall_everything();
#elif MODE == FLOODS
    attach();
    REG(0xE000E014) = 1, REG(0xE000E018) = 0, REG(0xE000E010) = 7;
#endif
    for (;;) {}
}

static void tick(void) { ticks++; }
static void fault(void) { for (;;) __asm__ volatile("bkpt 0"); }

__attribute__((section(".vectors"), used)) static void (*const vectors[48])(void) = {
    (void (*)(void))0x20001800, start, fault, fault, [15] = tick,
};
