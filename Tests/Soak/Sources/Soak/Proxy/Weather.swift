/// How often a proxy does harm: once in so many messages, or connections; 0: never.
struct Weather: Sendable {
    var delay = 0
    var dribble = 0
    var cut = 0
    var stall = 0
    /// What frames a message: the client, or the server, cannot but notice.
    var spoilFraming = 0
    /// What a message carries.
    var spoilPayload = 0
    /// Of connections: closed as soon as they are accepted.
    var refuse = 0
    /// Of connections: accepted, and never answered.
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
