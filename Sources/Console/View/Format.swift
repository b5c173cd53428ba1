/// Numbers, times and places as short words; every input comes from outside and may be anything.
enum Format {
    /// `value` as a whole number within 0…`limit`; not-a-number is 0.
    static func whole(_ value: Double, limit: Double = 1e15) -> Int {
        guard value > 0 else { return 0 }
        return Int(min(value, limit))
    }

    /// One decimal: `12.4`.
    static func tenths(_ value: Double) -> String {
        let scaled = whole(value * 10 + 0.5)
        return "\(scaled / 10).\(scaled % 10)"
    }

    /// Bytes in at most six columns: `0`, `980`, `12.4k`, `3.0G` (1024 each).
    static func bytes(_ value: Double) -> String {
        var value = value.isNaN ? 0 : max(0, value)
        if value < 999.5 { return String(whole(value + 0.5)) }
        for unit in ["k", "M", "G", "T", "P"] {
            value /= 1024
            if value < 999.5 { return tenths(value) + unit }
        }
        return ">999P"
    }

    /// A rate with its unit for running text: `398.0 KiB/s`.
    static func rate(_ value: Double) -> String {
        let short = bytes(value)
        guard let unit = short.last, !unit.isNumber else { return short + " B/s" }
        return "\(short.dropLast()) \(unit == "k" ? "K" : String(unit))iB/s"
    }

    /// Thin groups of three: `65 536`.
    static func grouped(_ value: some BinaryInteger) -> String {
        let digits = Array(String(value))
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0, digits[index - 1] != "-" { result.append(" ") }
            result.append(digit)
        }
        return result
    }

    /// A round-trip time: `85 us`, `1.2 ms`, `140 ms`.
    static func roundTrip(_ seconds: Double) -> String {
        if seconds < 0.001 { return "\(whole(seconds * 1e6 + 0.5)) us" }
        return seconds < 0.01 ? tenths(seconds * 1000) + " ms" : "\(whole(seconds * 1000 + 0.5)) ms"
    }

    /// A span of time: `0.4 s`, `12 s`, `3 min`, `2 h 05`, `5 d 3 h`.
    static func duration(_ seconds: Double) -> String {
        if seconds < 0.95 { return tenths(seconds) + " s" }
        let whole = whole(seconds + 0.5)
        if whole < 100 { return "\(whole) s" }
        if whole < 6000 { return "\(whole / 60) min" }
        if whole < 86_400 * 2 { return "\(whole / 3600) h \(two(whole / 60 % 60))" }
        return "\(whole / 86_400) d \(whole / 3600 % 24) h"
    }

    /// A span of time in at most four columns: `12s`, `3m`, `2h`, `5d`.
    static func shortDuration(_ seconds: Double) -> String {
        let whole = whole(seconds)
        if whole < 100 { return "\(whole)s" }
        if whole < 6000 { return "\(whole / 60)m" }
        if whole < 360_000 { return "\(whole / 3600)h" }
        return "\(min(whole / 86_400, 999))d"
    }

    /// Wall clock of a moment (seconds since 1970-01-01 UTC) at a fixed distance from UTC: `03:12:44`.
    static func clock(_ time: Double, offset: Int) -> String {
        guard time != 0 else { return "--:--:--" }
        let day = (whole(time) + offset % 86_400 + 86_400) % 86_400
        return "\(two(day / 3600)):\(two(day / 60 % 60)):\(two(day % 60))"
    }

    /// A past moment: the clock when it was within a day of `now`, otherwise the date: `11-22 19:43`.
    static func moment(_ time: Double, now: Double, offset: Int) -> String {
        guard now - time > 86_400, time > 0 else { return clock(time, offset: offset) }
        let (month, day) = date(time + Double(offset))
        return "\(two(month))-\(two(day)) \(clock(time, offset: offset).prefix(5))"
    }

    /// Month and day of a moment in the Gregorian calendar (days-from-civil, inverted).
    private static func date(_ time: Double) -> (month: Int, day: Int) {
        let days = whole(time, limit: 1e11) / 86_400 + 719_468
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        return (shifted < 10 ? shifted + 3 : shifted - 9, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

    /// Lower-case hexadecimal of at least `digits` digits.
    static func hex(_ value: some BinaryInteger, _ digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    static func plural(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
}
