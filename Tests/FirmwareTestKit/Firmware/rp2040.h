// The USB controller of the RP2040 as a device, and what a chip without boot2 and SDK needs first, for test firmware.
#include <stdint.h>

#define REG(a) (*(volatile uint32_t *)(a))
#define SET(a) REG((a) + 0x2000)
#define CLEAR(a) REG((a) + 0x3000)
#define RESETS 0x4000C000u
#define CLOCKS 0x40008000u
#define XOSC 0x40024000u
#define PLL_SYS 0x40028000u
#define PLL_USB 0x4002C000u
#define IO_BANK0 0x40014000u
#define SIO 0xD0000000u
#define SSI 0x18000000u
#define QSPI_SS 0x4001800Cu
#define TIMER 0x40054000u
#define DPRAM 0x50100000u
#define USB 0x50110000u
#define EP_CONTROL(n, out) REG(DPRAM + 8 * (n) + 4 * (out))
#define BUFFER(n, out) REG(DPRAM + 0x80 + 8 * (n) + 4 * (out))
#define SIE_CTRL (USB + 0x4C)
#define SIE_STATUS (USB + 0x50)
#define BUFF_STATUS (USB + 0x58)

#define FULL 0x8000u
#define DATA1 0x2000u
#define STALL 0x800u
#define AVAILABLE 0x400u

extern uint32_t _bss, _ebss;

static uint8_t reply[256];
static const uint8_t *answer;
static uint32_t left, zero_packet;
// By endpoint: the next packet is DATA1.
static uint8_t in_toggle[16], out_toggle[16];
// By endpoint: where its buffers are in the controller's memory.
static const uint16_t in_place[16] = {0x100, 0x1C0, 0x240, 0x280}, out_place[16] = {0x100, 0x180};
static uint8_t UID[12];

static void give(int n, const uint8_t *data, uint32_t count) {
    volatile uint8_t *to = (volatile uint8_t *)DPRAM + in_place[n];
    for (uint32_t i = 0; i < count; i++) to[i] = data[i];
    uint32_t control = FULL | count | (in_toggle[n] ? DATA1 : 0);
    in_toggle[n] ^= 1;
    // AVAILABLE comes after the rest (RP2040 datasheet 4.1.2.5.1).
    BUFFER(n, 0) = control;
    BUFFER(n, 0) = control | AVAILABLE;
}

static void arm_out(int n) {
    uint32_t control = 64 | (out_toggle[n] ? DATA1 : 0);
    out_toggle[n] ^= 1;
    BUFFER(n, 1) = control;
    BUFFER(n, 1) = control | AVAILABLE;
}

static uint32_t take(int n, uint8_t *to) {
    uint32_t count = BUFFER(n, 1) & 0x3FF;
    volatile uint8_t *from = (volatile uint8_t *)DPRAM + out_place[n];
    for (uint32_t i = 0; i < count; i++) to[i] = from[i];
    return count;
}

static void refuse(void) {
    SET(USB + 0x68) = 3;
    BUFFER(0, 0) = STALL, BUFFER(0, 1) = STALL;
}

static void take_next(void) { out_toggle[0] = 1; arm_out(0); }

static void send_packet(void) {
    uint32_t count = left > 64 ? 64 : left;
    if (!count && !zero_packet) return;
    if (!count) zero_packet = 0;
    give(0, answer, count);
    answer += count, left -= count;
}

__attribute__((unused)) static void respond(const uint8_t *data, uint32_t count, uint32_t asked) {
    answer = data, left = count < asked ? count : asked;
    zero_packet = count < asked && count % 64 == 0;
    out_toggle[0] = in_toggle[0] = 1;
    arm_out(0);
    if (left) send_packet();
    else { zero_packet = 0; give(0, 0, 0); }
}

#include "strings.h"

// The flash's unique id (command 4Bh) with a tail, in place of the 96 bits that other chips have.
static void read_identity(void) {
    REG(QSPI_SS) = 2 << 8;
    for (int i = 0; i < 13; i++) {
        REG(SSI + 0x60) = i ? 0 : 0x4B;
        while (!(REG(SSI + 0x28) & 8)) {}
        uint8_t byte = REG(SSI + 0x60);
        if (i >= 5) UID[i - 5] = byte;
    }
    REG(QSPI_SS) = 3 << 8;
    REG(QSPI_SS) = 0;
    UID[8] = '2', UID[9] = 'V', UID[10] = 'R', UID[11] = 'T';
}

static void lock(uint32_t pll, uint32_t feedback, uint32_t dividers) {
    REG(pll) = 1, REG(pll + 8) = feedback;
    CLEAR(pll + 4) = 0x21;
    while (!(REG(pll) & 1u << 31)) {}
    REG(pll + 0xC) = dividers;
    CLEAR(pll + 4) = 8;
}

// Clears .bss; 125 MHz for the core and 48 MHz for USB out of the crystal of 12.
static void prepare(void) {
    for (uint32_t *p = &_bss; p < &_ebss; p++) *p = 0;
    CLEAR(RESETS) = 0x01FFFFFF;
    while (REG(RESETS + 8) != 0x01FFFFFF) {}
    REG(XOSC) = 0xAA0, SET(XOSC) = 0xFAB << 12;
    while (!(REG(XOSC + 4) & 1u << 31)) {}
    lock(PLL_SYS, 125, 6 << 16 | 2 << 12);
    lock(PLL_USB, 100, 5 << 16 | 5 << 12);
    REG(CLOCKS + 0x30) = 2;
    while (REG(CLOCKS + 0x38) != 4) {}
    REG(CLOCKS + 0x3C) = 0;
    SET(CLOCKS + 0x3C) = 1;
    while (REG(CLOCKS + 0x44) != 2) {}
    REG(CLOCKS + 0x54) = 1 << 11;
    read_identity();
}

static void attach(void) {
    REG(USB + 0x74) = 9;
    REG(USB + 0x78) = 12;
    REG(USB + 0x40) = 1;
    REG(SIE_CTRL) = 1 << 29;
    // Interrupts of reset, setup, buffers, suspend and resume.
    REG(USB + 0x90) = 1 << 16 | 1 << 15 | 1 << 14 | 1 << 12 | 1 << 4;
    SET(SIE_CTRL) = 1 << 16;
}

static void detach(void) { CLEAR(SIE_CTRL) = 1 << 16; }

static void bus_reset(void) {
    REG(USB) = 0;
    CLEAR(SIE_STATUS) = 1 << 19;
}

static void copy_setup(uint8_t *to) {
    volatile uint8_t *from = (volatile uint8_t *)DPRAM;
    for (int i = 0; i < 8; i++) to[i] = from[i];
    CLEAR(SIE_STATUS) = 1 << 17;
}
