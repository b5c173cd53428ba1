import Foundation

/// The text of an errno value.
func describe(errno code: Int32) -> String {
    String(cString: strerror(code))
}
