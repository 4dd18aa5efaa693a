"""A camera: sends what OpenCV reads to clusterd, as a JPEG in each request, by imagezmq.

usage: camera.py SOURCE [ENDPOINT] [NAME]

SOURCE is a camera's number or a video file. ENDPOINT is a source of clusterd's with `pattern: rep`. A daemon that is away, or was
killed with a request in its hands, is waited for.

needs: pip install imagezmq opencv-python-headless
"""

import sys

import cv2
import imagezmq
import zmq

source = sys.argv[1]
endpoint = sys.argv[2] if len(sys.argv) > 2 else "tcp://127.0.0.1:5550"
name = sys.argv[3] if len(sys.argv) > 3 else "door"


def connect():
    sender = imagezmq.ImageSender(endpoint)
    sender.zmq_socket.setsockopt(zmq.RCVTIMEO, 10_000)  # milliseconds
    sender.zmq_socket.setsockopt(zmq.LINGER, 0)
    return sender


def send(sender, jpeg):
    """Sends a picture until it has been taken; returns the sender for the next, and the answer."""
    while True:
        try:
            return sender, sender.send_jpg(name, jpeg)
        except zmq.Again:  # a REQ socket without its reply is of no more use
            print(f"no answer from {endpoint}; trying again", file=sys.stderr)
            sender.close()
            sender = connect()


camera = cv2.VideoCapture(int(source) if source.isdigit() else source)
sender, taken = connect(), 0
while True:
    is_there, picture = camera.read()
    if not is_there:
        break
    _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])
    sender, answer = send(sender, jpeg.tobytes())
    if answer == b"OK":
        taken += 1
    else:
        print(answer.decode(), file=sys.stderr)
print(f"{taken} pictures taken")
