"""Looks at the page in headless Chromium as a person would: waits for pictures, presses every button, sees the daemon go and
come back.

    page_browser.py PAGE PUSH_ENDPOINT REPLICAS_PAGE REPLICAS_PUSH_ENDPOINT [SCREENSHOT_FOLDER]

Says "look" when all was well so far, and reads a line, by which time the daemon is to be gone; says "gone", and reads a line,
by which time it is to be back; looks at the page of a replica, whose trainer is gone for good, and ends with "done". Exit 77: a
module or the browser is missing.
"""
import base64
import json
import sys
import time

try:
    import zmq
    from selenium import webdriver
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait
    import shutil
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(77)

page, endpoint, replica, replica_endpoint = sys.argv[1:5]
folder = sys.argv[5] if len(sys.argv) > 5 else None
HOSTILE = "<img src=x onerror=\"document.title='caught'\">"


def start():
    browser, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if not browser or not driver:
        print("chromium or chromedriver is missing", file=sys.stderr)
        sys.exit(77)
    options = Options()
    options.binary_location = browser
    for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(driver))


browser = start()


def until(what, condition, seconds=60):
    def holds(_):
        try:
            return condition()
        except WebDriverException:
            return False

    WebDriverWait(browser, seconds, 0.1).until(holds, what)


def script(text, *arguments):
    return browser.execute_script(text, *arguments)


def one(selector):
    return browser.find_element(By.CSS_SELECTOR, selector)


def text(selector):
    return one(selector).text


def press(selector):
    def pressed():
        # Looked up anew each time: what has been drawn again is another button.
        button = one(selector)
        if not button.is_enabled():
            return False
        script("arguments[0].scrollIntoView({block: 'center'})", button)
        button.click()
        return True

    until(f"{selector} can be pressed", pressed)


def state():
    return one("#state").get_attribute("data-state")


def toast(words):
    # At one go: it is there for some seconds only, and may be gone between one question and the next.
    told = "return [...document.querySelectorAll('.toast')].some((toast) => toast.textContent.includes(arguments[0]))"
    until(f"it is told: {words}", lambda: script(told, words))
    assert not browser.find_elements(By.CSS_SELECTOR, ".toast.bad"), text(".toast.bad")


def galleries():
    """How many pictures each gallery shows that have really been loaded."""
    return script(
        """return [...document.querySelectorAll('.cluster')].map((card) =>
             [...card.querySelectorAll('img')].filter((image) => image.complete && image.naturalWidth > 0).length)"""
    )


def look(width, scheme):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    media = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    wide = f"(width: {width}px)"
    until(f"it is {width} pixels wide", lambda: script("return matchMedia(arguments[0]).matches", wide))
    fits = "return document.documentElement.scrollWidth <= innerWidth"
    until(f"at {width} pixels it is not wider than the screen", lambda: script(fits))

    def is_light():
        ground = script("return getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in ground[ground.index("(") + 1 : -1].split(",")[:3]) > 384

    until(f"it is {scheme}", lambda: is_light() == (scheme == "light"))
    if folder:
        height = script("return document.documentElement.scrollHeight")
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        time.sleep(3)
        shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True})
        with open(f"{folder}/page-{width}-{scheme}.png", "wb") as file:
            file.write(base64.b64decode(shot["data"]))


def send_hostile(endpoint):
    """Images whose name and label would be a program if they were taken for HTML."""
    socket = zmq.Context.instance().socket(zmq.PUSH)
    socket.connect(endpoint)
    pixels = bytes(range(48)) * 4
    header = {"v": 1, "id": HOSTILE, "label": HOSTILE, "format": "raw", "shape": [8, 8, 3], "dtype": "uint8"}
    for _ in range(40):
        socket.send_multipart([b"stranger", json.dumps(header).encode(), pixels])
    return socket


def console(allowed=()):
    return [
        entry["message"]
        for entry in browser.get_log("browser")
        if entry["level"] in ("SEVERE", "WARNING") and not any(words in entry["message"] for words in allowed)
    ]


try:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    )
    browser.get(page)
    until("it says how the daemon is", lambda: state() in ("learning", "waiting"))

    # Galleries fill, and go on filling.
    until("two galleries have pictures", lambda: sum(count >= 3 for count in galleries()) >= 2)
    before = set(script("return [...document.querySelectorAll('.gallery img')].map((image) => image.src)"))
    until(
        "new pictures come",
        lambda: not before.issuperset(script("return [...document.querySelectorAll('.gallery img')].map((image) => image.src)")),
    )
    until("it learns", lambda: state() == "learning")
    # What moves without end is drawn sixty times a second, with the cores that learning needs.
    endless = "return document.getAnimations().filter((one) => one.effect.getTiming().iterations === Infinity).length"
    assert script(endless) == 0, "something on the page moves without end"

    # Numbers move.
    def figure(name):
        return text(f"[data-figure={name}] .value")

    assigned, step = figure("assigned"), text("[data-figure=trained] .note")
    until("more is assigned", lambda: figure("assigned") != assigned)
    until("more is learnt", lambda: text("[data-figure=trained] .note") != step)
    until("there is a loss", lambda: figure("loss").replace(".", "").isdigit())
    until("there is a latency", lambda: figure("latency").endswith("s"))
    for chart in ["loss", "rate", "latency"]:
        until(f"the curve of {chart} grows", lambda: "L" in one(f"#chart-{chart} .curve").get_attribute("d"))

    # Sources with their last picture.
    stranger = send_hostile(endpoint)
    for source in ["fashion", "colours", "stranger"]:
        until(f"{source} is known", lambda: "sending" in text(f"[data-source={source}]"))
        until(
            f"{source} has a picture",
            lambda: script("return arguments[0].naturalWidth", one(f"[data-source={source}] img")) > 0,
        )

    # The map, by keyboard.
    script("arguments[0].scrollIntoView({block: 'center'})", one("#map-canvas"))
    until("the map has points", lambda: int(one("#map-canvas").get_attribute("aria-label").split()[2]) > 10)
    one("#map-canvas").send_keys(Keys.ARROW_RIGHT)
    until("a point shows its picture", lambda: script("return arguments[0].naturalWidth", one("#tip img")) > 0)
    assert "Cluster" in text("#tip")
    one("#map-canvas").send_keys(Keys.ARROW_LEFT, Keys.ESCAPE)

    # Labels, a hostile one among them, as text.
    until("agreement is told", lambda: text("[data-figure=agreement] .value").endswith("NMI"))
    script("arguments[0].scrollIntoView({block: 'center'})", one("#matrix"))
    until("labels are listed", lambda: len(browser.find_elements(By.CSS_SELECTOR, "#matrix tbody tr")) > 3)
    until("the hostile label is text", lambda: HOSTILE in [cell.text for cell in browser.find_elements(By.CSS_SELECTOR, "#matrix th")])
    assert browser.title == "clusterd"

    # Every button.
    press("#pause")
    toast("Training is paused")
    until("it is paused", lambda: state() == "paused" and text("#pause") == "Resume")
    press("#pause")
    toast("Training goes on")
    until("it learns again", lambda: state() == "learning" and text("#pause") == "Pause")
    press("#save")
    toast("Saved step-")
    until("it is listed", lambda: one("#checkpoint-rows button").is_displayed())
    press("#checkpoint-rows button")
    until("it asks", lambda: one("#ask").is_displayed())
    press("#ask-no")
    until("it does not ask any more", lambda: not one("#ask").is_displayed())
    press("#checkpoint-rows button")
    until("it asks", lambda: one("#ask").is_displayed())
    press("#ask-yes")
    toast("Now serving step")
    press("#rollback")
    until("it asks", lambda: one("#ask").is_displayed())
    press("#ask-yes")
    toast("Rolled back to step")
    script("arguments[0].value = 'number'; arguments[0].dispatchEvent(new Event('change'))", one("#clusters-order"))
    until("it is in order", lambda: one(".cluster").get_attribute("data-cluster") == "0")
    for theme in ["light", "dark", None]:
        press("#theme")
        assert script("return document.documentElement.dataset.theme ?? null") == theme

    until("galleries fill after a reload", lambda: sum(count >= 3 for count in galleries()) >= 2)
    for width in [1280, 390]:
        for scheme in ["light", "dark"]:
            look(width, scheme)
    faults = console()
    assert not faults, faults

    print("look", flush=True)
    sys.stdin.readline()
    until("it says that the daemon is gone", lambda: state() == "gone" and "does not answer" in text("#banner"))
    assert not one("#save").is_enabled()
    print("gone", flush=True)
    sys.stdin.readline()
    until("it goes on by itself", lambda: state() in ("learning", "waiting") and not one("#banner").is_displayed())
    until("galleries fill again", lambda: sum(count >= 2 for count in galleries()) >= 2)
    assert one("#save").is_enabled()
    faults = console(allowed=("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "404"))
    assert not faults, faults

    # A replica: a model, no training, and nothing to press.
    browser.get(replica)
    until("it waits", lambda: text("#state-text") == "Waiting for images")
    until("it says which model", lambda: text("[data-figure=model] .value").startswith("step "))
    until("it says that its trainer is silent", lambda: text("#banner") == "The trainer is silent.")
    stranger = send_hostile(replica_endpoint)
    until("it assigns", lambda: figure("assigned").startswith("40"))
    until("a gallery has a picture", lambda: sum(galleries()) > 0)
    until("its checkpoint is listed", lambda: "in use" in text("#checkpoint-rows"))
    for selector in ["#pause", "#save", "#rollback", "#checkpoint-rows button", "#chart-loss"]:
        assert not one(selector).is_displayed(), selector
    faults = console()
    assert not faults, faults
    print("done", flush=True)
except Exception:
    for entry in browser.get_log("browser"):
        print(entry["message"], file=sys.stderr)
    if folder:
        browser.save_screenshot(f"{folder}/page-failed.png")
    raise
finally:
    browser.quit()
