#if USB_CHAR
/// One vendor-specific interface with a pipe each way: bytes, as in 2010.
let deviceDescriptor: InlineArray<18, UInt8> = [18, 1, 0, 2, 0, 0, 0, 64, 0x09, 0x12, 0x20, 0, 0, 1, 1, 2, 3, 1]
let configurationDescriptor: InlineArray<32, UInt8> = [
    9, 2, 32, 0, 1, 1, 0, 0x80, 50,
    9, 4, 0, 0, 2, 0xFF, 0xFF, 0xFF, 0,
    7, 5, 0x81, 2, 64, 0, 0,
    7, 5, 0x02, 2, 64, 0, 0,
]
let product: StaticString = "USB-char"
#else
/// CDC-ACM: a control interface and a data interface.
let deviceDescriptor: InlineArray<18, UInt8> = [18, 1, 0, 2, 2, 0, 0, 64, 0x09, 0x12, 0x21, 0, 0, 1, 1, 2, 3, 1]
let configurationDescriptor: InlineArray<67, UInt8> = [
    9, 2, 67, 0, 2, 1, 0, 0x80, 50,
    9, 4, 0, 0, 1, 2, 2, 1, 0,
    5, 0x24, 0, 0x10, 1,
    5, 0x24, 1, 0, 1,
    4, 0x24, 2, 2,
    5, 0x24, 6, 0, 1,
    7, 5, 0x83, 3, 8, 0, 16,
    9, 4, 1, 0, 2, 10, 0, 0, 0,
    7, 5, 0x81, 2, 64, 0, 0,
    7, 5, 0x02, 2, 64, 0, 0,
]
let product: StaticString = "CDC-ACM echo"
#endif

let manufacturer: StaticString = "2Virt"
