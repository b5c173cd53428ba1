// A CDC-ACM echo for the RP2040, for tests of the emulator. It polls, looks at the clock, and never sleeps.
#include "rp2040.h"

#include "cdc.h"

static uint8_t setup[8], data[64];
static uint32_t blinked;

static void configure(void) {
    head = tail = in_busy = wants_zero = out_waits = 0;
    in_toggle[1] = out_toggle[1] = 0;
    EP_CONTROL(1, 1) = 1u << 31 | 1 << 29 | 2 << 26 | out_place[1];
    EP_CONTROL(2, 0) = 1u << 31 | 1 << 29 | 3u << 26 | in_place[2];
    arm_out(1);
}

static void show_terminal(int is_ready) { REG(SIO + (is_ready ? 0x14 : 0x18)) = 1 << 25; }

static void clear_halt(uint8_t endpoint) {
    if (endpoint & 0x80) in_toggle[endpoint & 15] = 0, BUFFER(endpoint & 15, 0) = 0, in_busy = 0;
    else out_toggle[endpoint & 15] = 0, arm_out(endpoint & 15);
}

#define EP1_IN (1u << 31 | 2 << 26 | in_place[1])
#define DOUBLE (1 << 30)
#define PER_BUFFER (1 << 29)
#define PER_PAIR (1 << 28)
#define FIRST 0x1000u

// Two packets by both buffers, with one interrupt at the end.
static void give_pair(const uint8_t *bytes) {
    volatile uint8_t *to = (volatile uint8_t *)DPRAM + in_place[1];
    for (uint32_t i = 0; i < 128; i++) to[i] = bytes[i];
    EP_CONTROL(1, 0) = EP1_IN | DOUBLE | PER_PAIR;
    uint32_t first = FULL | 64 | (in_toggle[1] ? DATA1 : 0), second = FULL | 64 | (in_toggle[1] ? 0 : DATA1);
    BUFFER(1, 0) = second << 16 | first | FIRST;
    BUFFER(1, 0) = (second | AVAILABLE) << 16 | first | FIRST | AVAILABLE;
}

static void give_in(void) {
    uint32_t count = used() >= 128 ? 128 : used() < 64 ? used() : 64;
    if (in_busy || (!count && !wants_zero) || !configuration) return;
    uint8_t packet[128];
    for (uint32_t i = 0; i < count; i++) packet[i] = ring[tail++ % RING];
    wants_zero = count >= 64, in_busy = 1;
    if (count == 128) { give_pair(packet); return; }
    EP_CONTROL(1, 0) = EP1_IN | PER_BUFFER;
    give(1, packet, count);
}

static void buffers(void) {
    uint32_t done = REG(BUFF_STATUS);
    CLEAR(BUFF_STATUS) = done;
    if (done & 1) {
        if (address) { REG(USB) = address; address = 0; }
        send_packet();
    }
    if (done & 2 && wants_line && (BUFFER(0, 1) & 0x3FF)) { take(0, data); take_line(data); respond(0, 0, 0); }
    if (done & 1 << 2) in_busy = 0;
    if (done & 1 << 3) {
        uint32_t count = take(1, data);
        for (uint32_t i = 0; i < count; i++) put(data[i]);
        out_waits = 1;
    }
}

static void poll(void) {
    uint32_t status = REG(USB + 0x8C);
    if (status & 1 << 12) { bus_reset(); configuration = 0; }
    if (status & 1 << 4) buffers();
    if (status & 1 << 16) { copy_setup(setup); request(setup); }
    if (out_waits && RING - used() >= 64) { out_waits = 0; arm_out(1); }
    give_in();
    // As TinyUSB's examples do: the loop asks for the time on each of its rounds.
    if (REG(TIMER + 0x28) - blinked >= 250000) { blinked += 250000; REG(SIO + 0x1C) = 1 << 24; }
}

void start(void) {
    prepare();
    for (int i = 0; i < 7; i++) line[i] = first_line[i];
    REG(IO_BANK0 + 25 * 8 + 4) = 5, REG(SIO + 0x24) = 1 << 25;
    attach();
    for (;;) poll();
}

static void fault(void) { for (;;) __asm__ volatile("bkpt 0"); }

__attribute__((section(".vectors"), used)) static void (*const vectors[48])(void) = {
    (void (*)(void))0x20001800, start, fault, fault,
};
