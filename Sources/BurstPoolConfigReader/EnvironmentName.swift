// SPDX-License-Identifier: Apache-2.0

/// The names of environment variables for configuration keys.
enum EnvironmentName {
    /// Returns the name that swift-configuration uses for a key: `connectRetry.cap` becomes `CONNECT_RETRY_CAP`.
    static func of(_ key: String) -> String {
        key.reduce(into: "") { name, character in
            if character.isUppercase { name += "_" }
            name += character == "." ? "_" : character.uppercased()
        }
    }

    /// Returns the most similar name, or `nil` if no name is similar.
    static func closest(to name: String, in candidates: [String]) -> String? {
        let plain = name.filter { $0 != "_" }
        if let same = candidates.first(where: { $0.filter { $0 != "_" } == plain }) { return same }
        let distances = candidates.map { (name: $0, distance: editDistance(name, $0)) }
        return distances.filter { $0.distance <= 3 }.min { $0.distance < $1.distance }?.name
    }

    /// Returns the number of characters to insert, remove or replace to turn one text into the other.
    private static func editDistance(_ first: String, _ second: String) -> Int {
        let second = Array(second)
        var row = Array(0...second.count)
        for (i, character) in first.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in second.enumerated() {
                let replaced = diagonal + (character == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
            }
        }
        return row[second.count]
    }
}
