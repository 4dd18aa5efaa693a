"""An unmodified imagezmq sender in PUB/SUB mode, as a Raspberry Pi runs it.

usage: imagezmq_sender.py raw|FILE.jpg

Binds, prints its endpoint, and sends pictures until its standard input is closed, since a PUB socket cannot know when
somebody has subscribed.
"""

import select
import sys

import imagezmq
import numpy
import zmq

kind = sys.argv[1]
sender = imagezmq.ImageSender(connect_to="tcp://127.0.0.1:*", REQ_REP=False)
print(sender.zmq_socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode(), flush=True)

# Blue in OpenCV's order: the second cluster of four by brightness 85, wherever the channels are.
picture = numpy.zeros((48, 64, 3), dtype=numpy.uint8)
picture[:, :, 0] = 255
jpeg = None if kind == "raw" else numpy.fromfile(kind, dtype=numpy.uint8)

while not select.select([sys.stdin], [], [], 0.02)[0]:
    if jpeg is None:
        sender.send_image("raspberry pi", picture)
    else:
        sender.send_jpg("raspberry pi", jpeg)
