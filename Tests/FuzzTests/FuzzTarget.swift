// A parser of bytes that anybody may have written, as the fuzzer sees it: bytes in, and what came of them out.

/// A parser under test.
struct FuzzTarget {
    /// The name, which is that of its folder of inputs in Corpus/ too.
    let name: String
    /// Its part of all inputs, relative to the others': what is cheap takes many.
    let share: Double
    /// Words of the format, which chance would not find.
    let tokens: [String]
    /// Inputs to begin with that are made rather than kept in Corpus/.
    let seeds: [[UInt8]]
    /// Makes the checksums and lengths of a changed input right again, since little lies behind a wrong one.
    let repair: ((inout [UInt8]) -> Void)?
    /// Reads an input and checks what came out.
    ///
    /// - Returns: the outcome in a word or two. Inputs with outcomes that are new are changed further.
    /// - Throws: `FuzzFault` where the parser has broken a promise.
    let check: ([UInt8]) throws -> String

    init(
        _ name: String, share: Double = 1, tokens: [String] = [], seeds: [[UInt8]] = [],
        repair: ((inout [UInt8]) -> Void)? = nil, check: @escaping ([UInt8]) throws -> String
    ) {
        self.name = name
        self.share = share
        self.tokens = tokens
        self.seeds = seeds
        self.repair = repair
        self.check = check
    }
}

/// A promise that a parser has broken.
struct FuzzFault: Error, CustomStringConvertible {
    let description: String
}

/// Throws a `FuzzFault` with `message` unless `condition` holds.
func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
    guard condition else { throw FuzzFault(description: message()) }
}

/// The frames that an input stands for: they are separated by ASCII's record separator.
func frames(of input: [UInt8]) -> [[UInt8]] {
    input.split(separator: 0x1E, omittingEmptySubsequences: false).map(Array.init)
}
