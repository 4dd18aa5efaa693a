import StatusPage
import XCTest

final class RequestTests: XCTestCase {
}
