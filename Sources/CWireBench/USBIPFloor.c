#include "CWireBench.h"
#include "internal.h"
#include "usbip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { room = 4 << 20 };

int cwb_usbip_listen(uint16_t *port, int *listener) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno;
    if (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 16) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        int error = errno;
        close(fd);
        return error;
    }
    *port = ntohs(address.sin_port);
    *listener = fd;
    return 0;
}

static int import_device(int fd) {
    uint8_t request[op_header + bus_id], reply[op_header + device_record] = {0};
    int error = read_all(fd, request, sizeof request);
    if (error) return error;
    if (get16be(request) != usbip_version || get16be(request + 2) != op_request_import) return EPROTO;
    put16be(reply, usbip_version);
    put16be(reply + 2, op_reply_import);
    uint8_t *record = reply + op_header;
    memcpy(record + record_bus_id, request + op_header, bus_id);
    put32be(record + record_bus_number, 1);
    put32be(record + record_device_number, 2);
    return write_all(fd, reply, sizeof reply);
}

// Bytes that follow the header of a request.
static uint32_t attached(const uint8_t *request) {
    return get32be(request + 12) || get32be(request) != cmd_submit ? 0 : get32be(request + 24);
}

// Writes the answer to the request at `request`; returns its size.
static size_t answer(const uint8_t *request, uint8_t *reply) {
    uint32_t in = get32be(request + 12), control = get32be(request + 16) == 0, length = get32be(request + 24);
    if (control && in && length > 18) length = 18;
    memset(reply, 0, urb_header);
    put32be(reply, ret_submit);
    memcpy(reply + 4, request + 4, 4);
    put32be(reply + 24, length);
    if (!in) return urb_header;
    memset(reply + urb_header, 0xa5, length);
    return urb_header + length;
}

static int serve_one_by_one(int fd, uint8_t *in, uint8_t *out) {
    for (;;) {
        int error = read_all(fd, in, urb_header);
        if (error) return error;
        if (get32be(in + 24) > largest_urb) return EPROTO;
        if (attached(in)) error = read_all(fd, in + urb_header, attached(in));
        if (!error) error = write_all(fd, out, answer(in, out));
        if (error) return error;
    }
}

static int serve_batched(int fd, uint8_t *in, uint8_t *out) {
    for (size_t held = 0;;) {
        ssize_t got = recv(fd, in + held, room - held, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return got == 0 ? EPIPE : errno;
        held += got;
        size_t at = 0, ready = 0;
        int error = 0;
        while (held - at >= urb_header && !error) {
            if (get32be(in + at + 24) > largest_urb) return EPROTO;
            size_t size = urb_header + attached(in + at);
            if (held - at < size) break;
            ready += answer(in + at, out + ready);
            at += size;
            if (ready < room - largest_urb - urb_header) continue;
            error = write_all(fd, out, ready);
            ready = 0;
        }
        if (!error) error = write_all(fd, out, ready);
        if (error) return error;
        held -= at;
        memmove(in, in + at, held);
    }
}

int cwb_usbip_serve(int listener, int batched) {
    int fd = accept(listener, NULL, NULL), one = 1;
    if (fd < 0) return errno;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    uint8_t *in = malloc(room), *out = malloc(room);
    int error = in && out ? import_device(fd) : ENOMEM;
    if (!error) error = batched ? serve_batched(fd, in, out) : serve_one_by_one(fd, in, out);
    free(in);
    free(out);
    close(fd);
    // The importer leaves when it has measured, perhaps with something unread.
    return error == EPIPE || error == ECONNRESET ? 0 : error;
}
