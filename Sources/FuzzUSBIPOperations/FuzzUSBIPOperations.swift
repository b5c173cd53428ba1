// libFuzzer over the codec of USB/IP's op phase. In the manifest only with FUZZ set, since it needs clang's fuzzer runtime:
//
//   FUZZ=1 swift build --scratch-path .build/fuzz --product FuzzUSBIPOperations && mkdir -p .build/fuzz/usbip-operations &&
//   .build/fuzz/debug/FuzzUSBIPOperations -runs=10000000 -max_len=4096 .build/fuzz/usbip-operations Tests/Fixtures/usbip-corpus/operations
//
// With SWIFT_BACKTRACE=enable=no in the environment libFuzzer keeps the input of a crash; add -c release for speed. New
// inputs go to the first directory. A crash leaves its input in the working directory; give it as the only argument
// to see it again, and add it to Tests/Fixtures/usbip-corpus once it is understood.
import Foundation
import USBIPTestKit

/// libFuzzer calls this for each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    let fault = OperationFuzz.run(UnsafeBufferPointer(start: bytes, count: size))
    if let fault {
        // The only way to tell libFuzzer is to crash.
        try? FileHandle.standardError.write(contentsOf: Data("\(fault)\n".utf8))
        abort()
    }
    return 0
}

typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>, _ arguments: UnsafeMutablePointer<Arguments>,
    _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// The package manager makes this symbol `main`, in place of libFuzzer's own.
@_cdecl("FuzzUSBIPOperations_main")
public func fuzz(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32 {
    var count = count
    var arguments = arguments
    return runDriver(&count, &arguments, testOneInput)
}
