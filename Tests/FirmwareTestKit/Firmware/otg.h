// ST's OTG_FS controller, a DWC2 core, as a device of STM32F4, for test firmware.
#include <stdint.h>

#define REG(a) (*(volatile uint32_t *)(a))
#define RCC 0x40023800u
#define FLASH 0x40023C00u
#define UID 0x1FFF7A10u
#define OTG 0x50000000u
#define GAHBCFG REG(OTG + 0x008)
#define GUSBCFG REG(OTG + 0x00C)
#define GRSTCTL REG(OTG + 0x010)
#define GINTSTS REG(OTG + 0x014)
#define GINTMSK REG(OTG + 0x018)
#define GRXSTSP REG(OTG + 0x020)
#define GRXFSIZ REG(OTG + 0x024)
#define DIEPTXF(n) REG((n) ? OTG + 0x100 + 4 * (n) : OTG + 0x028)
#define GCCFG REG(OTG + 0x038)
#define DCFG REG(OTG + 0x800)
#define DCTL REG(OTG + 0x804)
#define DSTS REG(OTG + 0x808)
#define DIEPMSK REG(OTG + 0x810)
#define DAINTMSK REG(OTG + 0x81C)
#define DIEPCTL(n) REG(OTG + 0x900 + 0x20 * (n))
#define DIEPINT(n) REG(OTG + 0x908 + 0x20 * (n))
#define DIEPTSIZ(n) REG(OTG + 0x910 + 0x20 * (n))
#define DOEPCTL(n) REG(OTG + 0xB00 + 0x20 * (n))
#define DOEPINT(n) REG(OTG + 0xB08 + 0x20 * (n))
#define DOEPTSIZ(n) REG(OTG + 0xB10 + 0x20 * (n))
#define FIFO(n) REG(OTG + 0x1000 * ((n) + 1))

#define EPENA (1u << 31)
#define EPDIS (1u << 30)
#define SODD (1u << 29)
#define SEVEN (1u << 28)
#define SNAK (1u << 27)
#define CNAK (1u << 26)
#define STALL (1u << 21)
#define USBAEP (1u << 15)

extern uint32_t _bss, _ebss;

static uint8_t reply[256];
static const uint8_t *answer;
static uint32_t left, zero_packet;

// Sends one packet; parity is SODD or SEVEN for an isochronous one, else 0.
static void give(int n, const uint8_t *data, uint32_t count, uint32_t parity) {
    DIEPTSIZ(n) = 1u << 29 | 1 << 19 | count;
    DIEPCTL(n) |= EPENA | CNAK | parity;
    for (uint32_t i = 0; i < count; i += 4) {
        uint32_t word = 0;
        for (uint32_t k = 0; k < 4 && i + k < count; k++) word |= (uint32_t)data[i + k] << 8 * k;
        FIFO(n) = word;
    }
}

// Takes one packet of up to 64 bytes.
static void arm_out(int n) {
    DOEPTSIZ(n) = (n ? 0 : 3u << 29) | 1 << 19 | 64;
    DOEPCTL(n) |= EPENA | CNAK;
}

static void read_fifo(uint8_t *to, uint32_t count) {
    for (uint32_t i = 0; i < count; i += 4) {
        uint32_t word = FIFO(0);
        for (uint32_t k = 0; k < 4 && i + k < count; k++) to[i + k] = word >> 8 * k;
    }
}

static void refuse(void) { DIEPCTL(0) |= STALL; DOEPCTL(0) |= STALL; }
static void take_next(void) { arm_out(0); }

static void send_packet(void) {
    uint32_t count = left > 64 ? 64 : left;
    if (!count && !zero_packet) return;
    if (!count) zero_packet = 0;
    give(0, answer, count, 0);
    answer += count, left -= count;
}

static void respond(const uint8_t *data, uint32_t count, uint32_t asked) {
    answer = data, left = count < asked ? count : asked;
    zero_packet = count < asked && count % 64 == 0;
    arm_out(0);
    if (left) send_packet();
    else { zero_packet = 0; give(0, 0, 0, 0); }
}

#include "strings.h"

// Clears .bss; 48 MHz for core and USB out of the internal oscillator.
static void prepare(void) {
    for (uint32_t *p = &_bss; p < &_ebss; p++) *p = 0;
    REG(RCC + 0x04) = 16 | 192 << 6 | 1 << 16 | 4 << 24;
    REG(RCC) |= 1 << 24;
    while (!(REG(RCC) & 1 << 25)) {}
    REG(FLASH) = 1;
    REG(RCC + 0x08) = 2;
    while ((REG(RCC + 0x08) & 12) != 8) {}
    REG(RCC + 0x30) |= 1;
    REG(RCC + 0x34) |= 1 << 7;
}

static void flush(void) {
    GRSTCTL = 0x10 << 6 | 1 << 5;
    while (GRSTCTL & 1 << 5) {}
    GRSTCTL = 1 << 4;
    while (GRSTCTL & 1 << 4) {}
}

// Device mode, full speed; interrupts of reset, packets, isochronous frames that were missed, wake-up and suspend.
static void attach(void) {
    GUSBCFG |= 1 << 6;
    while (!(GRSTCTL & 1u << 31)) {}
    GRSTCTL = 1;
    while (GRSTCTL & 1) {}
    GUSBCFG = GUSBCFG | 1 << 30 | 1 << 6;
    DCFG = (DCFG & ~0x7F0u) | 3;
    flush();
    GINTSTS = ~0u;
    GINTMSK = 1u << 31 | 1 << 20 | 1 << 18 | 1 << 13 | 1 << 12 | 1 << 11 | 1 << 4;
    GAHBCFG = 1;
    GCCFG = 1 << 21 | 1 << 16;
    DCTL = 0;
}

static void detach(void) { DCTL = 2; }

// What firmware does after a reset on the bus: RX FIFO of 128 words, 16 for endpoint 0, 64, 16, 16.
static void bus_reset(void) {
    for (int n = 0; n < 4; n++) DOEPCTL(n) |= SNAK;
    flush();
    GRXFSIZ = 128;
    DIEPTXF(0) = 16 << 16 | 128;
    DIEPTXF(1) = 64 << 16 | 144;
    DIEPTXF(2) = 16 << 16 | 208;
    DIEPTXF(3) = 16 << 16 | 224;
    DIEPMSK = 1;
    DAINTMSK = 0xF;
    DCFG &= ~0x7F0u;
    DOEPTSIZ(0) = 3u << 29 | 1 << 19 | 64;
}
