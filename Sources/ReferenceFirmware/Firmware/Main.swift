import _Volatile

/// The board's serial port: the other end of USB-char.
enum SerialPort {
    #if F103
    private static let status = Register(0x4001_3800), data = Register(0x4001_3804)
    private static let rate = Register(0x4001_3808), control = Register(0x4001_380C)

    static func start() {
        // PA9 is driven by the port.
        Register(0x4001_0804).value = 0x4444_44B4
        rate.value = 625
        control.value = 0x200C
    }

    static func send(_ byte: UInt8) { data.value = UInt32(byte) }
    static var received: UInt8 { UInt8(truncatingIfNeeded: data.value) }
    #else
    private static let status = Register(0x4001_381C), transmitData = Register(0x4001_3828)
    private static let receiveData = Register(0x4001_3824)
    private static let rate = Register(0x4001_380C), control = Register(0x4001_3800)

    static func start() {
        // PA9 and PA10 are the port's: alternate function 1.
        Register(0x4800_0024).value |= 0x110
        Register(0x4800_0000).value = Register(0x4800_0000).value & ~0x003C_0000 | 0x0028_0000
        rate.value = 417
        control.value = 0xD
    }

    static func send(_ byte: UInt8) { transmitData.value = UInt32(byte) }
    static var received: UInt8 { UInt8(truncatingIfNeeded: receiveData.value) }
    #endif

    static var canSend: Bool { status.value & 0x80 != 0 }
    static var hasByte: Bool { status.value & 0x20 != 0 }
}

@c(firmware_start)
func start() -> Never {
    // Nothing starts with another value than 0: there is no .data.
    for address in stride(from: UInt(0x2000_0000), to: 0x2000_1000, by: 4) {
        VolatileMappedRegister<UInt32>(unsafeBitPattern: address).store(0)
    }
    startClocks()
    SerialPort.start()
    ControlPipe.setFirstLineCoding()
    var control = ControlPipe()
    var pipes = DataPipes()
    Controller.attach()
    while true {
        let status = Controller.status.value
        if status & 0x0400 != 0 {
            Controller.status.value = ~0x0400
            control.reset()
            pipes.reset()
        } else if status & 0x0800 != 0 {
            Controller.status.value = ~0x0800
            Controller.control.value |= 8
        } else if status & 0x1000 != 0 {
            Controller.status.value = ~0x1000
            Controller.control.value &= ~8
        } else if status & 0x8000 != 0 {
            if status & 15 != 0 {
                pipes.transferred(UInt(status & 15))
            } else if control.serve() {
                pipes.configure()
            }
        }
        pipes.poll()
        #if USB_CHAR
        if SerialPort.hasByte { pipes.toHost.put(SerialPort.received) }
        if pipes.fromHost.count > 0, SerialPort.canSend { SerialPort.send(pipes.fromHost.take()) }
        #endif
    }
}

@c(firmware_fault)
func fault() -> Never { while true {} }
