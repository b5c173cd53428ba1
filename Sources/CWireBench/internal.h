#ifndef CWIREBENCH_INTERNAL_H
#define CWIREBENCH_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

// Packet types of the usbredir protocol.
enum {
    type_hello = 0,
    type_device_connect = 1,
    type_interface_info = 4,
    type_endpoint_info = 5,
    type_set_configuration = 6,
    type_configuration_status = 8,
    type_control_packet = 100,
    type_bulk_packet = 101,
};

enum {
    // hello is always sent with the short header.
    short_header = 12,
    header = 16,
    // bulk_packet with 32bits_bulk_length and control_packet are of one size.
    data_header = 10,
    hello_body = 68,
    largest_transfer = 1 << 20,
    // connect_device_version, filter, ep_info_max_packet_size, 64bits_ids, 32bits_bulk_length.
    capabilities = 1 << 1 | 1 << 2 | 1 << 4 | 1 << 5 | 1 << 6,
};

static inline void put16(uint8_t *at, uint16_t value) { at[0] = value, at[1] = value >> 8; }
static inline void put32(uint8_t *at, uint32_t value) { put16(at, value), put16(at + 2, value >> 16); }
static inline void put64(uint8_t *at, uint64_t value) { put32(at, value), put32(at + 4, value >> 32); }
static inline uint16_t get16(const uint8_t *at) { return at[0] | at[1] << 8; }
static inline uint32_t get32(const uint8_t *at) { return get16(at) | (uint32_t)get16(at + 2) << 16; }
static inline uint64_t get64(const uint8_t *at) { return get32(at) | (uint64_t)get32(at + 4) << 32; }

// The data length of a bulk_packet header.
static inline uint32_t bulk_length(const uint8_t *at) { return get16(at + 2) | (uint32_t)get16(at + 8) << 16; }

static inline void put_header(uint8_t *at, uint32_t type, uint32_t length, uint64_t id) {
    put32(at, type), put32(at + 4, length), put64(at + 8, id);
}

// All return 0 or an errno; the end of the stream is EPIPE.
int read_all(int fd, void *bytes, size_t count);
int write_all(int fd, const void *bytes, size_t count);
int exchange_hello(int fd);

#endif
