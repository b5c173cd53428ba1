// A boot loader for STM32F072 with USB Device Firmware Upgrade 1.1, for tests of the emulator. It starts the application
// behind it, unless there is none or the button PA0 is held; downloads replace the application, and the bus reset that
// the host sends after the last of them starts it.
#include "fsdev.h"

#define APPLICATION 0x08002000u
#define END 0x08008000u
#define PAGE 2048u
#define BLOCK 1024u
#define GPIOA 0x48000000u

enum state { IDLE = 2, DOWNLOAD_SYNC, DOWNLOAD_BUSY, DOWNLOAD_IDLE, MANIFEST_SYNC, MANIFEST, WAIT_RESET, UPLOAD_IDLE, ERROR };
enum status { OK, ERR_PROGRAM = 6, ERR_VERIFY = 7, ERR_ADDRESS = 8, ERR_NOT_DONE = 9, ERR_STALLED = 15 };

static uint8_t state, status, address, block[BLOCK];
static uint32_t filled, wanted, at;

static const uint8_t device_descriptor[18] = {18, 1, 0, 2, 0, 0, 0, 64, 9, 18, 0x20, 0, 0, 1, 1, 2, 3, 1};
static const uint8_t configuration_descriptor[] = {
    9, 2, 27, 0, 1, 1, 0, 0x80, 50,
    9, 4, 0, 0, 0, 0xFE, 1, 2, 0,
    // Download and upload; needs a reset after manifestation; blocks of 1024 bytes.
    9, 0x21, 0x03, 255, 0, BLOCK & 255, BLOCK >> 8, 0x10, 1,
};
static const char *const strings[] = {"2Virt", "boot loader"};

static void fail(enum status reason) { state = ERROR, status = reason; set_status(0, 3, 1); }

static void flash_done(void) {
    while (REG(FLASH + 0x0C) & 1) {}
    if (REG(FLASH + 0x0C) & 0x14) status = ERR_PROGRAM;
    REG(FLASH + 0x0C) = 0x34;
}

// Erases each page that the block begins, and programs halfwords.
static void program(void) {
    REG(FLASH + 4) = 0x45670123, REG(FLASH + 4) = 0xCDEF89AB;
    if (at % PAGE == 0) {
        REG(FLASH + 0x10) = 2, REG(FLASH + 0x14) = at, REG(FLASH + 0x10) = 2 | 0x40;
        flash_done();
    }
    REG(FLASH + 0x10) = 1;
    for (uint32_t i = 0; i < filled; i += 2) {
        *(volatile uint16_t *)(at + i) = block[i] | (i + 1 < filled ? block[i + 1] : 0xFF) << 8;
        flash_done();
    }
    REG(FLASH + 0x10) = 0x80;
    for (uint32_t i = 0; i < filled; i++)
        if (*(volatile uint8_t *)(at + i) != block[i]) status = ERR_VERIFY;
    at += filled;
}

static void take_block(void) {
    if (at + filled > END) { fail(ERR_ADDRESS); return; }
    program();
    if (status != OK) { fail(status); return; }
    state = DOWNLOAD_SYNC;
    respond(0, 0, 0);
}

