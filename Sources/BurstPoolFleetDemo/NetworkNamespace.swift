// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A network namespace for one process, with one link to this machine that can be taken down. Only on Linux, and only for root.
final class NetworkNamespace {
    private static let ip = ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip", "/bin/ip"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    /// The address of this machine on the link.
    let hostAddress: String
    private let name: String
    private let link: String

    /// Creates a namespace. Returns `nil` if this process may not, or if the system has no `ip`.
    init?(_ number: Int) {
        let process = ProcessInfo.processInfo.processIdentifier
        name = "burst-pool-\(process)-\(number)"
        // The name of a link has at most 15 characters.
        link = "bp\(process)h\(number)"
        // Blocks of four addresses of 198.18.0.0/15, which is reserved for tests of networks.
        let block = (Int(process) * 64 + number) % 32_768 * 4
        func address(_ last: Int) -> String {
            "198.\(18 + block / 65_536).\(block / 256 % 256).\(block % 256 + last)"
        }
        hostAddress = address(1)
        guard geteuid() == 0, Self.run(["netns", "add", name]) else { return nil }
        let isReady =
            Self.run(["link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name])
            && Self.run(["address", "add", "\(hostAddress)/30", "dev", link])
            && Self.run(["link", "set", link, "up"])
            && Self.run(["-n", name, "address", "add", "\(address(2))/30", "dev", "eth0"])
            && Self.run(["-n", name, "link", "set", "eth0", "up"])
        guard isReady else {
            remove()
            return nil
        }
    }

    /// What to write before a command that is to run in the namespace.
    var prefix: [String] { Self.ip.map { [$0, "netns", "exec", name] } ?? [] }

    /// Takes the link down. No packet passes any more, and connections are not closed.
    func takeDown() { Self.run(["link", "set", link, "down"]) }

    func bringUp() { Self.run(["link", "set", link, "up"]) }

    /// Removes the namespace and its link. No process may run in it.
    func remove() { Self.run(["netns", "delete", name]) }

    @discardableResult
    private static func run(_ arguments: [String]) -> Bool {
        guard let ip else { return false }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: ip)
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
