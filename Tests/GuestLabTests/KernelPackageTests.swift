import Testing

@testable import GuestLab

@Suite struct KernelPackageTests {
    @Test func picksTheKernelAptNames() throws {
        let text = "linux-image-amd64\n  Depends: linux-image-6.1.0-56-amd64\n"
        #expect(try KernelPackage.dependency(in: text) == "linux-image-6.1.0-56-amd64")
    }

    @Test(arguments: [
        "", "linux-image-amd64\n", "x\n  Depends: linux-image-6.1.0-56-cloud-amd64\n",
        "x\n  Depends: linux-image-6.1/../../x-amd64\n", "x\n  Depends: <linux-image-amd64>\n",
    ])
    func emptyListsAskForAnUpdate(text: String) {
        #expect { try KernelPackage.dependency(in: text) } throws: { "\($0)".hasSuffix("run: apt-get update") }
    }

    @Test func recordNeedsVersionAndSize() throws {
        let package = try KernelPackage(
            name: "linux-image-6.1.0-56-amd64", record: "Version: 6.1.192-2\nSize: 70550672\n")
        #expect(package.size == 70_550_672)
        #expect(package.release == "6.1.0-56-amd64")
        for record in ["", "Version: 1\nSize: -5\n", "Version: 1\nSize: x\n", "Size: 5\n"] {
            #expect(throws: LabError.self) { try KernelPackage(name: "linux-image-1-amd64", record: record) }
        }
    }
}
