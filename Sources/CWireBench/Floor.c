#include "CWireBench.h"
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

// What a batch may hold: several of the largest transfers measured.
enum { batch = 1 << 20, answers = batch + largest_transfer + header + data_header };

// ep_info and interface_info of a device without endpoints, device_connect of one at high speed: the guest that
// measures reads none of it.
static int announce(int fd) {
    uint8_t bytes[3 * header + 160 + 132 + 10] = {0}, *at = bytes;
    put_header(at, type_endpoint_info, 160, 0);
    at += header + 160;
    put_header(at, type_interface_info, 132, 0);
    at += header + 132;
    put_header(at, type_device_connect, 10, 0);
    at[header] = 2;
    return write_all(fd, bytes, sizeof bytes);
}

// Writes the answer to the request whose header is at `request`; returns its size, 0 for a request that is too large.
static size_t answer(const uint8_t *request, uint8_t *reply) {
    uint32_t type = get32(request);
    uint64_t id = get64(request + 8);
    const uint8_t *body = request + header;
    if (type == type_set_configuration) {
        put_header(reply, type_configuration_status, 2, id);
        reply[header] = 0;
        reply[header + 1] = body[0];
        return header + 2;
    }
    int control = type == type_control_packet;
    uint32_t asked = control ? get16(body + 8) : bulk_length(body), data = body[0] & 0x80 ? asked : 0;
    if (control && data > 18) data = 18;
    if (data > largest_transfer) return 0;
    put_header(reply, type, data_header + data, id);
    memcpy(reply + header, body, data_header);
    reply[header + (control ? 3 : 1)] = 0;
    if (control) put16(reply + header + 8, data);
    return header + data_header + data;
}

static int serve_one_by_one(int fd, uint8_t *in, uint8_t *out) {
    for (;;) {
        // After the first packet all that comes has a data header: one read for header and type header.
        int error = read_all(fd, in, header + data_header);
        if (error) return error == EPIPE ? 0 : error;
        uint32_t length = get32(in + 4);
        if (length < data_header || length > data_header + largest_transfer) return EPROTO;
        error = read_all(fd, in + header + data_header, length - data_header);
        if (error) return error;
        size_t size = answer(in, out);
        if (!size) return EPROTO;
        error = write_all(fd, out, size);
        if (error) return error == EPIPE ? 0 : error;
    }
}

static int serve_batched(int fd, uint8_t *in, uint8_t *out) {
    size_t held = 0;
    for (;;) {
        ssize_t got = recv(fd, in + held, 2 * batch - held, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return got == 0 || errno == ECONNRESET ? 0 : errno;
        held += got;
        size_t at = 0, ready = 0;
        while (held - at >= header) {
            uint32_t length = get32(in + at + 4);
            if (length < data_header || length > data_header + largest_transfer) return EPROTO;
            if (held - at < header + length) break;
            size_t size = answer(in + at, out + ready);
            if (!size) return EPROTO;
            ready += size;
            at += header + length;
            if (ready < batch) continue;
            int error = write_all(fd, out, ready);
            if (error) return error == EPIPE ? 0 : error;
            ready = 0;
        }
        int error = write_all(fd, out, ready);
        if (error) return error == EPIPE ? 0 : error;
        held -= at;
        memmove(in, in + at, held);
    }
}

int cwb_serve(int fd, int batched) {
    uint8_t *in = malloc(2 * batch), *out = calloc(1, answers);
    int error = in && out ? exchange_hello(fd) : ENOMEM;
    if (!error) error = announce(fd);
    if (!error) error = read_all(fd, in, header + 1);
    if (!error && (get32(in) != type_set_configuration || get32(in + 4) != 1)) error = EPROTO;
    if (!error) error = write_all(fd, out, answer(in, out));
    if (!error) error = batched ? serve_batched(fd, in, out) : serve_one_by_one(fd, in, out);
    free(in);
    free(out);
    return error;
}
