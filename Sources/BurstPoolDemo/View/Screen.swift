/// Shows the run while it lasts.
protocol Screen: Sendable {
    /// How often it wants to show something.
    var interval: Duration { get }

    func show(_ timeline: Timeline, _ context: LoadContext)

    func finish()
}
