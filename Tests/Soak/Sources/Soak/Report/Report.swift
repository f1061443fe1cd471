/// What is counted and found, by all parts of the soak.
struct Report: Sendable {
    let sabotage: Sabotage?
    /// What was done to the clients.
    let faults = Tally()
    /// What came of the visits.
    let outcomes = Tally()
    let findings = Findings()
}
