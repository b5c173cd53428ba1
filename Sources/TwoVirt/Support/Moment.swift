import Foundation

/// Times and amounts as listings show them.
enum Moment {
    /// `2026-11-22 19:45:03`, local time; empty for "never".
    static func absolute(_ seconds: Double) -> String {
        guard seconds > 0, seconds < 253_402_300_800 else { return "" }
        var time = time_t(seconds)
        var parts = tm()
        guard localtime_r(&time, &parts) != nil else { return "" }
        var buffer = [CChar](repeating: 0, count: 32)
        let length = strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S", &parts)
        return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A short span: `0.31 ms`.
    static func milliseconds(_ seconds: Double) -> String {
        guard seconds >= 0, seconds < 1e6 else { return "" }
        return String(format: "%.2f ms", seconds * 1000)
    }

    /// Bytes in powers of 1024: `980`, `12.4k`.
    static func bytes(_ count: UInt64) -> String {
        var value = Double(count)
        if value < 1000 { return "\(count)" }
        for unit in ["k", "M", "G", "T", "P"] {
            value /= 1024
            if value < 999.5 { return String(format: "%.1f", value) + unit }
        }
        return String(format: "%.1fE", value / 1024)
    }
}
