// libFuzzer over the codec of USB/IP's op phase; corpus: Tests/Fixtures/usbip-corpus/operations. How it is built and run: FuzzDriver.
import FuzzKit
import USBIPTestKit

/// libFuzzer calls this for each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    FuzzDriver.judge(OperationFuzz.run(UnsafeBufferPointer(start: bytes, count: size)))
}

/// The package manager makes this symbol `main`, in place of libFuzzer's own.
@_cdecl("FuzzUSBIPOperations_main")
public func fuzz(_ count: Int32, _ arguments: FuzzDriver.Arguments) -> Int32 {
    FuzzDriver.run(count, arguments, testOneInput)
}
