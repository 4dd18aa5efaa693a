"""A consumer: writes every assignment once into a CSV file, in order, whatever is cut off or restarted in between.

usage: to_csv.py FILE [PUBLISHER] [CONTROL]

The file's last line says how far it has come: started again, the consumer asks for what was published meanwhile. What arrives
with a hole in its numbers is asked for too. What is not in the daemon's journal any more is reported and left out.

needs: pip install pyzmq
"""

import csv
import json
import os
import sys

import zmq

file = sys.argv[1]
publisher = sys.argv[2] if len(sys.argv) > 2 else "tcp://127.0.0.1:5557"
control = sys.argv[3] if len(sys.argv) > 3 else "tcp://127.0.0.1:5558"
COLUMNS = ["epoch", "seq", "source", "id", "cluster", "confidence", "label_epoch", "t_received"]


def last_line(path):
    """The epoch and the number that the file ends with. A line that was cut off is removed."""
    with open(path, "a+b") as table:
        size = table.tell()
        table.seek(0)
        whole = table.read().rpartition(b"\n")[0]
        if len(whole) + 1 < size:
            table.truncate(len(whole) + 1 if whole else 0)
        line = whole.rpartition(b"\n")[2].decode()
    row = next(csv.reader([line]), [])
    return (row[0], int(row[1])) if len(row) > 1 and row[1].isdigit() else (None, 0)


epoch, last = last_line(file)
table = open(file, "a", newline="")
writer = csv.DictWriter(table, COLUMNS, extrasaction="ignore", lineterminator="\n")
if os.path.getsize(file) == 0:
    writer.writeheader()

context = zmq.Context()
stream = context.socket(zmq.SUB)
stream.connect(publisher)
stream.subscribe("assignment/")
stream.subscribe("heartbeat")
questions = context.socket(zmq.REQ)
for option in (zmq.REQ_RELAXED, zmq.REQ_CORRELATE):  # an answer that was lost may be asked for again
    questions.setsockopt(option, 1)
questions.setsockopt(zmq.RCVTIMEO, 5000)
questions.connect(control)


def write(answer):
    global epoch, last
    writer.writerow(answer)
    epoch, last = answer["epoch"], answer["seq"]


def catch_up(heard):
    """Asks for what lies between the last line and what has been heard."""
    global epoch, last
    while (epoch, last) != (heard["epoch"], heard["seq"]) and not (epoch == heard["epoch"] and last > heard["seq"]):
        questions.send_json({"op": "replay", "epoch": epoch or heard["epoch"], "from": last + 1})
        try:
            head, *missed = questions.recv_multipart()
        except zmq.Again:
            continue
        head = json.loads(head)
        if head["ok"]:
            if head["gap"]:
                print(f"gone for good: {head['gap']} of {head['epoch']}", file=sys.stderr)
            for answer in missed:
                write(json.loads(answer))
            epoch, last = head["epoch"], head["next"] - 1
        if epoch != heard["epoch"] and not missed:
            epoch, last = heard["epoch"], 0  # the old epoch has ended, or is not known any more
    table.flush()


try:
    while True:
        topic, body = stream.recv_multipart()[:2]
        heard = json.loads(body)
        if topic != b"heartbeat" and (heard["epoch"], heard["seq"]) == (epoch, last + 1):
            write(heard)
            if not stream.poll(0):
                table.flush()
        else:
            catch_up(heard)
except KeyboardInterrupt:
    table.close()
