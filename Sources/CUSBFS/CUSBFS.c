#define _GNU_SOURCE
#include "CUSBFS.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

// The 64-bit kernel ABI: a header that disagrees must not compile.
#if defined(__LP64__)
_Static_assert(sizeof(struct usbdevfs_urb) == 56, "usbdevfs_urb");
_Static_assert(offsetof(struct usbdevfs_urb, status) == 4, "usbdevfs_urb.status");
_Static_assert(offsetof(struct usbdevfs_urb, flags) == 8, "usbdevfs_urb.flags");
_Static_assert(offsetof(struct usbdevfs_urb, buffer) == 16, "usbdevfs_urb.buffer");
_Static_assert(offsetof(struct usbdevfs_urb, buffer_length) == 24, "usbdevfs_urb.buffer_length");
_Static_assert(offsetof(struct usbdevfs_urb, actual_length) == 28, "usbdevfs_urb.actual_length");
_Static_assert(offsetof(struct usbdevfs_urb, usercontext) == 48, "usbdevfs_urb.usercontext");
_Static_assert(sizeof(struct usbdevfs_ctrltransfer) == 24, "usbdevfs_ctrltransfer");
_Static_assert(offsetof(struct usbdevfs_ctrltransfer, wLength) == 6, "usbdevfs_ctrltransfer.wLength");
_Static_assert(offsetof(struct usbdevfs_ctrltransfer, timeout) == 8, "usbdevfs_ctrltransfer.timeout");
_Static_assert(offsetof(struct usbdevfs_ctrltransfer, data) == 16, "usbdevfs_ctrltransfer.data");
#endif
_Static_assert(sizeof(struct usbdevfs_getdriver) == 260, "usbdevfs_getdriver");
_Static_assert(sizeof(struct usbdevfs_disconnect_claim) == 264, "usbdevfs_disconnect_claim");

static int checked(int result) { return result < 0 ? -errno : result; }

int cusbfs_claim(int fd, unsigned int interface_number) {
    return checked(ioctl(fd, USBDEVFS_CLAIMINTERFACE, &interface_number));
}

int cusbfs_release(int fd, unsigned int interface_number) {
    return checked(ioctl(fd, USBDEVFS_RELEASEINTERFACE, &interface_number));
}

int cusbfs_disconnect_claim(int fd, unsigned int interface_number) {
    struct usbdevfs_disconnect_claim request = {
        .interface = interface_number, .flags = USBDEVFS_DISCONNECT_CLAIM_EXCEPT_DRIVER, .driver = "usbfs"};
    return checked(ioctl(fd, USBDEVFS_DISCONNECT_CLAIM, &request));
}

int cusbfs_get_driver(int fd, unsigned int interface_number, char *name, int capacity) {
    struct usbdevfs_getdriver request = {.interface = interface_number};
    if (capacity < 1) return -EINVAL;
    int result = checked(ioctl(fd, USBDEVFS_GETDRIVER, &request));
    if (result < 0) return result;
    strncpy(name, request.driver, (size_t)capacity - 1);
    name[capacity - 1] = 0;
    return 0;
}

int cusbfs_control(int fd, uint8_t request_type, uint8_t request, uint16_t value, uint16_t index, void *data,
                   uint16_t length, uint32_t timeout_ms) {
    struct usbdevfs_ctrltransfer transfer = {.bRequestType = request_type, .bRequest = request, .wValue = value,
                                             .wIndex = index, .wLength = length, .timeout = timeout_ms, .data = data};
    return checked(ioctl(fd, USBDEVFS_CONTROL, &transfer));
}

int cusbfs_capabilities(int fd, uint32_t *capabilities) {
    return checked(ioctl(fd, USBDEVFS_GET_CAPABILITIES, capabilities));
}

int cusbfs_submit_bulk(int fd, struct usbdevfs_urb *urb, uint8_t endpoint, void *buffer, int length, unsigned int flags,
                       void *context) {
    memset(urb, 0, sizeof *urb);
    urb->type = USBDEVFS_URB_TYPE_BULK;
    urb->endpoint = endpoint;
    urb->flags = flags;
    urb->buffer = buffer;
    urb->buffer_length = length;
    urb->usercontext = context;
    return checked(ioctl(fd, USBDEVFS_SUBMITURB, urb));
}

int cusbfs_reap(int fd, struct usbdevfs_urb **urb) {
    void *reaped = NULL;
    int result = checked(ioctl(fd, USBDEVFS_REAPURBNDELAY, &reaped));
    if (result < 0) return result;
    *urb = reaped;
    return 1;
}

int cusbfs_discard(int fd, struct usbdevfs_urb *urb) { return checked(ioctl(fd, USBDEVFS_DISCARDURB, urb)); }

int cusbfs_uevent_socket(void) {
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
    if (fd < 0) return -errno;
    // Group 1 is the kernel's own multicast; udev's (2) needs udevd.
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int cusbfs_uevent_receive(int fd, void *buffer, int capacity) {
    struct sockaddr_nl sender = {0};
    socklen_t length = sizeof sender;
    ssize_t count = recvfrom(fd, buffer, (size_t)capacity, 0, (struct sockaddr *)&sender, &length);
    if (count < 0) return -errno;
    // Any local process may unicast to a netlink socket; only port 0 is the kernel.
    return sender.nl_pid == 0 ? (int)count : 0;
}

int cusbfs_eventfd(void) { return checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int cusbfs_eventfd_signal(int fd) { return checked(eventfd_write(fd, 1)); }

int cusbfs_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }
