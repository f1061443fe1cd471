import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// An answer that says what is wrong, as RFC 9457 writes it.
struct Problem: Error {
    let status: HTTPResponse.Status
    /// What is wrong with this request, in a sentence.
    let detail: String
    /// After how many seconds it is worth trying again.
    var retryAfter: Int?

    init(_ status: HTTPResponse.Status, _ detail: String, retryAfter: Int? = nil) {
        self.status = status
        self.detail = detail
        self.retryAfter = retryAfter
    }

    /// Not now, but later: an outage or a rush.
    static func unavailable(_ detail: String) -> Problem {
        Problem(.serviceUnavailable, detail, retryAfter: 1)
    }
}

extension Problem: HTTPResponseError {
    private struct Body: Encodable {
        // Nothing is said of the type but the status, and the title is then its phrase.
        let type = "about:blank"
        let title: String
        let status: Int
        let detail: String
    }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        let body = try encoder.encode(Body(title: status.reasonPhrase, status: status.code, detail: detail))
        var headers: HTTPFields = [.contentType: "application/problem+json", .cacheControl: "no-store"]
        if let retryAfter { headers[.retryAfter] = "\(retryAfter)" }
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}
