// A CDC-ACM echo for STM32F072, for tests of the emulator. It polls its controller and never sleeps, as TinyUSB and
// libopencm3 do. The button PA0 and the serial port USART1 give bytes to the host; the red LED PC6 tells DTR.
// 1200 bit/s make it another device, 600 bit/s take it off the bus until the button is pressed.
#include "fsdev.h"

#define USART1 0x40013800u
#define GPIOA 0x48000000u
#define GPIOC 0x48000800u

#include "cdc.h"

static void print(const char *text) {
    for (; *text; text++) {
        while (!(REG(USART1 + 0x1C) & 0x80)) {}
        REG(USART1 + 0x28) = *text;
    }
}

static void configure(void) {
    PMA(8 + 0) = 192, PMA(8 + 2) = 0, PMA(8 + 4) = 256, PMA(8 + 6) = 0x8400;
    PMA(16 + 0) = 320, PMA(16 + 2) = 0;
    for (int n = 1; n <= 2; n++) EP(n) = EP(n) & 0x7070;
    EP(1) = 0x0001 | 0x3000 | 0x0020;
    EP(2) = 0x0602 | 0x0020;
    head = tail = in_busy = wants_zero = out_waits = 0;
}

static void show_terminal(int is_ready) { REG(GPIOC + 0x18) = is_ready ? 1 << 6 : 1 << 22; }

static void clear_halt(uint8_t endpoint) {
    if (endpoint == 0x81) EP(1) = (EP(1) & 0x074F) | 0x8080;
    else EP(1) = (EP(1) & 0x470F) | 0x8080;
}

static void control(void) {
    uint32_t v = EP(0);
    if (v & 0x8000) {
        uint8_t packet[64];
        uint32_t count = PMA(6) & 0x3FF;
        pma_read(packet, 128, count);
        clear_rx(0);
        if (v & 0x0800) request(packet);
        else if (wants_line && count == 7) {
            take_line(packet);
            uint32_t rate = line[0] | line[1] << 8 | line[2] << 16;
            detach_for = rate == 1200 ? 1 : rate == 600 ? 2 : 0;
            respond(0, 0, 0);
        } else set_status(0, 3, -1);
    }
    if (v & 0x0080) {
        clear_tx(0);
        if (address) { DADDR = 0x80 | address; address = 0; }
        send_packet();
    }
}

static void take_out(void) {
    if (RING - used() < 64) return;
    uint8_t packet[64];
    uint32_t count = PMA(8 + 6) & 0x3FF;
    pma_read(packet, 256, count);
    for (uint32_t i = 0; i < count; i++) put(packet[i]);
    out_waits = 0;
    set_status(1, 3, -1);
}

static void give_in(void) {
    uint32_t count = used() < 64 ? used() : 64;
    if (in_busy || (!count && !wants_zero) || !configuration) return;
    uint8_t packet[64];
    for (uint32_t i = 0; i < count; i++) packet[i] = ring[tail++ % RING];
    pma_write(192, packet, count);
    PMA(8 + 2) = count;
    wants_zero = count == 64, in_busy = 1;
    set_status(1, -1, 3);
}

static void data(void) {
    uint32_t v = EP(1);
    if (v & 0x8000) { clear_rx(1); out_waits = 1; }
    if (v & 0x0080) { clear_tx(1); in_busy = 0; }
}

static void poll(void) {
    uint32_t status = ISTR;
    if (status & 0x0400) {
        ISTR = ~0x0400u;
        PMA(0) = 64, PMA(4) = 128, PMA(6) = 0x8400;
        EP(0) = 0x0200;
        set_status(0, 3, 2);
        DADDR = 0x80;
        configuration = 0;
    } else if (status & 0x0800) { ISTR = ~0x0800u; CNTR |= 8; }
    else if (status & 0x1000) { ISTR = ~0x1000u; CNTR &= ~8u; }
    else if (status & 0x8000) {
        if ((status & 15) == 0) control();
        else if ((status & 15) == 1) data();
        else clear_tx(2);
    }
    if (out_waits) take_out();
    give_in();
}

static void leave(void) {
    // The status stage of the request is still under way.
    for (volatile uint32_t i = 0; i < 20000; i++) poll();
    BCDR = 0;
    CNTR = 3;
    configuration = 0;
    if (detach_for == 2) while (!(REG(GPIOA + 0x10) & 1)) {}
    else {
        identity ^= 1;
        for (volatile uint32_t i = 0; i < 2000000; i++) {}
    }
    detach_for = 0;
    attach();
}

void start(void) {
    prepare();
    for (int i = 0; i < 7; i++) line[i] = first_line[i];
    REG(RCC + 0x14) |= 1 << 17 | 1 << 19;
    REG(RCC + 0x18) |= 1 << 14;
    REG(GPIOC) |= 1 << 12;
    REG(USART1) = 0xD;
    print("echo ready\r\n");
    attach();
    uint32_t button = 0;
    for (;;) {
        poll();
        uint32_t pressed = REG(GPIOA + 0x10) & 1;
        if (pressed && !button && configuration) say("button\n");
        button = pressed;
        if (REG(USART1 + 0x1C) & 0x20) put(REG(USART1 + 0x24));
        if (detach_for) leave();
    }
}

static void fault(void) { for (;;) __asm__ volatile("bkpt 0"); }

__attribute__((section(".vectors"), used)) static void (*const vectors[48])(void) = {
    (void (*)(void))0x20001800, start, fault, fault,
};
