// libFuzzer over firmware images: loaders, CPU, peripherals and bus; corpus: Tests/Fixtures/firmware-corpus. How it is built
// and run: FuzzDriver.
import FirmwareTestKit
import FuzzKit

/// libFuzzer calls this for each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    FuzzDriver.judge(FirmwareFuzz.run(UnsafeBufferPointer(start: bytes, count: size)))
}

/// The package manager makes this symbol `main`, in place of libFuzzer's own.
@_cdecl("FuzzFirmwareImages_main")
public func fuzz(_ count: Int32, _ arguments: FuzzDriver.Arguments) -> Int32 {
    FuzzDriver.run(count, arguments, testOneInput)
}
