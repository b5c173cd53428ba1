#include "CWireBench.h"
#include "internal.h"
#include "usbip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static size_t put_submit(uint8_t *at, uint32_t device, uint8_t endpoint, uint32_t size) {
    int in = endpoint & 0x80;
    memset(at, 0, urb_header + (in ? 0 : size));
    put32be(at, cmd_submit);
    put32be(at + 8, device);
    put32be(at + 12, in ? 1 : 0);
    put32be(at + 16, endpoint & 15);
    put32be(at + 20, in ? 0x200 : 0);
    put32be(at + 24, size);
    return urb_header + (in ? 0 : size);
}

// Sends one control request without OUT data and waits for its success.
static int control(int fd, uint32_t device, const uint8_t *setup) {
    uint32_t length = setup[6] | setup[7] << 8;
    uint8_t bytes[urb_header + 256];
    if (length > 256) return EINVAL;
    size_t size = put_submit(bytes, device, length ? 0x80 : 0, length);
    put32be(bytes + 4, 1);
    memcpy(bytes + 40, setup, 8);
    int error = write_all(fd, bytes, size);
    if (!error) error = read_all(fd, bytes, urb_header);
    if (error) return error;
    uint32_t actual = get32be(bytes + 24);
    if (get32be(bytes) != ret_submit || get32be(bytes + 4) != 1 || get32be(bytes + 20) != 0 || actual > length)
        return EPROTO;
    return actual ? read_all(fd, bytes + urb_header, actual) : 0;
}

static int import_device(int fd, const char *name, uint32_t *device) {
    static const uint8_t set_configuration[8] = {0, 9, 1};
    uint8_t request[op_header + bus_id] = {0}, reply[op_header + device_record];
    if (strlen(name) > bus_id) return EINVAL;
    put16be(request, usbip_version);
    put16be(request + 2, op_request_import);
    memcpy(request + op_header, name, strlen(name));
    int error = write_all(fd, request, sizeof request);
    if (!error) error = read_all(fd, reply, op_header);
    if (error) return error;
    if (get16be(reply) != usbip_version || get16be(reply + 2) != op_reply_import) return EPROTO;
    if (get32be(reply + 4) != 0) return EBUSY;
    error = read_all(fd, reply + op_header, device_record);
    if (error) return error;
    const uint8_t *record = reply + op_header;
    if (memcmp(record + record_bus_id, request + op_header, bus_id) != 0) return EPROTO;
    *device = get32be(record + record_bus_number) << 16 | get32be(record + record_device_number);
    return control(fd, *device, set_configuration);
}

int cwb_usbip_import(uint16_t port, const char *name, int *importer, uint32_t *device) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0) return errno;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    // An exporter that falls silent is an error of the run, not its end.
    struct timeval patience = {.tv_sec = 10};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    int error = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
    if (!error) error = import_device(fd, name, device);
    if (error) {
        close(fd);
        return error;
    }
    *importer = fd;
    return 0;
}

// An exporter's replies as they come in.
struct replies {
    uint8_t *bytes;
    size_t held;
    // Data of the last reply that has not come in yet.
    size_t skip;
    // Of the reply that is due.
    uint32_t sequence;
};

enum { reply_room = 1 << 20 };

// Reads once and counts the replies that have ended; each must be the next in order and do what was asked.
static int read_replies(int fd, struct replies *in, uint8_t endpoint, uint32_t size, uint64_t *count) {
    ssize_t got;
    do got = recv(fd, in->bytes + in->held, reply_room - in->held, 0);
    while (got < 0 && errno == EINTR);
    if (got <= 0) return got == 0 ? EPIPE : errno;
    in->held += got;
    size_t at = 0;
    for (;;) {
        if (in->skip > 0) {
            size_t part = in->held - at < in->skip ? in->held - at : in->skip;
            at += part;
            in->skip -= part;
            if (in->skip > 0) break;
            *count += 1;
        }
        if (in->held - at < urb_header) break;
        const uint8_t *reply = in->bytes + at;
        if (get32be(reply) != ret_submit || get32be(reply + 4) != in->sequence || get32be(reply + 20) != 0 ||
            get32be(reply + 24) != size)
            return EPROTO;
        in->sequence++;
        at += urb_header;
        in->skip = endpoint & 0x80 ? size : 0;
        if (in->skip == 0) *count += 1;
    }
    in->held -= at;
    memmove(in->bytes, in->bytes + at, in->held);
    return 0;
}

int cwb_usbip_load(int fd, uint32_t device, uint8_t endpoint, uint32_t size, uint32_t depth, uint64_t nanoseconds,
                   uint64_t *transfers, uint64_t *elapsed) {
    if (size == 0 || size > largest_urb || depth == 0 || depth > 1024) return EINVAL;
    size_t one = urb_header + (endpoint & 0x80 ? 0 : size);
    struct replies in = {.bytes = malloc(reply_room), .sequence = 100};
    uint8_t *requests = malloc(depth * one);
    uint64_t sent = 0, done = 0, start = now(), end = start + nanoseconds;
    int error = in.bytes && requests ? 0 : ENOMEM, isOver = 0;
    for (uint32_t index = 0; !error && index < depth; index++) put_submit(requests + index * one, device, endpoint, size);
    while (!error) {
        isOver = isOver || now() >= end;
        uint64_t fresh = isOver ? 0 : depth - (sent - done);
        for (uint64_t index = 0; index < fresh; index++) put32be(requests + index * one + 4, 100 + (uint32_t)sent++);
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

int cwb_usbip_round_trips(int fd, uint32_t device, uint8_t endpoint, uint32_t size, uint64_t nanoseconds,
                          uint32_t *trips, size_t room, size_t *count) {
    if (size > largest_urb) return EINVAL;
    static const uint8_t get_device_descriptor[8] = {0x80, 6, 0, 1, 0, 0, 18, 0};
    struct replies in = {.bytes = malloc(reply_room), .sequence = 100};
    uint8_t *request = malloc(urb_header + size);
    int error = in.bytes && request ? 0 : ENOMEM;
    size_t length = error ? 0 : put_submit(request, device, endpoint, size);
    if (!error && !(endpoint & 15)) memcpy(request + 40, get_device_descriptor, 8);
    uint64_t start = now(), done = 0;
    *count = 0;
    for (uint64_t before = start; !error && before - start < nanoseconds && *count < room;) {
        put32be(request + 4, in.sequence);
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

int cwb_usbip_flood(int fd, uint32_t device, uint8_t endpoint, uint32_t size, uint64_t nanoseconds, uint64_t *sent) {
    uint8_t request[urb_header];
    if (!(endpoint & 0x80)) return EINVAL;
    size_t length = put_submit(request, device, endpoint, size);
    uint64_t end = now() + nanoseconds;
    for (*sent = 0; now() < end; *sent += 1) {
        put32be(request + 4, 100 + (uint32_t)*sent);
        size_t at = 0;
        while (at < length) {
            ssize_t put = send(fd, request + at, length - at, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (put < 0 && errno == EINTR) continue;
            if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
                struct timespec pause = {.tv_nsec = 1000000};
                // Full: the exporter has stopped reading, as it should.
                if (now() >= end) return 0;
                nanosleep(&pause, NULL);
                continue;
            }
            if (put < 0) return errno;
            at += put;
        }
    }
    return 0;
}
