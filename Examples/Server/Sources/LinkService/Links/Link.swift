import Foundation

/// A link as it is stored.
struct Link: Sendable, Equatable {
    let code: LinkCode
    let url: String
    let created: Date
    /// How many times it has been followed.
    let count: Int
}
