import ArgumentParser
import GuestClientKit

/// `--tls --certificate FILE --key FILE --ca FILE [--server-name NAME]`
struct TLSOptions: ParsableArguments {
    @Flag(help: "Connect by TLS, with a certificate of this guest's own.")
    var tls = false

    @Option(help: ArgumentHelp("This guest's certificate (PEM).", valueName: "file"))
    var certificate: String?

    @Option(help: ArgumentHelp("The certificate's private key (PEM).", valueName: "file"))
    var key: String?

    @Option(help: ArgumentHelp("The authority that signed the host's certificate (PEM).", valueName: "file"))
    var ca: String?

    @Option(help: ArgumentHelp("The name in the host's certificate, where it is not HOST.", valueName: "name"))
    var serverName: String?

    func validate() throws {
        guard tls else {
            guard certificate == nil, key == nil, ca == nil, serverName == nil else {
                throw ValidationError("--certificate, --key, --ca and --server-name need --tls")
            }
            return
        }
        guard certificate != nil, key != nil, ca != nil else {
            throw ValidationError("--tls needs --certificate, --key and --ca")
        }
    }

    var files: TLSFiles? {
        guard tls, let certificate, let key, let ca else { return nil }
        return TLSFiles(certificate: certificate, key: key, authority: ca, serverName: serverName)
    }
}

extension ExporterAddress: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
