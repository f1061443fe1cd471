// SPDX-License-Identifier: Apache-2.0

/// The rates at which a proxy does harm: once in this number of messages, or connections. 0 means never.
struct Weather: Sendable {
    var delay = 0
    var dribble = 0
    var cut = 0
    var stall = 0
    /// Changes the framing of a message, so that the client, or the server, must notice.
    var spoilFraming = 0
    /// Changes the content of a message.
    var spoilPayload = 0
    /// Connections that are closed as soon as they are accepted.
    var refuse = 0
    /// Connections that are accepted, and never answered.
    var ignore = 0

    static let calm = Weather()

    static func random(using random: inout SeededRandom) -> Weather {
        Weather(
            delay: random.number(10...100),
            dribble: random.number(20...200),
            cut: random.number(300...3000),
            stall: random.number(1000...5000),
            spoilFraming: random.number(300...3000),
            spoilPayload: random.number(300...3000),
            refuse: random.number(10...50),
            ignore: random.number(30...200)
        )
    }
}
