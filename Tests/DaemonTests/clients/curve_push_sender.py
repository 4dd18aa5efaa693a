"""A pyzmq sender with a PUSH socket, encrypted by CURVE with certificates of zmq.auth.

usage: curve_push_sender.py ENDPOINT CLIENT.key_secret SERVER.key COUNT FILE.jpg
"""

import json
import sys

import zmq
import zmq.auth

endpoint, client, server, count, path = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5]
socket = zmq.Context.instance().socket(zmq.PUSH)
socket.curve_publickey, socket.curve_secretkey = zmq.auth.load_certificate(client)
socket.curve_serverkey, _ = zmq.auth.load_certificate(server)
socket.connect(endpoint)
jpeg = open(path, "rb").read()
for number in range(count):
    header = {"v": 1, "id": f"picture {number}", "seq": number}
    socket.send_multipart([b"curve", json.dumps(header).encode(), jpeg])
socket.close()
zmq.Context.instance().term()
