// The requests of the vendor test device, for all controllers; includers have LAST_PAGE, their controller and `configure`.
static volatile uint8_t configuration, address, identity, pending_detach, pending_reset, pending_crash;
static uint8_t stored[64];
static uint32_t flash_status, wants_out;
static uint8_t loop_data[64];
static uint32_t loop_count, loop_waiting, in_busy, iso_counter;

static const uint8_t device_descriptor[18] = {18, 1, 0, 2, 255, 0, 0, 64, 9, 18, 1, 0, 0, 1, 1, 2, 3, 1};
static const uint8_t configuration_descriptor[] = {
    9, 2, 39, 0, 1, 1, 0, 0xA0, 50,
    9, 4, 0, 0, 3, 255, 0, 0, 0,
    7, 5, 0x01, 2, 64, 0, 0,
    7, 5, 0x81, 2, 64, 0, 0,
    7, 5, 0x83, 1, 32, 0, 1,
};
static const char *const strings[] = {"2Virt", "vendor test"};

static void configure(void);
static void flash_store(uint16_t value);

static void request(const uint8_t *s) {
    uint32_t asked = s[6] | s[7] << 8;
    if (s[0] == 0x80 && s[1] == 6) {
        if (s[3] == 1) {
            for (int i = 0; i < 18; i++) reply[i] = device_descriptor[i];
            reply[10] = 1 + identity;
            respond(reply, 18, asked);
        } else if (s[3] == 2) respond(configuration_descriptor, sizeof configuration_descriptor, asked);
        else if (s[3] == 3 && s[2] <= 3) respond_string(s[2], strings, asked);
        else refuse();
    } else if (s[0] == 0 && s[1] == 5) { address = s[2]; respond(0, 0, 0); }
    else if (s[0] == 0 && s[1] == 9) { configuration = s[2]; configure(); respond(0, 0, 0); }
    else if (s[0] == 2 && s[1] == 1) respond(0, 0, 0);
    else if (s[0] == 0xC0 && s[1] == 1) {
        for (int i = 0; i < 256; i++) reply[i] = i * 7;
        respond(reply, s[2] | s[3] << 8, asked);
    } else if (s[0] == 0x40 && s[1] == 2 && asked <= 64) { wants_out = asked; take_next(); }
    else if (s[0] == 0xC0 && s[1] == 3) respond(stored, 64, asked);
    else if (s[0] == 0x40 && s[1] == 4) { pending_detach = 1; respond(0, 0, 0); }
    else if (s[0] == 0x40 && s[1] == 5) { flash_store(s[2] | s[3] << 8); respond(0, 0, 0); }
    else if (s[0] == 0xC0 && s[1] == 6) {
        reply[0] = flash_status, reply[1] = flash_status >> 8;
        reply[2] = *(volatile uint8_t *)LAST_PAGE, reply[3] = *(volatile uint8_t *)(LAST_PAGE + 1);
        respond(reply, 4, asked);
    } else if (s[0] == 0x40 && s[1] == 7) { pending_reset = 1; respond(0, 0, 0); }
    else if (s[0] == 0x40 && s[1] == 8) { pending_crash = 1; respond(0, 0, 0); }
    else refuse();
}
