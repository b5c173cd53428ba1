#include "CUSBFS.h"

#include <stdlib.h>
#include <unistd.h>

static int argument_count;
static char **argument_values;

// What the Swift runtime takes from /proc, for a guest that has not mounted it (an early initramfs). Before anything
// else runs, the runtime looks for its crash reporter beside its own library, which a static executable finds through
// /proc/self/exe, and it aborts when it cannot; given a root it does not look. Its argument list comes from
// /proc/self/cmdline. Priority 101 is the first that a program may use: this runs before the runtime's constructors.
__attribute__((constructor(101))) static void process_start(int count, char **values) {
    argument_count = count;
    argument_values = values;
    if (access("/proc/self/exe", F_OK) != 0) setenv("SWIFT_ROOT", "/", 0);
}

int cusbfs_argument_count(void) { return argument_count; }

const char *cusbfs_argument(int index) {
    return index >= 0 && index < argument_count ? argument_values[index] : "";
}
