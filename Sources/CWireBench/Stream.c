#define _GNU_SOURCE
#include "CWireBench.h"
#include "internal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

int cwb_pair(int *guest, int *host) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return errno;
    *guest = ends[0];
    *host = ends[1];
    return 0;
}

int cwb_connect(const char *path, int *guest) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno;
    // A host that falls silent is an error of the run, not its end.
    struct timeval patience = {.tv_sec = 10};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        int error = errno;
        close(fd);
        return error;
    }
    *guest = fd;
    return 0;
}

int read_all(int fd, void *bytes, size_t count) {
    while (count > 0) {
        ssize_t got = recv(fd, bytes, count, MSG_WAITALL);
        if (got == 0) return EPIPE;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        bytes = (uint8_t *)bytes + got;
        count -= got;
    }
    return 0;
}

int write_all(int fd, const void *bytes, size_t count) {
    while (count > 0) {
        ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return errno;
        bytes = (const uint8_t *)bytes + sent;
        count -= sent;
    }
    return 0;
}

int exchange_hello(int fd) {
    uint8_t hello[short_header + hello_body] = {0};
    put32(hello + 4, hello_body);
    memcpy(hello + short_header, "benchmark", 9);
    put32(hello + short_header + 64, capabilities);
    int error = write_all(fd, hello, sizeof hello);
    if (!error) error = read_all(fd, hello, short_header);
    if (error) return error;
    uint32_t length = get32(hello + 4);
    if (get32(hello) != type_hello || length < 64 || length > hello_body) return EPROTO;
    return read_all(fd, hello + short_header, length);
}
