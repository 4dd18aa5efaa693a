"""Whether PyTorch, with the weights of a checkpoint, says of pictures what the daemon says that resumed it.

usage: pytorch_agreement.py train QUEUE PUBLISHER COUNT
       pytorch_agreement.py compare QUEUE PUBLISHER CHECKPOINT COUNT

`train` gives the daemon pictures to train on, and ends when all are answered. `compare` sends them again, reads the answers, computes them from the
checkpoint's file and prints {"same": clusters that agree, "difference": largest difference of a probability, "used": how
many clusters the daemon has answered with}.
"""

import json
import pathlib
import sys

import numpy
import zmq

SIDE = 32


def pictures(count):
    """[count, SIDE, SIDE, 3] bytes: coloured waves and noise, the same in every run."""
    random = numpy.random.default_rng(7)
    y, x = numpy.mgrid[0:SIDE, 0:SIDE] / SIDE
    waves = random.uniform(0, 6, (count, 3, 3))
    across, down, phase = (waves[:, row, None, None, :] for row in range(3))
    light = numpy.sin(3 * across * x[..., None] + 3 * down * y[..., None] + phase)
    noise = random.normal(0, 0.1, light.shape)
    return numpy.clip(127.5 + 110 * (light + noise), 0, 255).astype(numpy.uint8)


def send(queue, images):
    socket = zmq.Context.instance().socket(zmq.PUSH)
    socket.connect(queue)
    for number, image in enumerate(images):
        header = {"v": 1, "id": number, "format": "raw", "shape": image.shape, "dtype": "uint8"}
        socket.send_multipart([b"python", json.dumps(header).encode(), image.tobytes()])
    return socket


def answers(queue, publisher, images):
    """The daemon's probabilities, [count, clusters]."""
    reader = zmq.Context.instance().socket(zmq.SUB)
    reader.setsockopt(zmq.RCVTIMEO, 30_000)
    reader.connect(publisher)
    reader.subscribe("")
    reader.recv_multipart()  # the heartbeat, by which the subscription is known to have arrived
    sender = send(queue, images)
    found = {}
    while len(found) < len(images):
        topic, body = reader.recv_multipart()
        if topic.startswith(b"assignment/"):
            answer = json.loads(body)
            found[int(answer["id"])] = answer
    sender.close()
    for answer in found.values():
        assert answer["cluster"] == numpy.argmax(answer["probabilities"]), answer
    return numpy.array([found[number]["probabilities"] for number in range(len(images))])


def computed(checkpoint, images):
    """PyTorch's probabilities, [count, clusters]."""
    import torch
    from safetensors import safe_open
    from safetensors.torch import load_file

    sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "ContrastiveClusteringTests" / "Fixtures"))
    from cc_reference import CC

    with safe_open(checkpoint, "pt") as file:
        metadata = file.metadata()
    model = CC(metadata["architecture"], int(metadata["feature_dim"]), int(metadata["clusters"]))
    weights = {name: tensor for name, tensor in load_file(checkpoint).items() if not name.startswith("optimizer.")}
    model.load_state_dict(weights, strict=True)
    model.eval()
    torch.set_num_threads(1)
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        return torch.cat([model(part)[2] for part in x.split(100)]).numpy()


queue, publisher, *checkpoint, count = sys.argv[2:]
images = pictures(int(count))
if sys.argv[1] == "train":
    answers(queue, publisher, images)
else:
    daemon, torch = answers(queue, publisher, images), computed(checkpoint[0], images)
    same = int((daemon.argmax(1) == torch.argmax(1)).sum())
    used = len(set(daemon.argmax(1).tolist()))
    print(json.dumps({"same": same, "difference": float(abs(daemon - torch).max()), "used": used}))
