"""A pyzmq sender with a PUSH socket: three frames, source, header, payload.

usage: push_sender.py ENDPOINT COUNT FILE.jpg
"""

import json
import sys

import zmq

endpoint, count, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
socket = zmq.Context.instance().socket(zmq.PUSH)
socket.connect(endpoint)
jpeg = open(path, "rb").read()
for number in range(count):
    header = {"v": 1, "id": f"picture {number}", "seq": number, "score": float("nan")}
    socket.send_multipart([b"python", json.dumps(header).encode(), jpeg])
socket.close()
zmq.Context.instance().term()
