/* A consumer in C: prints each assignment, and at the end how many pictures each cluster had.
 *
 *     cc -O2 -o consumer consumer.c -lzmq        (Debian: apt-get install libzmq3-dev)
 *     ./consumer [COUNT] [ENDPOINT]
 *
 * Ends after COUNT assignments, 0 is never. A topic is assignment/SOURCE/CLUSTER, so the cluster is known without a look at
 * the JSON that follows, and a subscription to "assignment/door/" would have one source's alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum { MOST_CLUSTERS = 10000 };

/* The next frame as a string, at most size - 1 bytes of it; -1 where there is none. */
static int receive(void *socket, char *text, size_t size)
{
    int length = zmq_recv(socket, text, size - 1, 0);
    if (length >= 0)
        text[(size_t)length < size ? (size_t)length : size - 1] = '\0';
    return length;
}

/* Whether the message goes on; frames that are not wanted, such as an embedding, are passed over. */
static int has_more(void *socket)
{
    int more = 0;
    size_t size = sizeof more;
    return zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) == 0 && more;
}

int main(int count, char **arguments)
{
    long wanted = count > 1 ? atol(arguments[1]) : 0;
    const char *endpoint = count > 2 ? arguments[2] : "tcp://127.0.0.1:5557";
    static long sizes[MOST_CLUSTERS];
    static char topic[512], body[1 << 16];

    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_SUB);
    if (zmq_connect(socket, endpoint) != 0 || zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "assignment/", 11) != 0) {
        fprintf(stderr, "%s: %s\n", endpoint, zmq_strerror(zmq_errno()));
        return 1;
    }
    fprintf(stderr, "listening\n");
    for (long seen = 0; wanted == 0 || seen < wanted; seen++) {
        if (receive(socket, topic, sizeof topic) < 0 || !has_more(socket) || receive(socket, body, sizeof body) < 0)
            break;
        while (has_more(socket))
            zmq_recv(socket, NULL, 0, 0);
        const char *slash = strrchr(topic, '/');
        long cluster = slash ? atol(slash + 1) : -1;
        if (cluster >= 0 && cluster < MOST_CLUSTERS)
            sizes[cluster]++;
        printf("%s %s\n", topic, body);
        fflush(stdout);
    }
    for (int cluster = 0; cluster < MOST_CLUSTERS; cluster++)
        if (sizes[cluster])
            printf("cluster %d: %ld\n", cluster, sizes[cluster]);
    zmq_close(socket);
    zmq_ctx_term(context);
    return 0;
}
