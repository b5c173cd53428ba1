// The exception model as software sees it: SVC, PendSV, priorities, masks, stack frames, the process stack.
#include <stdint.h>
#include <stdio.h>

#define R(a) (*(volatile uint32_t *)(a))
static volatile uint32_t log_[64];
static volatile int count;
static void note(uint32_t value) { if (count < 64) log_[count++] = value; }
static uint32_t ipsr(void) { uint32_t v; __asm volatile("mrs %0, ipsr" : "=r"(v)); return v; }

void svc_body(uint32_t *frame, uint32_t link) {
    note(0x5000000 | ipsr());
    note(link);
    note(((uint16_t *)frame[6])[-1] & 0xff);
    note(frame[7] & 0x1ff);
    frame[0] = frame[0] * 2 + frame[1];
    R(0xE000ED04) = 1 << 28;
    note(0x51);
}
__attribute__((naked)) void svc(void) {
    __asm volatile("mov r1, lr\nmovs r0, #4\ntst r0, r1\nbne 1f\nmrs r0, msp\nb 2f\n1: mrs r0, psp\n2: push {r4, lr}\nbl svc_body\npop {r4, pc}");
}
void pend_sv(void) { note(0x14000000 | ipsr()); }
void interrupt0(void) {
    note(0x100);
    R(0xE000E200) = 2;
    __asm volatile("dsb\nisb");
    note(0x101);
}
void interrupt1(void) { note(0x200 | ipsr()); }
static uint32_t call(uint32_t a, uint32_t b) {
    register uint32_t r0 __asm("r0") = a;
    register uint32_t r1 __asm("r1") = b;
    __asm volatile("svc 0x37" : "+r"(r0) : "r"(r1) : "memory", "r2", "r3", "r12");
    return r0;
}
static uint32_t stack[64];

int main(void) {
    R(0xE000ED1C) = 0x40u << 24;
    R(0xE000ED20) = 0xC0u << 16;
    note(call(20, 3));
    R(0xE000E400) = 0x80 | 0x40 << 8;
    R(0xE000E100) = 3;
    R(0xE000E200) = 1;
    __asm volatile("dsb\nisb");
    note(0x300);
    R(0xE000E400) = 0x40 | 0x80 << 8;
    R(0xE000E200) = 1;
    __asm volatile("dsb\nisb");
    note(0x301);
    __asm volatile("cpsid i");
    R(0xE000E200) = 3;
    __asm volatile("dsb\nisb");
    note(0x302);
    note(R(0xE000E200) & 3);
    __asm volatile("cpsie i\nisb");
    note(0x303);
    R(0xE000E180) = 2;
    R(0xE000E200) = 2;
    __asm volatile("dsb\nisb");
    note(0x304);
    R(0xE000E280) = 2;
    R(0xE000E100) = 2;
    __asm volatile("msr psp, %0\nmovs r3, #2\nmsr control, r3\nisb" : : "r"(stack + 64) : "r3", "memory");
    uint32_t result = call(7, 1);
    __asm volatile("movs r3, #0\nmsr control, r3\nisb" : : : "r3", "memory");
    note(result);
    note(ipsr());
#if __ARM_ARCH >= 7
    __asm volatile("msr basepri, %0\nisb" : : "r"(0x60));
    R(0xE000E200) = 3;
    __asm volatile("dsb\nisb");
    note(0x305);
    __asm volatile("msr basepri, %0\nisb" : : "r"(0));
    note(0x306);
    volatile uint8_t bytes[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    note(*(volatile uint32_t *)(bytes + 1));
    note(*(volatile uint16_t *)(bytes + 3));
    *(volatile uint32_t *)(bytes + 5) = 0xaabbccdd;
    note(*(volatile uint32_t *)(bytes + 4));
    uint32_t word = 5, old, failed;
    __asm volatile("ldrex %0, [%2]\nadd %0, %0, #1\nstrex %1, %0, [%2]" : "=&r"(old), "=&r"(failed) : "r"(&word) : "memory");
    note(word << 8 | failed);
    __asm volatile("clrex\nstrex %0, %1, [%2]" : "=&r"(failed) : "r"(old), "r"(&word) : "memory");
    note(failed);
#endif
    for (int i = 0; i < count; i++) printf("%d %08lx\n", i, (unsigned long)log_[i]);
    return 0;
}
