// The vendor test device of `vendor.c` on the OTG_FS controller of STM32F4.
#include "otg.h"

#define LAST_PAGE 0x08020000u

#include "vendor.h"

static uint8_t setup[8];
static uint32_t held;

static void isochronous(uint32_t parity) {
    const uint8_t packet[4] = {iso_counter, iso_counter >> 8, 0x5A, 0x5A};
    give(3, packet, 4, parity);
}

static uint32_t next_parity(void) { return DSTS & 1 << 8 ? SEVEN : SODD; }

static void configure(void) {
    loop_waiting = in_busy = iso_counter = held = 0;
    DOEPCTL(1) = USBAEP | SEVEN | 2 << 18 | 64;
    DIEPCTL(1) = USBAEP | SEVEN | SNAK | 1 << 22 | 2 << 18 | 64;
    DIEPCTL(3) = USBAEP | SNAK | 3 << 22 | 1 << 18 | 32;
    arm_out(1);
    isochronous(next_parity());
}

static void flash_wait(void) { while (REG(FLASH + 0x0C) & 1 << 16) {} }

// Sector 5, by halfwords; a byte at a time then is a parallelism error. Flags are told where F0 and F1 have theirs.
static void flash_store(uint16_t value) {
    REG(FLASH + 4) = 0x45670123, REG(FLASH + 4) = 0xCDEF89AB;
    REG(FLASH + 0x10) = 1 << 24 | 5 << 3 | 2, REG(FLASH + 0x10) |= 1 << 16;
    flash_wait();
    REG(FLASH + 0x0C) = 0xF3, REG(FLASH + 0x10) = 1 << 24 | 1 << 8 | 1;
    *(volatile uint16_t *)LAST_PAGE = value;
    flash_wait();
    flash_status = REG(FLASH + 0x0C) & 1 ? 0x20 : 0;
    REG(FLASH + 0x0C) = 0xF3;
    *(volatile uint8_t *)(LAST_PAGE + 2) = value;
    flash_status |= REG(FLASH + 0x0C) == 1 << 6 ? 4 << 8 : 0;
    REG(FLASH + 0x0C) = 0xF3, REG(FLASH + 0x10) = 1u << 31;
}

static void loop_back(void) {
    if (!loop_waiting || in_busy) return;
    loop_waiting = 0, in_busy = 1;
    give(1, loop_data, loop_count, 0);
    if (held) { held = 0; arm_out(1); }
}

static void receive(void) {
    uint32_t status = GRXSTSP, n = status & 15, count = status >> 4 & 0x7FF;
    switch (status >> 17 & 15) {
    case 6: read_fifo(setup, 8); break;
    case 4:
        DOEPINT(0) = 8;
        if (DIEPCTL(0) & EPENA) { DIEPCTL(0) |= SNAK; DIEPCTL(0) |= EPDIS; flush(); }
        request(setup);
        if (address) { DCFG = (DCFG & ~0x7F0u) | address << 4; address = 0; }
        break;
    case 2:
        if (n) { read_fifo(loop_data, count); loop_count = count, loop_waiting = 1; }
        else if (wants_out && count) read_fifo(stored, count);
        break;
    case 3:
        DOEPINT(n) = 1;
        if (n) { held = 1; loop_back(); }
        else if (wants_out) { wants_out = 0; respond(0, 0, 0); }
        break;
    }
}

static void usb_interrupt(void) {
    uint32_t status = GINTSTS;
    if (status & 1 << 12) { GINTSTS = 1 << 12; bus_reset(); }
    if (status & 1 << 13) GINTSTS = 1 << 13;
    if (status & 1 << 11) GINTSTS = 1 << 11;
    if (status & 1u << 31) GINTSTS = 1u << 31;
    while (GINTSTS & 1 << 4) receive();
    if (DIEPINT(0) & 1) { DIEPINT(0) = 1; send_packet(); }
    if (DIEPINT(1) & 1) { DIEPINT(1) = 1; in_busy = 0; loop_back(); }
    if (DIEPINT(3) & 1) { DIEPINT(3) = 1; iso_counter++; isochronous(next_parity()); }
    // Nobody asked: the same packet, for the next frame.
    if (status & 1 << 20) { GINTSTS = 1 << 20; DIEPCTL(3) |= next_parity(); }
}

static void main_loop(void) {
    uint32_t button = 0;
    for (;;) {
        if (pending_detach) {
            for (volatile uint32_t i = 0; i < 2000; i++) {}
            pending_detach = 0;
            identity ^= 1;
            detach();
            for (volatile uint32_t i = 0; i < 200000; i++) {}
            attach();
        }
        if (pending_reset) {
            for (volatile uint32_t i = 0; i < 2000; i++) {}
            REG(0xE000ED0C) = 0x05FA0004;
        }
        if (pending_crash) {
            for (volatile uint32_t i = 0; i < 2000; i++) {}
            ((void (*)(void))0xF0000001)();
        }
        // A pressed button wakes a suspended host.
        uint32_t now = REG(0x40020010) & 1;
        if (now && !button && DSTS & 1) {
            DCTL |= 1;
            for (volatile uint32_t i = 0; i < 12000; i++) {}
            DCTL &= ~1u;
        }
        button = now;
        __asm__ volatile("wfi");
    }
}

void start(void) {
    prepare();
    REG(0xE000E108) = 1 << 3;
    // The system tick lets the main loop look at the button.
    REG(0xE000E014) = 48000 - 1, REG(0xE000E018) = 0, REG(0xE000E010) = 7;
    attach();
    main_loop();
}

static void tick(void) {}
static void fault(void) { for (;;) __asm__ volatile("bkpt 0"); }

__attribute__((section(".vectors"), used)) static void (*const vectors[98])(void) = {
    (void (*)(void))0x20001800, start, fault, fault, [15] = tick, [16 + 67] = usb_interrupt,
};
