import NIOSSL

/// What `--tls` needs: PEM files of our certificate, its key, and the authority that signed the exporter's.
public struct TLSFiles: Sendable, Equatable {
    public var certificate: String
    public var key: String
    public var authority: String
    /// The name that the exporter's certificate must carry; nil: the host as it was given, address or name.
    public var serverName: String?

    public init(certificate: String, key: String, authority: String, serverName: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.authority = authority
        self.serverName = serverName
    }

    func context() throws(GuestError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        do {
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authority))
        } catch {
            throw .failed("\(authority): no usable certificate of an authority (\(error))")
        }
        do {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) }
        } catch {
            throw .failed("\(certificate): no usable certificate (\(error))")
        }
        do {
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
        } catch {
            throw .failed("\(key): no usable private key (\(error))")
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw .failed("\(certificate) and \(key) do not go together (\(error))")
        }
    }
}
