"""A pyzmq subscriber, encrypted by CURVE with certificates of zmq.auth: prints the ids of COUNT assignments.

usage: curve_subscriber.py ENDPOINT CLIENT.key_secret SERVER.key COUNT
"""

import json
import sys

import zmq
import zmq.auth

endpoint, client, server, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
socket = zmq.Context.instance().socket(zmq.SUB)
socket.curve_publickey, socket.curve_secretkey = zmq.auth.load_certificate(client)
socket.curve_serverkey, _ = zmq.auth.load_certificate(server)
socket.subscribe("heartbeat")
socket.subscribe("assignment/")
socket.connect(endpoint)
while not socket.recv_multipart()[0] == b"heartbeat":
    pass
print("ready", flush=True)
while count:
    topic, body = socket.recv_multipart()[:2]
    if topic != b"heartbeat":
        print(json.loads(body)["id"], flush=True)
        count -= 1
