// SPDX-License-Identifier: Apache-2.0

import BurstPoolDatadog
import Testing

/// A collection whose elements differ each time it is read.
struct FickleValuesTests {
    private final class Asked {
        var times = 0
    }

    @Test("a collection that needs more room when it is read again does not exceed the buffer")
    func longer() async throws {
        let receiver = try DatagramReceiver()
        let client = try quietClient(to: receiver)
        let asked = Asked()
        client.histogram(
            "n",
            values: (0..<600).lazy.map { _ in
                asked.times += 1
                return asked.times > 1300 ? -1.2345678901234567e-300 : 1
            }
        )
        await client.flush()
        #expect(asked.times > 1300)
        for message in receiver.takeMessages() {
            #expect(message.hasPrefix("n:") && message.hasSuffix("|h"), "\(message)")
        }
        client.statistics.checkSums()
        await client.shutdown()
    }
}
