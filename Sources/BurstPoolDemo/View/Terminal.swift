import Foundation

/// What is known about the terminal that a file descriptor leads to, if it does.
enum Terminal {
    static func isTerminal(_ descriptor: Int32) -> Bool {
        isatty(descriptor) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }

    /// Columns and rows; 80 by 24 if unknown.
    static func size(_ descriptor: Int32) -> (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Whether colours are welcome: see https://no-color.org.
    static var wantsColour: Bool { (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty }

    // MARK: - Sequences

    /// Hides the cursor, and lets lines that are too long end at the edge.
    static let prepare = "\u{1B}[?25l\u{1B}[?7l"
    /// Takes back ``prepare``.
    static let restore = "\u{1B}[?7h\u{1B}[?25h"
    static let clearToEndOfLine = "\u{1B}[K"
    static let clearToEndOfScreen = "\u{1B}[J"

    static func up(_ lines: Int) -> String { lines > 0 ? "\r\u{1B}[\(lines)A" : "\r" }
}

/// Where text goes. Unbuffered, and does not mind if nobody reads any more.
struct Output: Sendable {
    static let standard = Output(descriptor: STDOUT_FILENO)
    static let error = Output(descriptor: STDERR_FILENO)

    let descriptor: Int32

    func print(_ line: String) { write(line + "\n") }

    func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while let base = rest.baseAddress, !rest.isEmpty {
                let count = Foundation.write(descriptor, base, rest.count)
                if count < 0, errno == EINTR || errno == EAGAIN { continue }
                guard count > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            }
        }
    }
}
