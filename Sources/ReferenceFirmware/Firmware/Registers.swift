import _Volatile

/// A 32-bit register of the chip.
struct Register {
    let address: UInt

    init(_ address: UInt) { self.address = address }

    var value: UInt32 {
        get { VolatileMappedRegister<UInt32>(unsafeBitPattern: address).load() }
        nonmutating set { VolatileMappedRegister<UInt32>(unsafeBitPattern: address).store(newValue) }
    }

    func wait(for mask: UInt32, toBe wanted: UInt32) { while value & mask != wanted {} }
}

enum RCC {
    static let control = Register(0x4002_1000), configuration = Register(0x4002_1004)
    static let ahb = Register(0x4002_1014), apb2 = Register(0x4002_1018), apb1 = Register(0x4002_101C)
    static let control2 = Register(0x4002_1034)
    static let flashAccess = Register(0x4002_2000)
}

#if F103
let uniqueID: UInt = 0x1FFF_F7E8
#else
let uniqueID: UInt = 0x1FFF_F7AC
#endif

/// 48 MHz for the USB controller, and clocks for it, GPIO port A and USART1.
func startClocks() {
    #if F103
    // 72 MHz from an 8 MHz crystal; USB takes two thirds of it.
    RCC.control.value |= 1 << 16
    RCC.control.wait(for: 1 << 17, toBe: 1 << 17)
    RCC.flashAccess.value = 0x12
    RCC.configuration.value = 7 << 18 | 1 << 16 | 4 << 8
    RCC.control.value |= 1 << 24
    RCC.control.wait(for: 1 << 25, toBe: 1 << 25)
    RCC.configuration.value |= 2
    RCC.configuration.wait(for: 0xC, toBe: 0x8)
    RCC.apb2.value |= 1 << 2 | 1 << 14
    #else
    RCC.control2.value |= 1 << 16
    RCC.control2.wait(for: 1 << 17, toBe: 1 << 17)
    RCC.flashAccess.value = 0x11
    RCC.configuration.value = 3
    RCC.configuration.wait(for: 0xC, toBe: 0xC)
    RCC.ahb.value |= 1 << 17
    RCC.apb2.value |= 1 << 14
    #endif
    RCC.apb1.value |= 1 << 23
}
