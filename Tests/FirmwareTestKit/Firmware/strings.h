// String descriptor `index`: languages, manufacturer and product, and as serial number the unique id in hexadecimal.
static void respond_string(uint32_t index, const char *const *strings, uint32_t asked) {
    reply[1] = 3;
    if (index == 0) reply[0] = 4, reply[2] = 9, reply[3] = 4;
    else if (index < 3) {
        const char *text = strings[index - 1];
        uint32_t n = 0;
        for (; text[n]; n++) reply[2 + 2 * n] = text[n], reply[3 + 2 * n] = 0;
        reply[0] = 2 + 2 * n;
    } else {
        const uint8_t *id = (const uint8_t *)UID;
        for (int n = 0; n < 24; n++) {
            uint8_t digit = id[n / 2] >> (n & 1 ? 0 : 4) & 15;
            reply[2 + 2 * n] = digit < 10 ? '0' + digit : 'A' + digit - 10, reply[3 + 2 * n] = 0;
        }
        reply[0] = 50;
    }
    respond(reply, reply[0], asked);
}
