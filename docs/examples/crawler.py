"""A crawler: follows links below a page, downloads the pictures that it finds, and pushes them to clusterd.

usage: crawler.py PAGE [ENDPOINT]

Four threads download. Each picture goes through a queue to the one thread that owns the socket; where clusterd has no room the
socket waits, the queue fills, and the downloads wait too, so nothing is lost and memory stays small.

needs: pip install pyzmq
"""

import html.parser
import json
import queue
import sys
import threading
import urllib.parse
import urllib.request

import zmq

start = sys.argv[1]
endpoint = sys.argv[2] if len(sys.argv) > 2 else "tcp://127.0.0.1:5556"
PICTURES = (".jpg", ".jpeg", ".png", ".webp")

pages, pictures = queue.Queue(), queue.Queue(maxsize=16)
seen, lock = {start}, threading.Lock()


class Links(html.parser.HTMLParser):
    """What a page links to and shows."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found += [value for key, value in attributes if key in ("href", "src") and value]


def visit(address):
    with urllib.request.urlopen(address, timeout=30) as answer:
        kind, body = answer.headers.get_content_type(), answer.read(64 << 20)
    if kind.startswith("image/"):
        pictures.put((address, body))
    elif kind == "text/html":
        for link in Links(body.decode(errors="replace")).found:
            link = urllib.parse.urldefrag(urllib.parse.urljoin(address, link)).url
            is_wanted = link.startswith(start) or urllib.parse.urlsplit(link).path.lower().endswith(PICTURES)
            with lock:
                if link in seen or not is_wanted or not link.startswith(("http://", "https://")):
                    continue
                seen.add(link)
            pages.put(link)


def work():
    while True:
        address = pages.get()
        try:
            visit(address)
        except (OSError, ValueError) as error:
            print(f"{address}: {error}", file=sys.stderr)
        finally:
            pages.task_done()


def push():
    socket = context.socket(zmq.PUSH)
    socket.setsockopt(zmq.SNDHWM, 64)
    socket.connect(endpoint)
    number = 0
    while (item := pictures.get()) is not None:
        number += 1
        header = {"v": 1, "id": item[0], "seq": number}
        socket.send_multipart([b"crawler", json.dumps(header).encode(), item[1]])
    socket.close(linger=-1)
    print(f"{number} pictures sent")


context = zmq.Context()
pages.put(start)
pusher = threading.Thread(target=push)
pusher.start()
for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
pages.join()
pictures.put(None)
pusher.join()
context.term()  # returns when clusterd has taken the last
