// libzmq's public C interface (Debian: libzmq3-dev).
#include <zmq.h>
