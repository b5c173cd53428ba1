// The kernel calls that Swift cannot spell: usbfs requests (variadic ioctl, _IOR macros) and the uevent socket.
// Every function answers 0 or more, or the negative errno of the failed call.
#ifndef CUSBFS_H
#define CUSBFS_H

#include <linux/usbdevice_fs.h>
#include <stdint.h>

int cusbfs_claim(int fd, unsigned int interface_number);
int cusbfs_release(int fd, unsigned int interface_number);

/// Takes the interface from any kernel driver except usbfs itself, and claims it in one step.
int cusbfs_disconnect_claim(int fd, unsigned int interface_number);

/// Writes the NUL terminated name of the driver bound to the interface; capacity counts the NUL. -ENODATA: none.
int cusbfs_get_driver(int fd, unsigned int interface_number, char *name, int capacity);

/// One blocking control transfer; answers the number of bytes in the data stage.
int cusbfs_control(int fd, uint8_t request_type, uint8_t request, uint16_t value, uint16_t index, void *data,
                   uint16_t length, uint32_t timeout_ms);

/// USBDEVFS_CAP_* bits.
int cusbfs_capabilities(int fd, uint32_t *capabilities);

/// Fills in and submits a bulk request; the urb and the buffer stay the kernel's until the urb is reaped.
int cusbfs_submit_bulk(int fd, struct usbdevfs_urb *urb, uint8_t endpoint, void *buffer, int length, unsigned int flags,
                       void *context);

/// Answers 1 with *urb set, or -EAGAIN when nothing has completed.
int cusbfs_reap(int fd, struct usbdevfs_urb **urb);
int cusbfs_discard(int fd, struct usbdevfs_urb *urb);

/// A non-blocking socket that receives the kernel's uevents.
int cusbfs_uevent_socket(void);

/// One kernel uevent; messages that did not come from the kernel answer 0. -ENOBUFS: some were lost.
int cusbfs_uevent_receive(int fd, void *buffer, int capacity);

/// A non-blocking eventfd; cusbfs_eventfd_signal makes it readable for ever.
int cusbfs_eventfd(void);
int cusbfs_eventfd_signal(int fd);

/// A pipe that no other program inherits; answers 0, or -1 with errno.
int cusbfs_pipe(int ends[2]);

/// The program's own arguments, the name first, also where /proc is not mounted.
int cusbfs_argument_count(void);
const char *cusbfs_argument(int index);

#endif
