// The two ends that our wires are measured between: a guest that only asks, and the least that a host can be.
#ifndef CWIREBENCH_H
#define CWIREBENCH_H

#include <stddef.h>
#include <stdint.h>

// A connected pair of UNIX stream sockets, closed on exec. Returns 0 or an errno.
int cwb_pair(int *guest, int *host);

// Connects to a listening UNIX socket. Returns 0 or an errno.
int cwb_connect(const char *path, int *guest);

// C floor: answers bulk and control requests from memory until the guest leaves. With `batched` it drains what one read
// brings and answers with one write, else it reads and writes each packet by itself. Returns 0 or an errno.
int cwb_serve(int host, int batched);

// Says hello as QEMU does, waits for the device and sets configuration 1. Returns 0 or an errno.
int cwb_open(int guest);

// Keeps `depth` bulk transfers of `size` bytes in flight for some time. Returns 0 or an errno.
int cwb_load(int guest, uint8_t endpoint, uint32_t size, uint32_t depth, uint64_t nanoseconds, uint64_t *transfers,
             uint64_t *elapsed);

// One transfer at a time: GET_DESCRIPTOR(device) on endpoint 0x80, else a bulk transfer. Writes the nanoseconds of each
// round trip, at most `room` of them. Returns 0 or an errno.
int cwb_round_trips(int guest, uint8_t endpoint, uint32_t size, uint64_t nanoseconds, uint32_t *trips, size_t room,
                    size_t *count);

// USB/IP, the same over TCP on the loopback interface.

// A listening socket of the floor; `port` is in host order. Returns 0 or an errno.
int cwb_usbip_listen(uint16_t *port, int *listener);

// C floor: takes one connection, gives it a device of any name and answers each URB from memory until it closes. With
// `batched` it drains what one read brings and answers with one write. Returns 0 or an errno.
int cwb_usbip_serve(int listener, int batched);

// Imports the device called `name` and sets its configuration 1. Returns 0 or an errno; EBUSY for a refusal.
int cwb_usbip_import(uint16_t port, const char *name, int *importer, uint32_t *device);

// Keeps `depth` URBs of `size` bytes in flight for some time. Returns 0 or an errno.
int cwb_usbip_load(int importer, uint32_t device, uint8_t endpoint, uint32_t size, uint32_t depth, uint64_t nanoseconds,
                   uint64_t *transfers, uint64_t *elapsed);

// One URB at a time: GET_DESCRIPTOR(device) on endpoint 0x80, else a bulk URB. Writes the nanoseconds of each round trip,
// at most `room` of them. Returns 0 or an errno.
int cwb_usbip_round_trips(int importer, uint32_t device, uint8_t endpoint, uint32_t size, uint64_t nanoseconds,
                          uint32_t *trips, size_t room, size_t *count);

// Asks for IN URBs as fast as the exporter takes them and reads no reply. Returns 0 or an errno.
int cwb_usbip_flood(int importer, uint32_t device, uint8_t endpoint, uint32_t size, uint64_t nanoseconds,
                    uint64_t *sent);

#endif
