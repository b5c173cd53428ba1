import Foundation
import GuestLab

/// The firmware that both emulators run: LCG fill, CRC-32, copy, quicksort, a hash with a `switch`; SysTick interrupts
/// and GPIO writes on the way, BKPT at the end. Compiled with Debian's `gcc-arm-none-eabi` when it is wanted.
struct EmulatorWorkload: Sendable {
    enum Core: String, CaseIterable, Sendable {
        case cortexM0 = "cortex-m0", cortexM3 = "cortex-m3"
    }

    static let flashBase: UInt32 = 0x0800_0000, flashSize: UInt32 = 128 << 10
    static let ramBase: UInt32 = 0x2000_0000, ramSize: UInt32 = 20 << 10
    /// Where the firmware leaves what it computed, between its variables and its stack.
    static let resultAddress: UInt32 = 0x2000_4000

    let core: Core
    /// Flash from its first byte: the segments of the ELF file by their physical addresses.
    let image: [UInt8]

    init(core: Core, rounds: Int) throws {
        self.core = core
        let folder = try ScratchDirectory("2virt-emulator")
        defer {
            do { try folder.remove() } catch { FileHandle.standardError.write(Data("\(folder.path): \(error)\n".utf8)) }
        }
        try Data(Self.source.utf8).write(to: URL(filePath: folder.path + "/work.c"))
        try Data(Self.layout.utf8).write(to: URL(filePath: folder.path + "/work.ld"))
        try Self.run([
            "arm-none-eabi-gcc", "-mcpu=\(core.rawValue)", "-mthumb", "-O2", "-ffreestanding", "-nostdlib",
            "-fno-tree-loop-distribute-patterns", "-DROUNDS=\(rounds)", "-T", folder.path + "/work.ld",
            folder.path + "/work.c", "-lgcc", "-o", folder.path + "/work.elf",
        ])
        try Self.run([
            "arm-none-eabi-objcopy", "-O", "binary", folder.path + "/work.elf", folder.path + "/work.bin",
        ])
        image = [UInt8](try Data(contentsOf: URL(filePath: folder.path + "/work.bin")))
    }

    private static func run(_ command: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchmarkError.environment(
                "\(command[0]) ended with \(process.terminationStatus): install gcc-arm-none-eabi")
        }
    }

    private static let layout = """
        ENTRY(reset)
        MEMORY { FLASH (rx): ORIGIN = 0x08000000, LENGTH = 128K  RAM (rwx): ORIGIN = 0x20000000, LENGTH = 20K }
        SECTIONS {
            .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) . = ALIGN(4); } > FLASH
            _sidata = LOADADDR(.data);
            .data : { _sdata = .; *(.data*) . = ALIGN(4); _edata = .; } > RAM AT > FLASH
            .bss : { _sbss = .; *(.bss*) *(COMMON) . = ALIGN(4); _ebss = .; } > RAM
            _estack = ORIGIN(RAM) + LENGTH(RAM);
        }
        """

    private static let source = #"""
        typedef unsigned char u8; typedef unsigned int u32;
        #define N 1024
        #define R(a) (*(volatile u32 *)(a))
        static u32 data[N], copy[N], table[256], seed = 12345;
        static u8 bytes[2048];
        volatile u32 ticks;
        static u32 lcg(void) { return seed = seed * 1664525u + 1013904223u; }
        static void prepare(void) {
            for (u32 i = 0; i < 256; i++) {
                u32 c = i;
                for (int k = 0; k < 8; k++) c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
                table[i] = c;
            }
        }
        static u32 crc(const u8 *p, u32 n) { u32 c = ~0u; while (n--) c = table[(c ^ *p++) & 255] ^ (c >> 8); return ~c; }
        static void sort(u32 *a, int lo, int hi) {
            while (lo < hi) {
                u32 p = a[(lo + hi) / 2];
                int i = lo, j = hi;
                while (i <= j) {
                    while (a[i] < p) i++;
                    while (a[j] > p) j--;
                    if (i <= j) { u32 t = a[i]; a[i] = a[j]; a[j] = t; i++; j--; }
                }
                if (j - lo < hi - i) { sort(a, lo, j); lo = i; } else { sort(a, i, hi); hi = j; }
            }
        }
        static u32 hash(const u8 *p, u32 n) {
            u32 h = 5381;
            for (u32 i = 0; i < n; i++) {
                u8 b = p[i];
                switch (b & 7) {
                case 0: h += b; break;
                case 1: h ^= b << 3; break;
                case 2: h = (h << 5) + h; break;
                case 3: h -= b * 7; break;
                case 4: h ^= h >> 11; break;
                case 5: h += h << 3; break;
                case 6: h = ~h; break;
                default: h *= 31;
                }
            }
            return h;
        }
        static u32 work(u32 rounds) {
            u32 sum = 0;
            prepare();
            for (u32 r = 0; r < rounds; r++) {
                for (int i = 0; i < N; i++) data[i] = lcg();
                for (int i = 0; i < 2048; i++) bytes[i] = lcg() >> 24;
                sum ^= crc(bytes, 2048);
                for (int i = 0; i < N; i++) copy[i] = data[i];
                sort(copy, 0, N - 1);
                for (int i = 1; i < N; i++) if (copy[i - 1] > copy[i]) sum++;
                sum += copy[r & (N - 1)];
                sum ^= hash(bytes, 2048);
                R(0x48000018) = sum & 1 ? 1 : 1 << 16;
            }
            return sum;
        }
        extern u32 _estack, _sdata, _edata, _sidata, _sbss, _ebss;
        void reset(void);
        void tick(void) { ticks++; R(0x48000014) ^= 2; }
        void fault(void) { for (;;) __asm volatile("bkpt 1"); }
        __attribute__((section(".vectors"), used)) void *const vectors[16] = {&_estack, reset, fault, fault, [15] = tick};
        void reset(void) {
            for (u32 *to = &_sdata, *from = &_sidata; to < &_edata;) *to++ = *from++;
            for (u32 *to = &_sbss; to < &_ebss;) *to++ = 0;
            R(0xE000E014) = 48000 - 1;
            R(0xE000E018) = 0;
            R(0xE000E010) = 7;
            R(0x20004000) = work(ROUNDS);
            for (;;) __asm volatile("bkpt 0");
        }
        """#
}
