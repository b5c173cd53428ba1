// The vendor test device of `vendor.c` on the RP2040.
#include "rp2040.h"

#define LAST_PAGE 0x1000FC00u

#include "vendor.h"

static uint8_t setup[8];
static uint32_t held;
static volatile uint32_t suspended;

static void isochronous(void) {
    const uint8_t packet[4] = {iso_counter, iso_counter >> 8, 0x5A, 0x5A};
    give(3, packet, 4);
}

static void configure(void) {
    loop_waiting = in_busy = iso_counter = held = 0;
    in_toggle[1] = out_toggle[1] = 0;
    EP_CONTROL(1, 1) = 1u << 31 | 1 << 29 | 2 << 26 | out_place[1];
    EP_CONTROL(1, 0) = 1u << 31 | 1 << 29 | 2 << 26 | in_place[1];
    EP_CONTROL(3, 0) = 1u << 31 | 1 << 29 | 1 << 26 | in_place[3];
    arm_out(1);
    isochronous();
}

typedef void *(*lookup_t)(const uint16_t *table, uint32_t code);

static void *rom(char a, char b) {
    lookup_t lookup = (lookup_t)(uintptr_t)*(volatile uint16_t *)0x18;
    return lookup((const uint16_t *)(uintptr_t)*(volatile uint16_t *)0x14, a | b << 8);
}

// By the boot ROM; programming again clears bits only. Flags are told where F0 and F1 have theirs.
static void flash_store(uint16_t value) {
    static uint8_t page[256];
    for (int i = 0; i < 256; i++) page[i] = 0xFF;
    page[0] = value, page[1] = value >> 8;
    void (*connect)(void) = rom('I', 'F'), (*leave)(void) = rom('E', 'X'), (*flush)(void) = rom('F', 'C');
    void (*enter)(void) = rom('C', 'X');
    void (*erase)(uint32_t, uint32_t, uint32_t, uint8_t) = rom('R', 'E');
    void (*program)(uint32_t, const uint8_t *, uint32_t) = rom('R', 'P');
    uint32_t at = LAST_PAGE - 0x10000000;
    connect(), leave();
    erase(at & ~4095u, 4096, 65536, 0xD8);
    uint32_t was_erased = *(volatile uint16_t *)LAST_PAGE == 0xFFFF;
    program(at, page, 256);
    page[0] = 0xFF, page[1] = 0xFF;
    program(at, page, 256);
    flush(), enter();
    flash_status = (was_erased ? 0x20 : 0) | (*(volatile uint16_t *)LAST_PAGE == value ? 4 << 8 : 0);
}

static void loop_back(void) {
    if (!loop_waiting || in_busy) return;
    loop_waiting = 0, in_busy = 1;
    give(1, loop_data, loop_count);
    if (held) { held = 0; arm_out(1); }
}

static void buffers(void) {
    uint32_t done = REG(BUFF_STATUS);
    CLEAR(BUFF_STATUS) = done;
    if (done & 1) {
        if (address) { REG(USB) = address; address = 0; }
        send_packet();
    }
    if (done & 2 && wants_out && (BUFFER(0, 1) & 0x3FF)) {
        take(0, stored);
        wants_out = 0;
        respond(0, 0, 0);
    }
    if (done & 1 << 2) { in_busy = 0; loop_back(); }
    if (done & 1 << 3) { loop_count = take(1, loop_data), loop_waiting = held = 1; loop_back(); }
    if (done & 1 << 6) { iso_counter++; isochronous(); }
}

static void usb_interrupt(void) {
    uint32_t status = REG(USB + 0x98);
    if (status & 1 << 12) bus_reset();
    if (status & 1 << 14) { suspended = REG(SIE_STATUS) >> 4 & 1; REG(SIE_STATUS) = 1 << 4; }
    if (status & 1 << 15) { suspended = 0; REG(SIE_STATUS) = 1 << 11; }
    if (status & 1 << 4) buffers();
    if (status & 1 << 16) { copy_setup(setup); request(setup); }
}

static void pause(uint32_t microseconds) {
    uint32_t began = REG(TIMER + 0x28);
    while (REG(TIMER + 0x28) - began < microseconds) {}
}

static void main_loop(void) {
    uint32_t button = 0;
    for (;;) {
        if (pending_detach) {
            pause(200);
            pending_detach = 0;
            identity ^= 1;
            detach();
            pause(20000);
            attach();
        }
        if (pending_reset) {
            pause(200);
            // WATCHDOG.TRIGGER
            SET(0x40058000) = 1u << 31;
        }
        if (pending_crash) {
            pause(200);
            ((void (*)(void))0xF0000001)();
        }
        // A pressed button, which pulls the flash's select low, wakes a suspended host.
        uint32_t now = ~REG(SIO + 8) >> 1 & 1;
        if (now && !button && suspended) SET(SIE_CTRL) = 1 << 12;
        button = now;
        __asm__ volatile("wfi");
    }
}

void start(void) {
    prepare();
    REG(0xE000E100) = 1 << 5;
    // The system tick lets the main loop look at the button.
    REG(0xE000E014) = 125000 - 1, REG(0xE000E018) = 0, REG(0xE000E010) = 7;
    attach();
    main_loop();
}

static void tick(void) {}
static void fault(void) { for (;;) __asm__ volatile("bkpt 0"); }

__attribute__((section(".vectors"), used)) static void (*const vectors[48])(void) = {
    (void (*)(void))0x20001800, start, fault, fault, [15] = tick, [16 + 5] = usb_interrupt,
};
