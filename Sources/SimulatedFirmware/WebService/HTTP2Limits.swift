import NIOHTTP2

/// What a guest may do in one HTTP/2 session; more ends the session.
enum HTTP2Limits {
    static let maximumStreams = 1024
    /// Bytes of one header block.
    static let maximumHeaderBytes = 64 * 1024
    /// Bytes that a guest may send on a stream before the upstream has taken them.
    static let streamWindow = 256 * 1024
    static let connectionWindow = 8 * 1024 * 1024

    static var connection: NIOHTTP2Handler.ConnectionConfiguration {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: maximumStreams),
            HTTP2Setting(parameter: .maxHeaderListSize, value: maximumHeaderBytes),
            HTTP2Setting(parameter: .initialWindowSize, value: streamWindow),
            HTTP2Setting(parameter: .maxFrameSize, value: 64 * 1024),
        ]
        configuration.targetWindowSize = connectionWindow
        // Frames of the connection itself that a guest may cause without reading the answers.
        configuration.maximumBufferedControlFrames = 4096
        return configuration
    }

    static var stream: NIOHTTP2Handler.StreamConfiguration {
        var configuration = NIOHTTP2Handler.StreamConfiguration()
        configuration.targetWindowSize = streamWindow
        configuration.outboundBufferSizeHighWatermark = 256 * 1024
        configuration.outboundBufferSizeLowWatermark = 64 * 1024
        configuration.streamResetFrameRateLimit.maximumCount = 500
        return configuration
    }

    /// The end of a session in a few words.
    static func text(_ error: any Error) -> String {
        switch error {
        case is NIOHTTP2Errors.BadClientMagic: "what the guest sent is not HTTP/2 (no preface)"
        case is NIOHTTP2Errors.ExcessiveOutboundFrameBuffering: "the guest does not read what it asks for"
        case is NIOHTTP2Errors.ExcessivelyLargeHeaderBlock: "a header block is too large"
        case is NIOHTTP2Errors.ExcessiveRSTFrames: "the guest starts and cancels requests too fast"
        case is NIOHTTP2Errors.ExcessiveStreamErrors: "the guest makes too many stream errors"
        case is NIOHTTP2Errors.ExcessiveControlFrames: "the guest sends too many PING or SETTINGS frames"
        case is NIOHTTP2Errors.ExcessiveContinuationFrames, is NIOHTTP2Errors.ExcessiveEmptyDataFrames,
            is NIOHTTP2Errors.ExcessiveNumberOfGlitches:
            "the guest sends frames without content"
        case is NIOHTTP2Errors.UnableToParseFrame: "a frame makes no sense"
        // The other cases are named for what is wrong; their descriptions tell places in code.
        case is any NIOHTTP2Error: String(describing: Swift.type(of: error))
        default: "\(error)"
        }
    }
}
