"""An unmodified vidgear sender: NetGear in any pattern and mode.

usage: netgear_sender.py ENDPOINT PATTERN raw|jpeg COUNT [PAUSE] [OPTIONS]

Sends COUNT pictures, PAUSE seconds apart; 0 is until its standard input is closed. Each picture's message is its number. Prints
what each call of send returns as JSON, and "closed" in the end. OPTIONS are NetGear's, as JSON. The exit code is 77 where a
module is missing.
"""

import json
import select
import sys

try:
    import simplejpeg  # without it NetGear sends raw pixels, whatever it is told
    from vidgear.gears import NetGear
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(77)
import numpy

endpoint, pattern, kind, count = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
pause = float(sys.argv[5]) if len(sys.argv) > 5 else 0
options = json.loads(sys.argv[6]) if len(sys.argv) > 6 else {}
protocol, address, port = endpoint.replace("/", "").split(":")
if options.get("multiclient_mode"):
    port = [port]
sender = NetGear(
    address=address, port=port, protocol=protocol, pattern=pattern, logging=True, jpeg_compression=kind == "jpeg", **options
)

# Blue in OpenCV's order: the second cluster of four by brightness 85, wherever the channels are.
picture = numpy.zeros((48, 64, 3), dtype=numpy.uint8)
picture[:, :, 0] = 255

number = 0
while number < count or count == 0:
    print(json.dumps(sender.send(picture, message=number)), flush=True)
    number += 1
    if select.select([sys.stdin] if count == 0 else [], [], [], pause)[0]:
        break
sender.close()
print("closed", flush=True)
