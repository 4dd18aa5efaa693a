"""A pyzmq subscriber: prints "ready" once it hears the daemon, then one line of JSON an assignment.

usage: subscriber.py ENDPOINT COUNT
"""

import json
import sys

import zmq

endpoint, count = sys.argv[1], int(sys.argv[2])
socket = zmq.Context.instance().socket(zmq.SUB)
socket.connect(endpoint)
socket.subscribe(b"heartbeat")
socket.subscribe(b"assignment/")
while count > 0:
    topic, body = socket.recv_multipart()[:2]
    message = json.loads(body)
    assert message["v"] == 1, message
    if topic == b"heartbeat":
        print("ready", flush=True)
        socket.unsubscribe(b"heartbeat")
        continue
    assert topic.decode() == f"assignment/{message['source']}/{message['cluster']}", topic
    print(json.dumps(message), flush=True)
    count -= 1
