"""Asks a daemon's control endpoint by a plain REQ socket, as docs/wire.md has it, and prints what came as JSON lines.

usage: control.py ENDPOINT
"""

import hashlib
import json
import sys

import zmq

socket = zmq.Context.instance().socket(zmq.REQ)
socket.setsockopt(zmq.RCVTIMEO, 30_000)
socket.setsockopt(zmq.LINGER, 0)
socket.connect(sys.argv[1])


def ask(op, **arguments):
    """The answer's first frame, and the further frames."""
    socket.send(json.dumps({"op": op, **arguments}).encode())
    head, *rest = socket.recv_multipart()
    return json.loads(head), rest


def tell(**values):
    print(json.dumps(values), flush=True)


status, _ = ask("status")
tell(op="status", ok=status["ok"], seq=status["assigning"]["seq"], mode=status["mode"])

replay, messages = ask("replay", **{"epoch": status["assigning"]["epoch"], "from": 2, "limit": 3})
tell(op="replay", ok=replay["ok"], gap=replay["gap"], seqs=[json.loads(message)["seq"] for message in messages])

saved, _ = ask("save")
tell(op="save", ok=saved["ok"], id=saved["checkpoint"]["id"])

listed, _ = ask("checkpoints")
newest = listed["checkpoints"][0]
data = b""
while len(data) < newest["bytes"]:
    piece, (chunk,) = ask("fetch", id=newest["id"], offset=len(data), length=100)
    assert piece["ok"] and piece["length"] == len(chunk) <= 100, piece
    data += chunk
tell(op="fetch", id=newest["id"], whole=hashlib.sha256(data).hexdigest() == newest["sha256"])

reloaded, _ = ask("reload", id=newest["id"])
tell(op="reload", ok=reloaded["ok"], label_epoch=reloaded["model"]["label_epoch"], map=reloaded["relabeling"]["map"])
back, _ = ask("rollback")
tell(op="rollback", ok=back["ok"], label_epoch=back["model"]["label_epoch"])

refused, _ = ask("reload", id="step-000000099")
tell(op="refusal", ok=refused["ok"], code=refused["error"]["code"])
socket.send(b"{")
tell(op="malformed", code=json.loads(socket.recv_multipart()[0])["error"]["code"])
