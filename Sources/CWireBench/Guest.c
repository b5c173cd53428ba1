#define _GNU_SOURCE
#include "CWireBench.h"
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

// Reads packets until one of `type` has come.
static int await(int fd, uint32_t type) {
    uint8_t bytes[header + 512];
    for (;;) {
        int error = read_all(fd, bytes, header);
        if (error) return error;
        uint32_t length = get32(bytes + 4);
        if (length > sizeof bytes - header) return EPROTO;
        error = read_all(fd, bytes + header, length);
        if (error || get32(bytes) == type) return error;
    }
}

int cwb_open(int fd) {
    int error = exchange_hello(fd);
    if (!error) error = await(fd, type_device_connect);
    uint8_t request[header + 1];
    put_header(request, type_set_configuration, 1, 1);
    request[header] = 1;
    if (!error) error = write_all(fd, request, sizeof request);
    return error ? error : await(fd, type_configuration_status);
}

static size_t put_bulk(uint8_t *at, uint8_t endpoint, uint32_t size, uint64_t id) {
    uint32_t data = endpoint & 0x80 ? 0 : size;
    put_header(at, type_bulk_packet, data_header + data, id);
    uint8_t *body = at + header;
    memset(body, 0, data_header);
    body[0] = endpoint;
    put16(body + 2, size);
    put16(body + 8, size >> 16);
    return header + data_header + data;
}

static size_t put_control(uint8_t *at, uint64_t id) {
    // GET_DESCRIPTOR(device), 18 bytes.
    static const uint8_t body[data_header] = {0x80, 6, 0x80, 0, 0, 1, 0, 0, 18, 0};
    put_header(at, type_control_packet, data_header, id);
    memcpy(at + header, body, data_header);
    return header + data_header;
}

// A link's replies as they come in, whole ones taken off its front.
struct replies {
    uint8_t *bytes;
    size_t held, at;
    // Data of the last reply that has not come in yet.
    size_t skip;
};

enum { reply_room = 1 << 20 };

// Reads once and counts the data replies that have ended; checks that each did what was asked.
static int read_replies(int fd, struct replies *in, uint8_t endpoint, uint32_t size, uint64_t *count) {
    ssize_t got;
    do got = recv(fd, in->bytes + in->held, reply_room - in->held, 0);
    while (got < 0 && errno == EINTR);
    if (got <= 0) return got == 0 ? EPIPE : errno;
    in->held += got;
    in->at = 0;
    for (;;) {
        if (in->skip > 0) {
            size_t part = in->held - in->at < in->skip ? in->held - in->at : in->skip;
            in->at += part;
            in->skip -= part;
            if (in->skip > 0) break;
            *count += 1;
        }
        if (in->held - in->at < header + data_header) break;
        const uint8_t *reply = in->bytes + in->at, *body = reply + header;
        uint32_t length = get32(reply + 4);
        if (get32(reply) == type_bulk_packet) {
            if (body[0] != endpoint || body[1] != 0 || bulk_length(body) != size) return EPROTO;
        } else if (get32(reply) != type_control_packet || body[3] != 0) {
            return EPROTO;
        }
        if (length < data_header) return EPROTO;
        in->at += header + data_header;
        in->skip = length - data_header;
        if (in->skip == 0) *count += 1;
    }
    in->held -= in->at;
    memmove(in->bytes, in->bytes + in->at, in->held);
    return 0;
}

int cwb_load(int fd, uint8_t endpoint, uint32_t size, uint32_t depth, uint64_t nanoseconds, uint64_t *transfers,
             uint64_t *elapsed) {
    if (size == 0 || size > largest_transfer || depth == 0 || depth > 1024) return EINVAL;
    size_t one = header + data_header + (endpoint & 0x80 ? 0 : size);
    struct replies in = {.bytes = malloc(reply_room)};
    uint8_t *requests = calloc(depth, one);
    uint64_t sent = 0, done = 0, start = now(), end = start + nanoseconds;
    int error = in.bytes && requests ? 0 : ENOMEM, isOver = 0;
    for (uint32_t index = 0; !error && index < depth; index++) put_bulk(requests + index * one, endpoint, size, 0);
    while (!error) {
        isOver = isOver || now() >= end;
        uint64_t fresh = isOver ? 0 : depth - (sent - done);
        for (uint64_t index = 0; index < fresh; index++) put64(requests + index * one + 8, 2 + sent++);
        error = write_all(fd, requests, fresh * one);
        // What is in flight at the end still counts, with the time that it takes.
        if (error || (isOver && done == sent)) break;
        error = read_replies(fd, &in, endpoint, size, &done);
    }
    *transfers = done;
    *elapsed = now() - start;
    free(in.bytes);
    free(requests);
    return error;
}

int cwb_round_trips(int fd, uint8_t endpoint, uint32_t size, uint64_t nanoseconds, uint32_t *trips, size_t room,
                    size_t *count) {
    if (size > largest_transfer) return EINVAL;
    struct replies in = {.bytes = malloc(reply_room)};
    uint8_t *request = calloc(1, header + data_header + size);
    uint64_t start = now(), done = 0, id = 2;
    int error = in.bytes && request ? 0 : ENOMEM;
    *count = 0;
    for (uint64_t before = start; !error && before - start < nanoseconds && *count < room;) {
        size_t length = endpoint == 0x80 ? put_control(request, id++) : put_bulk(request, endpoint, size, id++);
        error = write_all(fd, request, length);
        uint64_t target = done + 1;
        while (!error && done < target) error = read_replies(fd, &in, endpoint, size, &done);
        uint64_t after = now();
        trips[(*count)++] = (uint32_t)(after - before);
        before = after;
    }
    free(in.bytes);
    free(request);
    return error;
}
