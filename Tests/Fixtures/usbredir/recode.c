// Reads one side's usbredir stream with libusbredirparser and writes the same packets with it again.
//
//   cc -o recode recode.c -lusbredirparser
//   recode host|guest CAPABILITIES < stream > stream
//
// The test compares both streams: what our encoder writes is what the library reads, and what it would write.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <usbredirfilter.h>
#include <usbredirparser.h>

static struct usbredirparser *reader, *writer;
static uint8_t greeting[256];
static int greeting_length, greeting_read, failed;

static void complain(void *context, int level, const char *text) {
    (void)context;
    if (level <= usbredirparser_warning) {
        fprintf(stderr, "%s\n", text);
        failed = 1;
    }
}

static int read_input(void *context, uint8_t *data, int count) {
    (void)context;
    int got = read(0, data, count);
    return got == 0 ? -2 : got;
}

static int write_output(void *context, uint8_t *data, int count) {
    (void)context;
    return write(1, data, count);
}

// The reader's hello is what the writer hears of its peer.
static int keep_greeting(void *context, uint8_t *data, int count) {
    (void)context;
    if (greeting_length + count > (int)sizeof greeting) return -1;
    memcpy(greeting + greeting_length, data, count);
    greeting_length += count;
    return count;
}

static int read_greeting(void *context, uint8_t *data, int count) {
    (void)context;
    int left = greeting_length - greeting_read;
    if (left == 0) return 0;
    if (count > left) count = left;
    memcpy(data, greeting + greeting_read, count);
    greeting_read += count;
    return count;
}

static void no_hello(void *context, struct usb_redir_hello_header *header) {
    (void)context;
    (void)header;
}

#define PLAIN(NAME) \
    static void on_##NAME(void *context) { (void)context; usbredirparser_send_##NAME(writer); }
#define WITH_HEADER(NAME) \
    static void on_##NAME(void *context, struct usb_redir_##NAME##_header *header) { \
        (void)context; \
        usbredirparser_send_##NAME(writer, header); \
    }
#define WITH_ID(NAME) \
    static void on_##NAME(void *context, uint64_t id) { (void)context; usbredirparser_send_##NAME(writer, id); }
#define WITH_ID_AND_HEADER(NAME) \
    static void on_##NAME(void *context, uint64_t id, struct usb_redir_##NAME##_header *header) { \
        (void)context; \
        usbredirparser_send_##NAME(writer, id, header); \
    }
#define WITH_DATA(NAME) \
    static void on_##NAME( \
        void *context, uint64_t id, struct usb_redir_##NAME##_header *header, uint8_t *data, int length) { \
        (void)context; \
        usbredirparser_send_##NAME(writer, id, header, data, length); \
        usbredirparser_free_packet_data(reader, data); \
    }

WITH_HEADER(device_connect)
PLAIN(device_disconnect)
PLAIN(reset)
WITH_HEADER(interface_info)
WITH_HEADER(ep_info)
WITH_ID_AND_HEADER(set_configuration)
WITH_ID(get_configuration)
WITH_ID_AND_HEADER(configuration_status)
WITH_ID_AND_HEADER(set_alt_setting)
WITH_ID_AND_HEADER(get_alt_setting)
WITH_ID_AND_HEADER(alt_setting_status)
WITH_ID_AND_HEADER(start_iso_stream)
WITH_ID_AND_HEADER(stop_iso_stream)
WITH_ID_AND_HEADER(iso_stream_status)
WITH_ID_AND_HEADER(start_interrupt_receiving)
WITH_ID_AND_HEADER(stop_interrupt_receiving)
WITH_ID_AND_HEADER(interrupt_receiving_status)
WITH_ID_AND_HEADER(alloc_bulk_streams)
WITH_ID_AND_HEADER(free_bulk_streams)
WITH_ID_AND_HEADER(bulk_streams_status)
WITH_ID(cancel_data_packet)
PLAIN(filter_reject)
WITH_ID_AND_HEADER(start_bulk_receiving)
WITH_ID_AND_HEADER(stop_bulk_receiving)
WITH_ID_AND_HEADER(bulk_receiving_status)
WITH_DATA(control_packet)
WITH_DATA(bulk_packet)
WITH_DATA(iso_packet)
WITH_DATA(interrupt_packet)
WITH_DATA(buffered_bulk_packet)

static void on_filter_filter(void *context, struct usbredirfilter_rule *rules, int count) {
    (void)context;
    usbredirparser_send_filter_filter(writer, rules, count);
    free(rules);
}

// The library answers device_disconnect by itself; there is nothing to send one with.
static void on_device_disconnect_ack(void *context) { (void)context; }

int main(int count, char **words) {
    if (count != 3) return 2;
    int host = strcmp(words[1], "host") == 0;
    uint32_t reader_capabilities = strtoul(words[2], NULL, 0), writer_capabilities = reader_capabilities;

    reader = usbredirparser_create();
    reader->log_func = complain;
    reader->read_func = read_input;
    reader->write_func = keep_greeting;
    reader->hello_func = no_hello;
#define HEAR(NAME) reader->NAME##_func = on_##NAME;
    HEAR(device_connect) HEAR(device_disconnect) HEAR(reset) HEAR(interface_info) HEAR(ep_info)
    HEAR(set_configuration) HEAR(get_configuration) HEAR(configuration_status) HEAR(set_alt_setting)
    HEAR(get_alt_setting) HEAR(alt_setting_status) HEAR(start_iso_stream) HEAR(stop_iso_stream)
    HEAR(iso_stream_status) HEAR(start_interrupt_receiving) HEAR(stop_interrupt_receiving)
    HEAR(interrupt_receiving_status) HEAR(alloc_bulk_streams) HEAR(free_bulk_streams) HEAR(bulk_streams_status)
    HEAR(cancel_data_packet) HEAR(filter_reject) HEAR(filter_filter) HEAR(device_disconnect_ack)
    HEAR(start_bulk_receiving) HEAR(stop_bulk_receiving) HEAR(bulk_receiving_status) HEAR(control_packet)
    HEAR(bulk_packet) HEAR(iso_packet) HEAR(interrupt_packet) HEAR(buffered_bulk_packet)
    usbredirparser_init(reader, "2Virt", &reader_capabilities, 1, host ? 0 : usbredirparser_fl_usb_host);
    if (usbredirparser_do_write(reader)) return 1;

    writer = usbredirparser_create();
    writer->log_func = complain;
    writer->read_func = read_greeting;
    writer->write_func = write_output;
    writer->hello_func = no_hello;
    usbredirparser_init(writer, "2Virt", &writer_capabilities, 1, host ? usbredirparser_fl_usb_host : 0);
    if (usbredirparser_do_read(writer)) return 1;

    while (usbredirparser_do_read(reader) == 0) {}
    while (usbredirparser_has_data_to_write(writer)) {
        if (usbredirparser_do_write(writer)) return 1;
    }
    return failed;
}
