// What of the RP2040 is not USB, told on UART0 line by line, for tests of the emulator.
#include "rp2040.h"

#define UART 0x40034000u
#define FIFO_ST (SIO + 0x50)
#define FIFO_WR (SIO + 0x54)
#define FIFO_RD (SIO + 0x58)
#define SPINLOCK(n) REG(SIO + 0x100 + 4 * (n))
#define WATCHDOG 0x40058000u
#define DMA 0x50000000u
#define ADC 0x4004C000u

static void say(const char *text) { while (*text) REG(UART) = *text++; }

static void tell(const char *name, uint32_t value) {
    say(name), say(" ");
    for (int shift = 28; shift >= 0; shift -= 4) {
        char digit = value >> shift & 15;
        REG(UART) = digit < 10 ? '0' + digit : 'a' + digit - 10;
    }
    say("\n");
}

// MARK: Both cores

static volatile uint32_t counter, is_done;
static uint32_t stack1[256];

static void put(uint32_t word) {
    while (!(REG(FIFO_ST) & 2)) {}
    REG(FIFO_WR) = word;
    __asm__ volatile("sev");
}

static uint32_t get(void) {
    while (!(REG(FIFO_ST) & 1)) __asm__ volatile("wfe");
    return REG(FIFO_RD);
}

static void count(void) {
    for (int i = 0; i < 5000; i++) {
        while (!SPINLOCK(7)) {}
        counter++;
        SPINLOCK(7) = 1;
    }
}

static void core1(void) {
    for (int i = 0; i < 4; i++) put(get() * 2 + REG(SIO));
    count();
    is_done = 1;
    for (;;) __asm__ volatile("wfi");
}

extern void (*const vectors[48])(void);

static void both_cores(void) {
    const uint32_t order[] = {0, 0, 1, (uint32_t)vectors, (uint32_t)(stack1 + 256), (uint32_t)core1};
    for (uint32_t n = 0; n < 6;) {
        if (!order[n]) while (REG(FIFO_ST) & 1) (void)REG(FIFO_RD);
        put(order[n]);
        n = get() == order[n] ? n + 1 : 0;
    }
    for (uint32_t i = 0; i < 4; i++) { put(100 + i); tell("core 1", get()); }
    count();
    while (!is_done) {}
    tell("counted", counter);
}

// MARK: The boot ROM

typedef void *(*lookup_t)(const uint16_t *table, uint32_t code);

static uint16_t half(volatile uint16_t *at) { return *at; }

static void *rom(uint32_t table, char a, char b) {
    uint32_t base = 0x10;
    __asm__ volatile("" : "+r"(base));
    lookup_t lookup = (lookup_t)(uintptr_t)half((volatile uint16_t *)(base + 8));
    return lookup((const uint16_t *)(uintptr_t)half((volatile uint16_t *)(base + table)), a | b << 8);
}

static void boot_rom(void) {
    uint32_t (*popcount)(uint32_t) = rom(4, 'P', '3'), (*reverse)(uint32_t) = rom(4, 'R', '3');
    uint32_t (*leading)(uint32_t) = rom(4, 'L', '3'), (*trailing)(uint32_t) = rom(4, 'T', '3');
    tell("popcount", popcount(0xF0F0A001));
    tell("reverse", reverse(0x80000006));
    tell("leading", leading(0x00010000));
    tell("trailing", trailing(0x00010000));
    uint8_t *(*copy)(uint8_t *, const uint8_t *, uint32_t) = rom(4, 'M', 'C');
    uint8_t *(*fill)(uint8_t *, uint8_t, uint32_t) = rom(4, 'M', 'S');
    static uint8_t bytes[16];
    fill(bytes, 0xA5, 16);
    copy(bytes + 1, (const uint8_t *)"abc", 3);
    tell("bytes", *(uint32_t *)bytes);
    tell("no function", (uint32_t)rom(4, 'z', 'z'));
    const uint32_t *floats = rom(6, 'S', 'F'), *doubles = rom(6, 'S', 'D');
    uint32_t (*divide)(uint32_t, uint32_t) = (void *)floats[3], (*root)(uint32_t) = (void *)floats[6];
    int32_t (*whole)(uint32_t) = (void *)floats[7];
    uint32_t (*order)(uint32_t, uint32_t) = (void *)floats[21];
    tell("1 / 3", divide(0x3F800000, 0x40400000));
    tell("sqrt 2", root(0x40000000));
    tell("floor -1.5", whole(0xBFC00000));
    tell("-1 <=> 1", order(0xBF800000, 0x3F800000));
    uint64_t (*product)(uint64_t, uint64_t) = (void *)doubles[2];
    uint64_t result = product(0x3FF8000000000000, 0x4000000000000000);
    tell("1.5 * 2", result >> 32);
}

