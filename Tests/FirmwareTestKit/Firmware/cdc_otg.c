// A CDC-ACM echo for STM32F407 on its OTG_FS controller, for tests of the emulator. It polls and never sleeps.
#include "otg.h"

#include "cdc.h"

static uint8_t setup[8], data[64];

static void configure(void) {
    head = tail = in_busy = wants_zero = out_waits = 0;
    DOEPCTL(1) = USBAEP | SEVEN | 2 << 18 | 64;
    DIEPCTL(1) = USBAEP | SEVEN | SNAK | 1 << 22 | 2 << 18 | 64;
    DIEPCTL(2) = USBAEP | SEVEN | SNAK | 2 << 22 | 3 << 18 | 8;
    arm_out(1);
}

static void show_terminal(int is_ready) { REG(0x40020C18) = is_ready ? 1 << 12 : 1 << 28; }

static void clear_halt(uint8_t endpoint) {
    if (endpoint & 0x80) DIEPCTL(endpoint & 15) = (DIEPCTL(endpoint & 15) & ~STALL) | SEVEN;
    else DOEPCTL(endpoint & 15) = (DOEPCTL(endpoint & 15) & ~STALL) | SEVEN;
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
        read_fifo(data, count);
        if (n) for (uint32_t i = 0; i < count; i++) put(data[i]);
        break;
    case 3:
        DOEPINT(n) = 1;
        if (n) out_waits = 1;
        else if (wants_line) { take_line(data); respond(0, 0, 0); }
        break;
    }
}

static void give_in(void) {
    uint32_t count = used() < 64 ? used() : 64;
    if (in_busy || (!count && !wants_zero) || !configuration) return;
    uint8_t packet[64];
    for (uint32_t i = 0; i < count; i++) packet[i] = ring[tail++ % RING];
    wants_zero = count == 64, in_busy = 1;
    give(1, packet, count, 0);
}

static void poll(void) {
    uint32_t status = GINTSTS;
    if (status & 1 << 12) { GINTSTS = 1 << 12; bus_reset(); configuration = 0; }
    if (status & 1 << 4) receive();
    if (DIEPINT(0) & 1) { DIEPINT(0) = 1; send_packet(); }
    if (DIEPINT(1) & 1) { DIEPINT(1) = 1; in_busy = 0; }
    if (out_waits && RING - used() >= 64) { out_waits = 0; arm_out(1); }
    give_in();
}

void start(void) {
    prepare();
    REG(RCC + 0x30) |= 1 << 3;
    REG(0x40020C00) |= 1 << 24;
    attach();
    for (;;) poll();
}

static void fault(void) { for (;;) __asm__ volatile("bkpt 0"); }

__attribute__((section(".vectors"), used)) static void (*const vectors[98])(void) = {
    (void (*)(void))0x20001800, start, fault, fault,
};
