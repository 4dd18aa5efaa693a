// SHA-256 (FIPS 180-4) by OpenSSL's libcrypto, which uses the processor's instructions for it.

import CCrypto

/// A SHA-256 digest in the making.
public struct SHA256: ~Copyable {
    private let context: OpaquePointer

    /// Starts a digest: `EVP_DigestInit_ex`.
    public init() {
        context = EVP_MD_CTX_new()
        let started = EVP_DigestInit_ex(context, EVP_sha256(), nil)
        precondition(started == 1, "libcrypto has no SHA-256")
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Takes in further bytes: `EVP_DigestUpdate`.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    /// Takes in further bytes.
    public mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    /// The digest of all bytes so far as 64 hexadecimal digits: `EVP_DigestFinal_ex`.
    public consuming func hexadecimal() -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        EVP_DigestFinal_ex(context, &digest, nil)
        return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
