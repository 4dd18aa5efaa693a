"""An unmodified imagezmq sender in REQ/REP mode.

usage: imagezmq_request_sender.py ENDPOINT raw|FILE.jpg COUNT [PAUSE]

Sends COUNT pictures, PAUSE seconds apart; 0 is until its standard input is closed. Prints each reply and how many seconds it
took.
"""

import select
import sys
import time

import imagezmq
import numpy

endpoint, kind, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
pause = float(sys.argv[4]) if len(sys.argv) > 4 else 0
sender = imagezmq.ImageSender(connect_to=endpoint)

# Blue in OpenCV's order: the second cluster of four by brightness 85, wherever the channels are.
picture = numpy.zeros((48, 64, 3), dtype=numpy.uint8)
picture[:, :, 0] = 255
jpeg = None if kind == "raw" else numpy.fromfile(kind, dtype=numpy.uint8)

number = 0
while number < count or count == 0:
    start = time.monotonic()
    if jpeg is None:
        reply = sender.send_image("raspberry pi", picture)
    else:
        reply = sender.send_jpg("raspberry pi", jpeg)
    print(reply.decode(), time.monotonic() - start, flush=True)
    number += 1
    if select.select([sys.stdin] if count == 0 else [], [], [], pause)[0]:
        break
sender.close()
