// SPDX-License-Identifier: Apache-2.0

/// The counts and findings of all parts of the soak.
struct Report: Sendable {
    let sabotage: Sabotage?
    /// The faults that were injected.
    let faults = Tally()
    /// The outcomes of the visits.
    let outcomes = Tally()
    let findings = Findings()
}
