// A vendor device on ST's FSDEV controller, for tests of the emulator: -DF103 for the spread packet memory.
// Endpoint 1: bulk OUT, double buffered, looped back to bulk IN. Endpoint 3: isochronous IN with a counter.
#include "fsdev.h"

#ifdef F103
#define LAST_PAGE 0x0800FC00u
#else
#define LAST_PAGE 0x08007C00u
#endif

#include "vendor.h"

static void configure(void) {
    PMA(8 + 0) = 192, PMA(8 + 2) = 0x8400, PMA(8 + 4) = 256, PMA(8 + 6) = 0x8400;
    PMA(16 + 0) = 320, PMA(16 + 2) = 0;
    PMA(24 + 0) = 384, PMA(24 + 2) = 4, PMA(24 + 4) = 416, PMA(24 + 6) = 4;
    for (int n = 1; n <= 3; n++) EP(n) = EP(n) & 0x7070;
    // Bulk, double buffered, both buffers given to the controller: SW_BUF differs from DTOG.
    EP(1) = 0x0101 | 0x0040 | 0x3000;
    EP(2) = 0x0001 | 0x0020;
    EP(3) = 0x0403 | 0x0030;
    loop_waiting = in_busy = iso_counter = 0;
}

static void flash_store(uint16_t value) {
    REG(FLASH + 4) = 0x45670123, REG(FLASH + 4) = 0xCDEF89AB;
    REG(FLASH + 0x10) = 2, REG(FLASH + 0x14) = LAST_PAGE, REG(FLASH + 0x10) = 2 | 0x40;
    while (REG(FLASH + 0x0C) & 1) {}
    REG(FLASH + 0x0C) = 0x34, REG(FLASH + 0x10) = 1;
    *(volatile uint16_t *)LAST_PAGE = value;
    flash_status = REG(FLASH + 0x0C);
    REG(FLASH + 0x0C) = 0x34;
    // A halfword that is not erased: PGERR.
    *(volatile uint16_t *)LAST_PAGE = value ^ 0xFFFF;
    flash_status |= REG(FLASH + 0x0C) << 8;
    REG(FLASH + 0x0C) = 0x34, REG(FLASH + 0x10) = 0x80;
}

static void loop_back(void) {
    if (!loop_waiting || in_busy) return;
    pma_write(320, loop_data, loop_count);
    PMA(16 + 2) = loop_count;
    loop_waiting = 0, in_busy = 1;
    set_status(2, -1, 3);
}

// Takes a packet out of the double buffer when there is room for it.
static void take_out(void) {
    if (loop_waiting || !(EP(1) & 0x8000)) return;
    clear_rx(1);
    // The block fills the buffer of DTOG_RX next; the one it filled last is the other.
    uint32_t buffer = EP(1) & 0x4000 ? 0 : 1;
    loop_count = PMA(8 + 2 + buffer * 4) & 0x3FF;
    pma_read(loop_data, buffer ? 256 : 192, loop_count);
    loop_waiting = 1;
    // Give the buffer back: toggle SW_BUF (DTOG_TX).
    EP(1) = (EP(1) & 0x070F) | 0x8080 | 0x0040;
}

static void endpoint(int n) {
    uint32_t v = EP(n);
    if (n == 0) {
        if (v & 0x8000) {
            uint8_t packet[64];
            uint32_t count = PMA(6) & 0x3FF;
            pma_read(packet, 128, count);
            clear_rx(0);
            if (v & 0x0800) request(packet);
            else if (wants_out) {
                for (uint32_t i = 0; i < count; i++) stored[i] = packet[i];
                wants_out = 0;
                respond(0, 0, 0);
            } else set_status(0, 3, -1);
        }
        if (v & 0x0080) {
            clear_tx(0);
            if (address) { DADDR = 0x80 | address; address = 0; }
            send_packet();
        }
    } else if (n == 1) {
        // A packet that cannot be taken yet stays pending, and hides from EP_ID that endpoint 2 has room again.
        if (EP(2) & 0x80) { clear_tx(2); in_busy = 0; loop_back(); }
        take_out();
        loop_back();
    } else if (n == 2) {
        clear_tx(2);
        in_busy = 0;
        loop_back();
        take_out();
        loop_back();
    } else if (n == 3) {
        clear_tx(3);
        // DTOG_TX points to the buffer that goes next; it is filled for the packet after that.
        uint32_t base = EP(3) & 0x40 ? 416 : 384;
        iso_counter++;
        PMA(base) = iso_counter, PMA(base + 2) = 0x5A5A;
    }
}

static void usb_interrupt(void) {
    uint32_t status = ISTR;
    if (status & 0x0400) {
        ISTR = ~0x0400u;
        PMA(0) = 64, PMA(4) = 128, PMA(6) = 0x8400;
        EP(0) = 0x0200;
        set_status(0, 3, 2);
        DADDR = 0x80;
    } else if (status & 0x0800) { ISTR = ~0x0800u; CNTR |= 8; }
    else if (status & 0x1000) { ISTR = ~0x1000u; CNTR &= ~8u; }
    else if (status & 0x8000) endpoint(status & 15);
}

static void main_loop(void) {
    uint32_t button = 0;
    for (;;) {
        if (pending_detach) {
            for (volatile uint32_t i = 0; i < 2000; i++) {}
            pending_detach = 0;
            identity ^= 1;
#ifndef F103
            BCDR = 0;
#endif
            CNTR = 3;
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
#ifndef F103
        // A pressed button wakes a suspended host.
        uint32_t now = REG(0x48000010) & 1;
        if (now && !button && CNTR & 8) {
            CNTR |= 0x10;
            for (volatile uint32_t i = 0; i < 12000; i++) {}
            CNTR &= ~0x18u;
        }
        button = now;
#endif
        (void)button;
        __asm__ volatile("wfi");
    }
}

void start(void) {
    prepare();
    enable_interrupt();
    // The system tick lets the main loop look at the button.
    REG(0xE000E014) = 48000 - 1, REG(0xE000E018) = 0, REG(0xE000E010) = 7;
    attach();
    main_loop();
}

static void tick(void) {}
static void fault(void) { for (;;) __asm__ volatile("bkpt 0"); }

__attribute__((section(".vectors"), used)) static void (*const vectors[48])(void) = {
    (void (*)(void))0x20001800, start, fault, fault, [15] = tick,
#ifdef F103
    [16 + 19] = usb_interrupt, [16 + 20] = usb_interrupt,
#else
    [16 + 31] = usb_interrupt,
#endif
};
