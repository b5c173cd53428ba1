// Fuzzers are in the manifest only with FUZZ set, since they need clang's fuzzer runtime. For each NAME and its CORPUS:
//
//   FUZZ=1 swift build -c release --sanitize address --scratch-path .build-fuzz --product NAME && mkdir -p .build-fuzz/found &&
//   SWIFT_BACKTRACE=enable=no .build-fuzz/release/NAME -runs=10000000 -max_len=4096 .build-fuzz/found CORPUS
//
// New inputs go to the first directory. Swift's own backtraces would keep libFuzzer from writing down the input of a
// crash. That lands in the working directory; give it as the only argument to see the crash again, and add it to the
// corpus once it is understood.
import Foundation

/// What all fuzzers share: how libFuzzer is entered and told of a fault.
public enum FuzzDriver {
    public typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    public typealias Test = @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32

    /// Hands the command line to libFuzzer, which calls `test` for each input.
    public static func run(_ count: Int32, _ arguments: Arguments, _ test: Test) -> Int32 {
        var count = count
        var arguments = arguments
        return runDriver(&count, &arguments, test)
    }

    /// What `test` returns; the only way to tell libFuzzer of a fault is to crash.
    public static func judge(_ fault: String?) -> Int32 {
        guard let fault else { return 0 }
        FileHandle.standardError.write(Data("\(fault)\n".utf8))
        abort()
    }
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>, _ arguments: UnsafeMutablePointer<FuzzDriver.Arguments>,
    _ test: FuzzDriver.Test
) -> Int32
