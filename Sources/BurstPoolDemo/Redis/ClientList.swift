// SPDX-License-Identifier: Apache-2.0

/// Parses the reply of `CLIENT LIST`, which has a line for each connection with fields such as `id=7 name=worker`.
enum ClientList {
    static func ids(named name: String, in text: String) -> [Int] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.contains("name=\(name)"), let id = fields.first(where: { $0.hasPrefix("id=") }) else {
                return nil
            }
            return Int(id.dropFirst(3))
        }
    }
}
