// A microphone (Audio 1.0, 48 kHz, 16 bit) and a keyboard (HID boot protocol) for STM32F072, for tests of the emulator.
// The microphone's samples count up by one, so that a recording shows what is missing. The button PA0 is the key `a`.
#include "fsdev.h"

#define GPIOA 0x48000000u
#define SAMPLES 48u

static uint8_t configuration, address, alternate, key_busy;
static uint8_t report[8];
static uint16_t sample;

static const uint8_t device_descriptor[18] = {18, 1, 0, 2, 0, 0, 0, 64, 9, 18, 0x30, 0, 0, 1, 1, 2, 3, 1};
static const uint8_t report_descriptor[] = {
    0x05, 1, 0x09, 6, 0xA1, 1,
    0x05, 7, 0x19, 0xE0, 0x29, 0xE7, 0x15, 0, 0x25, 1, 0x75, 1, 0x95, 8, 0x81, 2,
    0x95, 1, 0x75, 8, 0x81, 1,
    0x95, 6, 0x75, 8, 0x15, 0, 0x25, 101, 0x05, 7, 0x19, 0, 0x29, 101, 0x81, 0,
    0xC0,
};
static const uint8_t configuration_descriptor[] = {
    9, 2, 125, 0, 3, 1, 0, 0x80, 50,
    // Audio control: microphone to USB stream.
    9, 4, 0, 0, 0, 1, 1, 0, 0,
    9, 0x24, 1, 0, 1, 30, 0, 1, 1,
    12, 0x24, 2, 1, 1, 2, 0, 1, 0, 0, 0, 0,
    9, 0x24, 3, 2, 1, 1, 0, 1, 0,
    // Audio streaming: PCM, one channel, 2 bytes, 48000 Hz.
    9, 4, 1, 0, 0, 1, 2, 0, 0,
    9, 4, 1, 1, 1, 1, 2, 0, 0,
    7, 0x24, 1, 2, 1, 1, 0,
    11, 0x24, 2, 1, 1, 2, 16, 1, 0x80, 0xBB, 0,
    9, 5, 0x81, 0x0D, SAMPLES * 2, 0, 1, 0, 0,
    7, 0x25, 1, 0, 0, 0, 0,
    // Keyboard.
    9, 4, 2, 0, 1, 3, 1, 1, 0,
    9, 0x21, 0x11, 1, 0, 1, 0x22, sizeof report_descriptor, 0,
    7, 5, 0x82, 3, 8, 0, 10,
};
static const char *const strings[] = {"2Virt", "panel"};

static void fill(uint32_t buffer) {
    for (uint32_t i = 0; i < SAMPLES; i++) PMA((buffer ? 288 : 192) + 2 * i) = sample++;
}

// Both buffers are the controller's; DTOG_TX tells which is next.
static void stream(void) {
    EP(1) = EP(1) & 0x7070;
    if (!alternate) return;
    PMA(8 + 0) = 192, PMA(8 + 2) = SAMPLES * 2, PMA(8 + 4) = 288, PMA(8 + 6) = SAMPLES * 2;
    sample = 0;
    fill(0), fill(1);
    EP(1) = 0x0401 | 0x0030;
}

static void configure(void) {
    PMA(16 + 0) = 384, PMA(16 + 2) = 0;
    EP(2) = EP(2) & 0x7070;
    EP(2) = 0x0602 | 0x0020;
    alternate = key_busy = 0;
    stream();
}

static void request(const uint8_t *s) {
    uint32_t asked = s[6] | s[7] << 8;
    if (s[0] == 0x80 && s[1] == 6) {
        if (s[3] == 1) respond(device_descriptor, 18, asked);
        else if (s[3] == 2) respond(configuration_descriptor, sizeof configuration_descriptor, asked);
        else if (s[3] == 3 && s[2] <= 3) respond_string(s[2], strings, asked);
        else set_status(0, 3, 1);
    } else if (s[0] == 0x81 && s[1] == 6 && s[3] == 0x22) respond(report_descriptor, sizeof report_descriptor, asked);
    else if (s[0] == 0 && s[1] == 5) { address = s[2]; respond(0, 0, 0); }
    else if (s[0] == 0 && s[1] == 9) { configuration = s[2]; configure(); respond(0, 0, 0); }
    else if (s[0] == 1 && s[1] == 11) {
        if (s[4] == 1) { alternate = s[2]; stream(); }
        respond(0, 0, 0);
    } else if (s[0] == 0x81 && s[1] == 10) { reply[0] = s[4] == 1 ? alternate : 0; respond(reply, 1, asked); }
    else if (s[0] == 0x21 && (s[1] == 10 || s[1] == 11)) respond(0, 0, 0);
    else set_status(0, 3, 1);
}

static void control(void) {
    uint32_t v = EP(0);
    if (v & 0x8000) {
        uint8_t packet[64];
        pma_read(packet, 128, PMA(6) & 0x3FF);
        clear_rx(0);
        if (v & 0x0800) request(packet);
        else set_status(0, 3, -1);
    }
    if (v & 0x0080) {
        clear_tx(0);
        if (address) { DADDR = 0x80 | address; address = 0; }
        send_packet();
    }
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
        else if ((status & 15) == 1) { clear_tx(1); fill(!(EP(1) & 0x40)); }
        else { clear_tx(2); key_busy = 0; }
    }
}

void start(void) {
    prepare();
    REG(RCC + 0x14) |= 1 << 17;
    attach();
    uint32_t told = 0;
    for (;;) {
        poll();
        uint32_t pressed = REG(GPIOA + 0x10) & 1;
        if (pressed == told || key_busy || !configuration) continue;
        report[2] = pressed ? 4 : 0;
        pma_write(384, report, 8);
        PMA(16 + 2) = 8;
        told = pressed, key_busy = 1;
        set_status(2, -1, 3);
    }
}

static void fault(void) { for (;;) __asm__ volatile("bkpt 0"); }

__attribute__((section(".vectors"), used)) static void (*const vectors[48])(void) = {
    (void (*)(void))0x20001800, start, fault, fault,
};
