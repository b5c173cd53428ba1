// Vectors, start-up and output by semihosting, for programs that run on QEMU and on our CPU.
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

extern uint32_t _estack, _sdata, _edata, _sidata, _sbss, _ebss, end;
int main(void);

static int semihost(int operation, const void *argument) {
    register int r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = argument;
    __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void print(const char *text) { semihost(4, text); }

__attribute__((noreturn)) void finish(void) {
    semihost(0x18, (void *)0x20026);
    for (;;) {}
}

void reset(void) {
#ifdef __ARM_FP
    *(volatile uint32_t *)0xE000ED88 = 0xF00000;
    __asm volatile("dsb\nisb");
#endif
    for (uint32_t *to = &_sdata, *from = &_sidata; to < &_edata;) *to++ = *from++;
    for (uint32_t *to = &_sbss; to < &_ebss;) *to++ = 0;
    main();
    finish();
}

__attribute__((weak)) void hard_fault(void) { print("hard fault\n"); finish(); }
__attribute__((weak)) void usage_fault(void) { print("usage fault\n"); finish(); }
__attribute__((weak)) void svc(void) { print("svc?\n"); finish(); }
__attribute__((weak)) void pend_sv(void) { print("pendsv?\n"); finish(); }
__attribute__((weak)) void sys_tick(void) { print("systick?\n"); finish(); }
__attribute__((weak)) void interrupt0(void) { print("interrupt 0?\n"); finish(); }
__attribute__((weak)) void interrupt1(void) { print("interrupt 1?\n"); finish(); }

__attribute__((section(".vectors"), used)) void *const vectors[48] = {
    &_estack, reset, hard_fault, hard_fault, hard_fault, hard_fault, usage_fault,
    [11] = svc, [14] = pend_sv, [15] = sys_tick, [16] = interrupt0, [17] = interrupt1,
};

// What newlib asks for.
int _write(int file, const char *bytes, int count) {
    char text[65];
    (void)file;
    for (int at = 0; at < count;) {
        int length = 0;
        while (length < 64 && at < count) text[length++] = bytes[at++];
        text[length] = 0;
        print(text);
    }
    return count;
}
void *_sbrk(ptrdiff_t more) {
    static char *top;
    if (!top) top = (char *)&end;
    char *old = top;
    top += more;
    return old;
}
int _close(int f) { return -1; }
int _fstat(int f, void *s) { return -1; }
int _isatty(int f) { return 1; }
off_t _lseek(int f, off_t o, int w) { return 0; }
int _read(int f, char *b, int n) { return 0; }
void _exit(int code) { finish(); }
int _kill(int p, int s) { return -1; }
int _getpid(void) { return 1; }
