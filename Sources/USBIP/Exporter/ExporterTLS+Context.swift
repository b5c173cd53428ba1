import NIOSSL

extension ExporterTLS {
    /// A context that takes only peers with a certificate of the authority.
    func context(for address: ListenAddress) throws(ExporterError) -> NIOSSLContext {
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(certificateFile)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: keyFile, format: .pem)))
            configuration.minimumTLSVersion = .tlsv12
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(clientAuthorityFile))
            configuration.certificateVerification = .noHostnameVerification
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw .tls(address.description, reason: String(describing: error))
        }
    }
}
