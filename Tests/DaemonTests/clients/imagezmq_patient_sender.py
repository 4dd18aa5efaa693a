"""An imagezmq sender in REQ/REP mode that survives its hub, as docs/wire.md has it.

usage: imagezmq_patient_sender.py ENDPOINT TIMEOUT

Sends pictures until its standard input is closed. Prints each reply, and "lost" for each that has not come within TIMEOUT
seconds.
"""

import select
import sys

import imagezmq
import numpy
import zmq

endpoint, timeout = sys.argv[1], float(sys.argv[2])


def connect():
    sender = imagezmq.ImageSender(connect_to=endpoint)
    sender.zmq_socket.setsockopt(zmq.RCVTIMEO, int(timeout * 1000))
    sender.zmq_socket.setsockopt(zmq.LINGER, 0)
    return sender


picture = numpy.zeros((48, 64, 3), dtype=numpy.uint8)
sender = connect()
while not select.select([sys.stdin], [], [], 0.05)[0]:
    try:
        print(sender.send_image("raspberry pi", picture).decode(), flush=True)
    except zmq.Again:
        print("lost", flush=True)
        sender.close()
        sender = connect()
sender.close()
