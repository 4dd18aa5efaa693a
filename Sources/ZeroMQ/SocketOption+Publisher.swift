// An option for publishers that would rather wait than drop.

import CZeroMQ

extension SocketOption where Value == Bool {
    /// Whether an XPUB socket refuses a message that a subscriber has no room for, instead of dropping it for that
    /// subscriber: `ZMQ_XPUB_NODROP`. A poller calls such a socket writable all the same.
    public static var xpubNoDrop: Self {
        Self(name: "XPUB_NODROP", code: ZMQ_XPUB_NODROP) { flag in
            withUnsafeBytes(of: Int32(flag ? 1 : 0)) { Array($0) }
        }
    }
}
