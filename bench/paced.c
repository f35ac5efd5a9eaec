/*
 * As paced.js at an even rate, in a language that leaves the two cores to what is measured: one thread that sleeps
 * until a request is due or an answer has come, and makes nothing for a request but its two times.
 * Arguments: port, rate (requests a second), count, connections, file of requests, file for the times.
 * The file of requests: each its length as decimal digits and a line break, then its bytes. An answer must be 200.
 * The times are doubles in ms, for each request when it was due, written and answered.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 1024, MAX_REQUESTS = 100000, MAX_ANSWER = 64 * 1024 };

static struct { const char *bytes; size_t length; } requests[MAX_REQUESTS];
static struct { long own; size_t held, expected; char buffer[MAX_ANSWER + 1]; } connections[MAX_CONNECTIONS];
static struct pollfd polled[MAX_CONNECTIONS];
/* A ring of connections that wait for a request. */
static int idle[MAX_CONNECTIONS], first_idle, idle_count;

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static long read_requests(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail(path);
  long n = 0;
  size_t length;
  while (n < MAX_REQUESTS && fscanf(file, "%zu", &length) == 1) {
    char *bytes = malloc(length);
    if (fgetc(file) != '\n' || bytes == NULL || fread(bytes, 1, length, file) != length) fail(path);
    requests[n].bytes = bytes;
    requests[n++].length = length;
  }
  fclose(file);
  return n;
}

static int open_connection(int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int yes = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0) fail("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

/* Whether the answer is whole. */
static int take(int i) {
  ssize_t n = recv(polled[i].fd, connections[i].buffer + connections[i].held,
                   MAX_ANSWER - connections[i].held, MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN) return 0;
  if (n <= 0) fail("an answer");
  connections[i].held += n;
  connections[i].buffer[connections[i].held] = 0;
  if (connections[i].expected == 0) {
    char *end = strstr(connections[i].buffer, "\r\n\r\n");
    if (end == NULL) return 0;
    char *length = strcasestr(connections[i].buffer, "content-length: ");
    if (length == NULL || strncmp(connections[i].buffer, "HTTP/1.1 200 ", 13) != 0) fail(connections[i].buffer);
    connections[i].expected = end + 4 - connections[i].buffer + strtoul(length + 16, NULL, 10);
  }
  return connections[i].held >= connections[i].expected;
}

int main(int argc, char **argv) {
  if (argc != 7) fail("expected port, rate, count, connections, requests, times");
  double gap = 1e3 / atof(argv[2]);
  long count = atol(argv[3]), next = 0, answered = 0;
  int n = atoi(argv[4]);
  if (n > MAX_CONNECTIONS) fail("connections");
  long kinds = read_requests(argv[5]);
  double(*times)[3] = malloc(count * sizeof *times);
  memset(times, 0, count * sizeof *times);
  prctl(PR_SET_TIMERSLACK, 1000UL);
  for (int i = 0; i < n; i++) {
    polled[i] = (struct pollfd){.fd = open_connection(atoi(argv[1])), .events = POLLIN};
    idle[idle_count++] = i;
  }
  double started = now_ms();
  while (answered < count) {
    double now = now_ms();
    while (next < count && idle_count > 0 && started + next * gap <= now) {
      int i = idle[first_idle];
      first_idle = (first_idle + 1) % n;
      idle_count--;
      connections[i].own = next;
      connections[i].held = connections[i].expected = 0;
      times[next][0] = started + next * gap;
      times[next][1] = now_ms();
      ssize_t length = requests[next % kinds].length;
      if (send(polled[i].fd, requests[next % kinds].bytes, length, 0) != length) fail("send");
      next++;
    }
    double wait = next < count && idle_count > 0 ? started + next * gap - now_ms() : 1000;
    struct timespec until = {0, wait > 0 ? (wait < 999 ? wait : 999) * 1e6 : 0};
    if (ppoll(polled, n, &until, NULL) < 0) fail("poll");
    for (int i = 0; i < n; i++) {
      if (!(polled[i].revents & (POLLIN | POLLHUP | POLLERR)) || !take(i)) continue;
      times[connections[i].own][2] = now_ms();
      answered++;
      idle[(first_idle + idle_count++) % n] = i;
    }
  }
  FILE *file = fopen(argv[6], "wb");
  if (file == NULL || fwrite(times, sizeof *times, count, file) != (size_t)count) fail(argv[6]);
  fclose(file);
  return 0;
}
