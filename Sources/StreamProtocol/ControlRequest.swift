// What is asked of the daemon's control endpoint: one JSON object in one frame, `{"op": …}` and the operation's arguments.

/// A request to the control endpoint.
public struct ControlRequest: Sendable, Equatable {
    /// The bytes that a request may have.
    package static let maximumBytes = 16 << 10

    /// The operation's name.
    public let operation: String
    /// All members but `op`.
    package let arguments: [String: JSON]

    /// Creates a request.
    package init(_ operation: String, _ arguments: [String: JSON] = [:]) {
        self.operation = operation
        self.arguments = arguments
    }

    /// Reads a request's frame.
    ///
    /// - Throws: `ControlFailure` with the code `malformed` or `too-large`.
    package init(parsing frame: [UInt8]) throws(ControlFailure) {
        guard frame.count <= Self.maximumBytes else { throw .tooLarge(bytes: frame.count) }
        let json: JSON
        do throws(JSONSyntaxError) {
            json = try JSON(parsing: frame)
        } catch {
            throw ControlFailure(.malformed, "the request is not JSON: \(error)")
        }
        guard var members = json.members else { throw ControlFailure(.malformed, "the request is not a JSON object") }
        guard let operation = members.removeValue(forKey: "op")?.text else {
            throw ControlFailure(.malformed, "the request's op is missing or not a string")
        }
        self.init(operation, members)
    }

    /// The request as a frame.
    package var frame: [UInt8] {
        JSONWriter.object { writer in
            writer.member("op", operation)
            for (key, value) in arguments.sorted(by: { $0.key < $1.key }) { writer.member(key, value) }
        }
    }

    /// The value of an argument that must be there.
    ///
    /// - Parameters:
    ///   - expected: what belongs there, for the error.
    ///   - read: turns the value into the type wanted, nil where it is of another type.
    /// - Throws: `ControlFailure` with the code `invalid-argument`.
    package func required<Value>(
        _ key: String, _ expected: String, _ read: (JSON) -> Value?
    ) throws(ControlFailure) -> Value {
        do throws(JSONKeyError) {
            return try arguments.required(key, expected, read)
        } catch {
            throw ControlFailure(.invalidArgument, error.description)
        }
    }

    /// The value of an argument, nil where it is missing or null.
    ///
    /// - Throws: `ControlFailure` with the code `invalid-argument`.
    package func optional<Value>(
        _ key: String, _ expected: String, _ read: (JSON) -> Value?
    ) throws(ControlFailure) -> Value? {
        do throws(JSONKeyError) {
            return try arguments.optional(key, expected, read)
        } catch {
            throw ControlFailure(.invalidArgument, error.description)
        }
    }
}
