import Foundation
import TerminalTestKit

/// An authority with a certificate for the host (as the guest sees it) and one for a guest; and a stranger's.
struct TestCertificates {
    let directory: String

    /// Made by openssl below `directory`.
    static func make(in lab: LabEnvironment) async throws -> TestCertificates {
        let directory = lab.directory + "/tls"
        let script = """
            set -e
            mkdir -p \(directory)
            cd \(directory)
            authority() {
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
                    -keyout $1.key -out $1.pem
            }
            certificate() {
                openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout $1.key -out $1.csr
                printf "subjectAltName=IP:10.0.2.2" >$1.ext
                openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days 2 -extfile $1.ext -out $1.pem
            }
            authority ca
            authority other
            certificate host ca
            certificate guest ca
            certificate stranger other
            """
        let log = lab.directory + "/openssl.log"
        let child = try Child(
            "/bin/sh", ["-c", script], variables: ["PATH": "/usr/bin:/bin"], output: log, errors: log)
        guard await child.ended() == 0 else {
            throw LabEnvironment.Failure(description: "openssl: " + (try String(contentsOfFile: log, encoding: .utf8)))
        }
        return TestCertificates(directory: directory)
    }

    func text(_ name: String) throws -> String {
        try String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8)
    }
}