static void request(const uint8_t *s) {
    uint32_t asked = s[6] | s[7] << 8, number = s[2] | s[3] << 8;
    wanted = 0;
    if (s[0] == 0x80 && s[1] == 6) {
        if (s[3] == 1) respond(device_descriptor, 18, asked);
        else if (s[3] == 2) respond(configuration_descriptor, sizeof configuration_descriptor, asked);
        else if (s[3] == 3 && s[2] <= 3) respond_string(s[2], strings, asked);
        else set_status(0, 3, 1);
    } else if (s[0] == 0 && s[1] == 5) { address = s[2]; respond(0, 0, 0); }
    else if (s[0] == 0 && s[1] == 9) { state = IDLE, status = OK; respond(0, 0, 0); }
    else if (s[0] == 1 && s[1] == 11) respond(0, 0, 0);
    else if (s[0] == 0x21 && s[1] == 1) {
        if (state != IDLE && state != DOWNLOAD_IDLE) fail(ERR_STALLED);
        else if (asked > BLOCK) fail(ERR_ADDRESS);
        else if (asked) {
            if (state == IDLE) at = APPLICATION;
            filled = 0, wanted = asked;
            set_status(0, 3, -1);
        } else if (state == IDLE) fail(ERR_NOT_DONE);
        else { state = MANIFEST_SYNC; respond(0, 0, 0); }
    } else if (s[0] == 0xA1 && s[1] == 2) {
        uint32_t from = APPLICATION + number * BLOCK;
        if ((state != IDLE && state != UPLOAD_IDLE) || asked > BLOCK || from > END) { fail(ERR_STALLED); return; }
        uint32_t count = END - from < asked ? END - from : asked;
        state = count < asked ? IDLE : UPLOAD_IDLE;
        respond((const uint8_t *)from, count, asked);
    } else if (s[0] == 0xA1 && s[1] == 3) {
        if (state == DOWNLOAD_SYNC) state = DOWNLOAD_IDLE;
        else if (state == MANIFEST_SYNC) state = WAIT_RESET;
        reply[0] = status, reply[1] = 10, reply[2] = reply[3] = 0, reply[4] = state, reply[5] = 0;
        respond(reply, 6, asked);
    } else if (s[0] == 0x21 && s[1] == 4) { state = IDLE, status = OK; respond(0, 0, 0); }
    else if (s[0] == 0xA1 && s[1] == 5) respond(&state, 1, asked);
    else if (s[0] == 0x21 && s[1] == 6) { state = IDLE; respond(0, 0, 0); }
    else set_status(0, 3, 1);
}

static void control(void) {
    uint32_t v = EP(0);
    if (v & 0x8000) {
        uint8_t packet[64];
        uint32_t count = PMA(6) & 0x3FF;
        pma_read(packet, 128, count);
        clear_rx(0);
        if (v & 0x0800) request(packet);
        else if (wanted) {
            for (uint32_t i = 0; i < count && filled < BLOCK; i++) block[filled++] = packet[i];
            if (filled < wanted) set_status(0, 3, -1);
            else { wanted = 0; take_block(); }
        } else set_status(0, 3, -1);
    }
    if (v & 0x0080) {
        clear_tx(0);
        if (address) { DADDR = 0x80 | address; address = 0; }
        send_packet();
    }
}

static void bus_reset(void) {
    ISTR = ~0x0400u;
    // System reset request: SCB AIRCR.
    if (state == WAIT_RESET) REG(0xE000ED0C) = 0x05FA0004;
    PMA(0) = 64, PMA(4) = 128, PMA(6) = 0x8400;
    EP(0) = 0x0200;
    set_status(0, 3, 2);
    DADDR = 0x80;
    state = IDLE, status = OK, wanted = 0;
}

static void start_application(void) {
    const volatile uint32_t *vectors = (const volatile uint32_t *)APPLICATION;
    if (vectors[0] >> 16 != 0x2000 || vectors[1] < APPLICATION || vectors[1] >= END) return;
    __asm__ volatile("msr msp, %0\n bx %1" : : "r"(vectors[0]), "r"(vectors[1]));
}

void start(void) {
    REG(RCC + 0x14) |= 1 << 17;
    if (!(REG(GPIOA + 0x10) & 1)) start_application();
    prepare();
    attach();
    for (;;) {
        uint32_t pending = ISTR;
        if (pending & 0x0400) bus_reset();
        else if (pending & 0x0800) { ISTR = ~0x0800u; CNTR |= 8; }
        else if (pending & 0x1000) { ISTR = ~0x1000u; CNTR &= ~8u; }
        else if (pending & 0x8000) control();
    }
}

static void fault(void) { for (;;) __asm__ volatile("bkpt 0"); }

__attribute__((section(".vectors"), used)) static void (*const vectors[48])(void) = {
    (void (*)(void))0x20001800, start, fault, fault,
};
