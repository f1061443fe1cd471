// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BurstPoolDatadog

/// A configuration without automatic flushes, telemetry and logs.
func quietConfiguration(_ address: DogStatsDAddress) -> DogStatsDConfiguration {
    var configuration = DogStatsDConfiguration(address: address)
    configuration.flushInterval = .seconds(3600)
    configuration.sendsTelemetry = false
    configuration.logger = nil
    return configuration
}

/// A client that sends to a receiver, and only when a test flushes it.
func quietClient(
    to receiver: DatagramReceiver,
    _ change: (inout DogStatsDConfiguration) -> Void = { _ in }
) throws -> DogStatsDClient {
    var configuration = quietConfiguration(.udp(host: "127.0.0.1", port: receiver.port))
    change(&configuration)
    return try DogStatsDClient(configuration: configuration)
}

/// Returns the messages that a client sends over a real socket when values are recorded.
func messages(
    _ change: (inout DogStatsDConfiguration) -> Void = { _ in },
    _ record: (DogStatsDClient) -> Void
) async throws -> [String] {
    let receiver = try DatagramReceiver()
    let client = try quietClient(to: receiver, change)
    record(client)
    await client.shutdown()
    return receiver.takeMessages()
}

extension DogStatsDStatistics {
    /// Checks the sums that hold at every moment.
    func checkSums(_ location: SourceLocation = #_sourceLocation) {
        let droppedLater = [DropReason.agentUnreachable, .agentTooSlow, .refusedBySystem].reduce(0) {
            $0 + messagesDropped($1)
        }
        #expect(messagesAccepted == messagesSent + messagesWaiting + droppedLater, "\(self)", sourceLocation: location)
        #expect(messagesWaiting >= 0 && messagesSent >= 0, "\(self)", sourceLocation: location)
    }
}
