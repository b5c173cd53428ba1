// The requests and the ring of the CDC-ACM echo, for all controllers; includers have their controller and what is declared
// here.
#define RING 2048u

static uint8_t ring[RING];
static uint32_t head, tail, in_busy, wants_zero, out_waits;
static uint8_t configuration, address, identity, wants_line, detach_for;
// 115200 bit/s, 8 data bits, until the host says otherwise.
static const uint8_t first_line[7] = {0, 0xC2, 1, 0, 0, 0, 8};
static uint8_t line[7];

static const uint8_t device_descriptor[18] = {18, 1, 0, 2, 2, 0, 0, 64, 9, 18, 0, 0, 0, 1, 1, 2, 3, 1};
static const uint8_t configuration_descriptor[] = {
    9, 2, 67, 0, 2, 1, 0, 0x80, 50,
    9, 4, 0, 0, 1, 2, 2, 1, 0,
    5, 0x24, 0, 0x10, 1,
    5, 0x24, 1, 0, 1,
    4, 0x24, 2, 2,
    5, 0x24, 6, 0, 1,
    7, 5, 0x82, 3, 8, 0, 16,
    9, 4, 1, 0, 2, 10, 0, 0, 0,
    7, 5, 0x01, 2, 64, 0, 0,
    7, 5, 0x81, 2, 64, 0, 0,
};
static const char *const strings[] = {"2Virt", "echo of bytes"};

static uint32_t used(void) { return head - tail; }
static void put(uint8_t byte) { if (used() < RING) ring[head++ % RING] = byte; }
static void say(const char *text) { while (*text) put(*text++); }

static void configure(void);
static void show_terminal(int is_ready);
// A host that clears a halt begins with DATA0.
static void clear_halt(uint8_t endpoint);

static void take_line(const uint8_t *data) {
    for (uint32_t i = 0; i < 7; i++) line[i] = data[i];
    wants_line = 0;
}

static void request(const uint8_t *s) {
    uint32_t asked = s[6] | s[7] << 8;
    if (s[0] == 0x80 && s[1] == 6) {
        if (s[3] == 1) {
            for (int i = 0; i < 18; i++) reply[i] = device_descriptor[i];
            reply[10] = 0x10 + identity;
            respond(reply, 18, asked);
        } else if (s[3] == 2) respond(configuration_descriptor, sizeof configuration_descriptor, asked);
        else if (s[3] == 3 && s[2] <= 3) respond_string(s[2], strings, asked);
        else refuse();
    } else if (s[0] == 0 && s[1] == 5) { address = s[2]; respond(0, 0, 0); }
    else if (s[0] == 0 && s[1] == 9) { configuration = s[2]; configure(); respond(0, 0, 0); }
    else if (s[0] == 0x21 && s[1] == 0x20 && asked == 7) { wants_line = 1; take_next(); }
    else if (s[0] == 0xA1 && s[1] == 0x21) respond(line, 7, asked);
    else if (s[0] == 0x21 && s[1] == 0x22) {
        show_terminal(s[2] & 1);
        respond(0, 0, 0);
    } else if (s[0] == 0x21 && s[1] == 0x23) respond(0, 0, 0);
    else if (s[0] == 2 && s[1] == 1) {
        clear_halt(s[4]);
        respond(0, 0, 0);
    } else refuse();
}
