// ST's FSDEV controller for test firmware: -DF103 for chips without a pull-up of their own and with spread packet memory,
// unless -DPACKED, and -DF303 besides for those.
#include <stdint.h>

#define REG(a) (*(volatile uint32_t *)(a))
#define RCC 0x40021000u
#define FLASH 0x40022000u
#define USB 0x40005C00u
#define EP(n) REG(USB + 4 * (n))
#define CNTR REG(USB + 0x40)
#define ISTR REG(USB + 0x44)
#define DADDR REG(USB + 0x4C)
#define BTABLE REG(USB + 0x50)
#define BCDR REG(USB + 0x58)
#if defined(F103) && !defined(F303)
#define UID 0x1FFFF7E8u
#else
#define UID 0x1FFFF7ACu
#endif
#if defined(F103) && !defined(PACKED)
#define PMA(o) (*(volatile uint16_t *)(0x40006000u + 2 * (o)))
#else
#define PMA(o) (*(volatile uint16_t *)(0x40006000u + (o)))
#endif

extern uint32_t _bss, _ebss;

static void set_status(int n, int rx, int tx) {
    uint32_t v = EP(n), w = (v & 0x070F) | 0x8080;
    if (rx >= 0) w |= (v ^ (rx << 12)) & 0x3000;
    if (tx >= 0) w |= (v ^ (tx << 4)) & 0x0030;
    EP(n) = w;
}
// Endpoint 0 refuses, or takes the next packet.
static void refuse(void) { set_status(0, 3, 1); }
static void take_next(void) { set_status(0, 3, -1); }
static void clear_rx(int n) { EP(n) = (EP(n) & 0x070F) | 0x0080; }
static void clear_tx(int n) { EP(n) = (EP(n) & 0x070F) | 0x8000; }

static void pma_write(uint32_t to, const uint8_t *from, uint32_t count) {
    for (uint32_t i = 0; i < count; i += 2) PMA(to + i) = from[i] | (i + 1 < count ? from[i + 1] << 8 : 0);
}
static void pma_read(uint8_t *to, uint32_t from, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) to[i] = PMA((from + i) & ~1u) >> ((from + i) & 1) * 8;
}

static uint8_t reply[256];
static const uint8_t *answer;
static uint32_t left, zero_packet;

static void send_packet(void) {
    uint32_t count = left > 64 ? 64 : left;
    if (!count && !zero_packet) return;
    if (!count) zero_packet = 0;
    pma_write(64, answer, count);
    PMA(2) = count;
    answer += count, left -= count;
    set_status(0, -1, 3);
}

static void respond(const uint8_t *data, uint32_t count, uint32_t asked) {
    answer = data, left = count < asked ? count : asked;
    zero_packet = count < asked && count % 64 == 0;
    set_status(0, 3, -1);
    if (left) send_packet();
    else { PMA(2) = 0; zero_packet = 0; set_status(0, -1, 3); }
}

#include "strings.h"

// Clears .bss, runs from the chip's clock for USB, and gives the controller its clock.
static void prepare(void) {
    for (uint32_t *p = &_bss; p < &_ebss; p++) *p = 0;
#ifdef F103
    REG(RCC) |= 1 << 16;
    while (!(REG(RCC) & 1 << 17)) {}
    REG(FLASH) = 0x12;
    REG(RCC + 4) = 7 << 18 | 1 << 16 | 4 << 8;
    REG(RCC) |= 1 << 24;
    while (!(REG(RCC) & 1 << 25)) {}
    REG(RCC + 4) |= 2;
    while ((REG(RCC + 4) & 12) != 8) {}
#else
    REG(RCC + 0x34) |= 1 << 16;
    while (!(REG(RCC + 0x34) & 1 << 17)) {}
    REG(FLASH) = 0x11;
    REG(RCC + 4) = 3;
    while ((REG(RCC + 4) & 12) != 12) {}
    REG(RCC + 0x14) |= 1 << 17;
#endif
    REG(RCC + 0x1C) |= 1 << 23;
}

static void enable_interrupt(void) {
#ifdef F103
    REG(0xE000E100) = 1 << 20 | 1 << 19;
#else
    REG(0xE000E100) = 1u << 31;
#endif
}

// Interrupts of reset, transfers, wake-up and suspend.
static void attach(void) {
    CNTR = 1;
    CNTR = 0;
    ISTR = 0;
    BTABLE = 0;
    CNTR = 0x9C00;
#ifndef F103
    BCDR = 0x8000;
#endif
}
