// Which clusterd this is.

/// The version, by semver.org.
public let clusterdVersion = "0.1.0"
