#ifndef CWIREBENCH_USBIP_H
#define CWIREBENCH_USBIP_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// USB/IP 1.1.1; all numbers are big endian.
enum {
    usbip_version = 0x0111,
    op_request_import = 0x8003,
    op_reply_import = 0x0003,
    op_header = 8,
    bus_id = 32,
    device_record = 312,
    // Where a device record has its bus id, bus number and device number.
    record_bus_id = 256,
    record_bus_number = 288,
    record_device_number = 292,

    urb_header = 48,
    cmd_submit = 1,
    ret_submit = 3,
    largest_urb = 1 << 20,
};

static inline void put16be(uint8_t *at, uint16_t value) { at[0] = value >> 8, at[1] = value; }
static inline uint16_t get16be(const uint8_t *at) { return at[0] << 8 | at[1]; }

static inline void put32be(uint8_t *at, uint32_t value) {
    value = __builtin_bswap32(value);
    memcpy(at, &value, sizeof value);
}

static inline uint32_t get32be(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return __builtin_bswap32(value);
}

#endif
