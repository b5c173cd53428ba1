/// Images of our own for the emulated chips, in Embedded Swift: sources in `Firmware`, built by `Firmware/build`, kept in
/// `Images` as they come out of it, byte for byte.
public enum ReferenceFirmware: String, CaseIterable, Sendable {
    /// The byte device of 2010; its other end is the board's serial port USART1.
    case usbCharSTM32F072 = "usb-char-stm32f072"
    case usbCharSTM32F103 = "usb-char-stm32f103"
    /// A CDC-ACM port that sends back what it is sent.
    case serialEchoSTM32F072 = "cdc-echo-stm32f072"
    case serialEchoSTM32F103 = "cdc-echo-stm32f103"

    /// The ELF file.
    public var image: [UInt8] {
        switch self {
        case .usbCharSTM32F072: PackageResources.usb_char_stm32f072_elf
        case .usbCharSTM32F103: PackageResources.usb_char_stm32f103_elf
        case .serialEchoSTM32F072: PackageResources.cdc_echo_stm32f072_elf
        case .serialEchoSTM32F103: PackageResources.cdc_echo_stm32f103_elf
        }
    }

    /// The chip that the image is for, as a board is named.
    public var board: String {
        switch self {
        case .usbCharSTM32F072, .serialEchoSTM32F072: "stm32f072"
        case .usbCharSTM32F103, .serialEchoSTM32F103: "stm32f103"
        }
    }
}
