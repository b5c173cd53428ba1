import Testing

/// What counts descriptors and memory must not run beside what opens sockets.
@Suite("USB/IP on real sockets", .serialized)
enum RealSocketTests {}
