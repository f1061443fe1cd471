/// Something that must be so for the run to be right.
struct Check: Codable {
    let name: String
    let passed: Bool
    /// What was found.
    let detail: String

    init(_ name: String, _ passed: Bool, _ detail: String) {
        self.name = name
        self.passed = passed
        self.detail = detail
    }
}
