import BurstPoolDatadog
import Testing

/// Values that are not the same each time they are asked for.
struct FickleValuesTests {
    private final class Asked {
        var times = 0
    }

    @Test("Values that are longer the second time are not sent beyond what there was room for")
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
