import NIOCore
import Testing
import USBRedirection