// MARK: Divider, DMA, ADC, timer

static void divide(void) {
    REG(SIO + 0x60) = 1000003, REG(SIO + 0x64) = 17;
    tell("quotient", REG(SIO + 0x70)), tell("remainder", REG(SIO + 0x74));
    REG(SIO + 0x68) = -7, REG(SIO + 0x6C) = 2;
    tell("quotient", REG(SIO + 0x70)), tell("remainder", REG(SIO + 0x74));
    REG(SIO + 0x68) = -7, REG(SIO + 0x6C) = 0;
    tell("by zero", REG(SIO + 0x70));
    REG(SIO + 0x68) = 0x80000000, REG(SIO + 0x6C) = -1;
    tell("overflow", REG(SIO + 0x70));
}

static void copy_by_dma(void) {
    static uint8_t from[64], to[64];
    for (int i = 0; i < 64; i++) from[i] = i * 5;
    // CRC-32 of what channel 2 carries; 16 words, both addresses count, chained to itself: no chain.
    REG(DMA + 0x438) = ~0u, REG(DMA + 0x434) = 2 << 1 | 1;
    REG(DMA + 0x80) = (uint32_t)from, REG(DMA + 0x84) = (uint32_t)to, REG(DMA + 0x88) = 64;
    REG(DMA + 0x8C) = 1 << 23 | 0x3F << 15 | 2 << 11 | 1 << 5 | 1 << 4 | 1;
    while (REG(DMA + 0x8C) & 1 << 24) {}
    uint32_t same = 1;
    for (int i = 0; i < 64; i++) same &= from[i] == to[i];
    tell("copied", same);
    tell("crc", REG(DMA + 0x438));
    tell("done", REG(DMA + 0x400));
}

static void convert(void) {
    REG(ADC) = 1;
    REG(ADC) = 4 << 12 | 1 << 1 | 1;
    SET(ADC) = 4;
    while (!(REG(ADC) & 1 << 8)) {}
    tell("temperature", REG(ADC + 4));
}

static volatile uint32_t alarms;

static void alarm(void) { alarms++; REG(TIMER + 0x34) = 1; }

static void wait_for_alarm(void) {
    REG(0xE000E100) = 1;
    REG(TIMER + 0x38) = 1;
    uint32_t began = REG(TIMER + 0x28);
    REG(TIMER + 0x10) = began + 5000;
    while (!alarms) __asm__ volatile("wfi");
    uint32_t passed = REG(TIMER + 0x28) - began;
    tell("alarm", passed >= 5000 && passed < 5100);
}

// MARK: Watchdog

static void after_reboot(void) {
    REG(UART + 0x30) = 0x301;
    tell("rebooted into", REG(WATCHDOG + 8));
    tell("scratch", REG(WATCHDOG + 0x0C));
    say("end\n");
    for (;;) __asm__ volatile("wfi");
}

static void reboot(void) {
    REG(WATCHDOG + 0x0C) = 0xCAFE;
    REG(WATCHDOG + 0x1C) = 0xB007C0D3;
    REG(WATCHDOG + 0x20) = (uint32_t)after_reboot ^ -0xB007C0D3u;
    REG(WATCHDOG + 0x24) = 0x20001800;
    REG(WATCHDOG + 0x28) = (uint32_t)after_reboot;
    // 3 ms.
    REG(WATCHDOG + 4) = 6000;
    SET(WATCHDOG) = 1 << 30;
    for (;;) {}
}

void start(void) {
    prepare();
    REG(UART + 0x30) = 0x301;
    both_cores();
    boot_rom();
    divide();
    copy_by_dma();
    convert();
    wait_for_alarm();
    reboot();
}

static void fault(void) { for (;;) __asm__ volatile("bkpt 0"); }

__attribute__((section(".vectors"), used)) void (*const vectors[48])(void) = {
    (void (*)(void))0x20001800, start, fault, fault, [16] = alarm,
};
