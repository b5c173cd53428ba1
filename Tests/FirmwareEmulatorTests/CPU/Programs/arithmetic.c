// Compiled C of many kinds: 64-bit and floating-point arithmetic, sorting, strings, jumps by table, heap, setjmp.
#include <math.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t seed = 1;
static uint32_t next(void) { return seed = seed * 1664525u + 1013904223u; }
static int ascending(const void *x, const void *y) {
    int32_t a = *(const int32_t *)x, b = *(const int32_t *)y;
    return a < b ? -1 : a > b;
}
static uint32_t choose(uint32_t kind, uint32_t x) {
    switch (kind) {
    case 0: return x + 1;
    case 1: return x * 3;
    case 2: return ~x;
    case 3: return x >> 5 | x << 27;
    case 4: return x / 7;
    case 5: return x % 1000;
    case 6: return (uint32_t)((int32_t)x >> 3);
    case 7: return __builtin_popcount(x);
    case 8: return __builtin_clz(x | 1);
    case 9: return __builtin_bswap32(x);
    default: return (uint32_t)-(int32_t)x;
    }
}
struct record { uint8_t a; uint16_t b; int32_t c; uint64_t d; int8_t e; };
static struct record twist(struct record r) {
    r.a += 3; r.b ^= r.a << 4; r.c -= r.b; r.d = r.d * 1103515245u + (uint64_t)r.c; r.e = (int8_t)(r.d >> 9);
    return r;
}
static jmp_buf place;
static void leave(int depth) { if (depth) leave(depth - 1); else longjmp(place, 42); }
static uint32_t bits(float f) { uint32_t u; memcpy(&u, &f, 4); return u; }

int main(void) {
    uint32_t sum = 0;
    for (int i = 0; i < 400; i++) sum = sum * 31 + choose(next() >> 8 & 15, next());
    printf("choose %08lx\n", (unsigned long)sum);
    int64_t wide = 0x123456789abcdefLL;
    for (int i = 1; i < 60; i++) { wide = wide * 6364136223846793005LL + i; wide ^= wide >> (i & 31); if (i % 7 == 0) wide /= i; }
    printf("wide %08lx%08lx %ld\n", (unsigned long)(wide >> 32), (unsigned long)wide, (long)(wide % 10007));
    static int32_t list[200];
    for (int i = 0; i < 200; i++) list[i] = (int32_t)next();
    qsort(list, 200, sizeof *list, ascending);
    uint32_t order = 0;
    for (int i = 1; i < 200; i++) order += list[i - 1] <= list[i];
    printf("sorted %lu %ld %ld\n", (unsigned long)order, (long)list[0], (long)list[199]);
    struct record r = {1, 2, 3, 4, 5};
    for (int i = 0; i < 50; i++) r = twist(r);
    printf("record %u %u %ld %08lx%08lx %d\n", r.a, r.b, (long)r.c, (unsigned long)(r.d >> 32), (unsigned long)r.d, r.e);
    float f = 1.5f, g = 0.1f;
    for (int i = 1; i < 40; i++) { f = f * g + (float)i / 3.0f; g = sqrtf(f) - (float)(int)f * 0.25f; if (f > g) f -= 0.5f; }
    printf("float %08lx %08lx %d\n", (unsigned long)bits(f), (unsigned long)bits(g), (int)(f * 100));
    double d = 2.0;
    for (int i = 1; i < 20; i++) d = d * 1.1 - 1.0 / i;
    printf("double %ld %d\n", (long)(d * 1000000), d < 3.0);
    char text[80];
    snprintf(text, sizeof text, "%s-%d-%x-%c", "string", -17, 0xbeef, 'z');
    printf("%s %u %d %s\n", text, (unsigned)strlen(text), memcmp(text, "string", 6), strchr(text, 'b'));
    char *heap[8];
    for (int i = 0; i < 8; i++) { heap[i] = malloc(20 + i * 9); memset(heap[i], i + 'a', 19); heap[i][19] = 0; }
    for (int i = 0; i < 8; i += 2) free(heap[i]);
    printf("heap %s\n", heap[5]);
    int code = setjmp(place);
    if (code == 0) leave(5);
    printf("longjmp %d\n", code);
    return 0;
}
