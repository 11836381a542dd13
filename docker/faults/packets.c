/*
 * packets STATISTICS QUEUE=STAGE[,STAGE]... ...
 * packets try
 *
 * Makes packets late, double, overtaking or wrong, where the kernel itself has no netem. A rule of iptables (-j NFQUEUE) hands
 * what is sent to one peer to one queue; this program decides when and how it goes on. The stages of a queue, in their order:
 *
 *   delay:MILLIS:JITTER    everything is held for MILLIS, more or less by up to JITTER
 *   reorder:PERCENT:MILLIS that share is held for MILLIS, and the others overtake it
 *   duplicate:PERCENT      of that share a copy is sent as well
 *   corrupt:PERCENT        in that share one bit is flipped behind the ports; no checksum is mended, so the receiver finds it
 *
 * STATISTICS is a file that is replaced soon after something changed: a line for each queue with how many packets were seen,
 * held, doubled and corrupted, and for how long they were held: least, most, in all (microseconds). It is there as soon as all
 * queues are bound. SIGTERM lets everything that is held go on and ends the program. "try" only says whether a queue can be had.
 *
 * Copies are sent through a raw socket and carry a mark, by which the rule of iptables lets them pass.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MARK 0x7af7
#define QUEUES_MAX 64
#define STAGES_MAX 16
#define WRITE_EVERY_MICROS 20000

enum kind { DELAY, REORDER, DUPLICATE, CORRUPT };

struct stage {
  enum kind kind;
  int first, second;
};

struct queue {
  int number;
  struct stage stages[STAGES_MAX];
  int stage_count;
  long seen, held, doubled, corrupted;
  int64_t least_micros, most_micros, all_micros;
};

/* A packet on its way. The payload is kept only where it is needed: else the kernel's own copy goes on. */
struct packet {
  int64_t due_micros, came_micros;
  uint64_t order;
  struct queue *queue;
  uint32_t id;
  int copy, changed;
  size_t size;
  unsigned char *payload;
};

static struct queue queues[QUEUES_MAX];
static int queue_count;
static int netlink, raw4 = -1, raw6 = -1;
static uint64_t random_state;
static volatile sig_atomic_t ended;

/* What waits, a binary heap by when it is due; packets due at once keep their order. */
static struct packet **heap;
static size_t waiting, room;

static void die(const char *what) {
  fprintf(stderr, "packets: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int64_t now_micros(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static uint64_t draw(void) { /* xorshift64* */
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return random_state * 0x2545F4914F6CDD1DULL;
}

static int chance(int percent) { return (int)((draw() >> 33) % 10000) < percent * 100; }

/* ---- netlink ---- */

struct message {
  struct nlmsghdr header;
  struct nfgenmsg family;
  unsigned char attributes[66000];
};

static void begin(struct message *m, int type, int flags, int queue) {
  memset(m, 0, sizeof m->header + sizeof m->family);
  m->header.nlmsg_len = NLMSG_LENGTH(sizeof m->family);
  m->header.nlmsg_type = (NFNL_SUBSYS_QUEUE << 8) | type;
  m->header.nlmsg_flags = NLM_F_REQUEST | flags;
  m->family.version = NFNETLINK_V0;
  m->family.res_id = htons(queue);
}

static void attribute(struct message *m, int type, const void *data, size_t size) {
  struct nlattr *a = (struct nlattr *)((char *)m + NLMSG_ALIGN(m->header.nlmsg_len));
  a->nla_type = type;
  a->nla_len = NLA_HDRLEN + size;
  memcpy((char *)a + NLA_HDRLEN, data, size);
  m->header.nlmsg_len = NLMSG_ALIGN(m->header.nlmsg_len) + NLA_ALIGN(a->nla_len);
}

static struct message out;
static unsigned char in[1 << 17];

static void receive(int64_t until_micros);

/* Sends a configuration and waits for its acknowledgement; packets that come in between are treated as ever. */
static int acknowledged = 1;

static void configure(void) {
  acknowledged = 0;
  if (send(netlink, &out, out.header.nlmsg_len, 0) < 0) die("configuring a queue");
  while (!acknowledged) receive(now_micros() + 1000000);
}

static void bind_queue(int number) {
  struct nfqnl_msg_config_cmd bind_it = {NFQNL_CFG_CMD_BIND, 0, 0};
  begin(&out, NFQNL_MSG_CONFIG, NLM_F_ACK, number);
  attribute(&out, NFQA_CFG_CMD, &bind_it, sizeof bind_it);
  configure();
  struct nfqnl_msg_config_params params;
  memset(&params, 0, sizeof params);
  params.copy_range = htonl(0xffff);
  params.copy_mode = NFQNL_COPY_PACKET;
  uint32_t length = htonl(100000);
  begin(&out, NFQNL_MSG_CONFIG, NLM_F_ACK, number);
  attribute(&out, NFQA_CFG_PARAMS, &params, sizeof params);
  attribute(&out, NFQA_CFG_QUEUE_MAXLEN, &length, sizeof length);
  configure();
}

/* ---- what is done to one packet ---- */

static void send_copy(struct packet *p) {
  if (p->size >= 20 && p->payload[0] >> 4 == 4) {
    struct sockaddr_in to = {AF_INET};
    memcpy(&to.sin_addr, p->payload + 16, 4);
    if (sendto(raw4, p->payload, p->size, 0, (struct sockaddr *)&to, sizeof to) >= 0) p->queue->doubled++;
  } else if (p->size >= 40) {
    struct sockaddr_in6 to = {AF_INET6};
    memcpy(&to.sin6_addr, p->payload + 24, 16);
    if (sendto(raw6, p->payload, p->size, 0, (struct sockaddr *)&to, sizeof to) >= 0) p->queue->doubled++;
  }
}

static void let_go(struct packet *p) {
  struct nfqnl_msg_verdict_hdr verdict = {htonl(NF_ACCEPT), htonl(p->id)};
  begin(&out, NFQNL_MSG_VERDICT, 0, p->queue->number);
  attribute(&out, NFQA_VERDICT_HDR, &verdict, sizeof verdict);
  if (p->changed) attribute(&out, NFQA_PAYLOAD, p->payload, p->size);
  if (send(netlink, &out, out.header.nlmsg_len, 0) < 0) die("letting a packet go");
  if (p->due_micros > p->came_micros) {
    struct queue *q = p->queue;
    int64_t held = now_micros() - p->came_micros;
    if (q->held++ == 0 || held < q->least_micros) q->least_micros = held;
    if (held > q->most_micros) q->most_micros = held;
    q->all_micros += held;
  }
  if (p->copy) send_copy(p);
  free(p->payload);
  free(p);
}

/* One bit of what a checksum of the transport covers, but not its ports: the packet shall reach whom it is for. */
static void flip(struct packet *p) {
  size_t header = p->size > 0 && p->payload[0] >> 4 == 4 ? (size_t)(p->payload[0] & 15) * 4 : 40;
  if (p->size <= header + 4) return;
  uint64_t bit = (draw() >> 1) % ((p->size - header - 4) * 8);
  p->payload[header + 4 + bit / 8] ^= 1 << bit % 8;
  p->changed = 1;
  p->queue->corrupted++;
}

static int before(struct packet *a, struct packet *b) {
  return a->due_micros != b->due_micros ? a->due_micros < b->due_micros : a->order < b->order;
}

static void hold(struct packet *p) {
  if (waiting == room) {
    room = room ? room * 2 : 1024;
    heap = realloc(heap, room * sizeof *heap);
    if (!heap) die("holding packets");
  }
  size_t i = waiting++;
  for (; i > 0 && before(p, heap[(i - 1) / 2]); i = (i - 1) / 2) heap[i] = heap[(i - 1) / 2];
  heap[i] = p;
}

static struct packet *first_due(void) {
  struct packet *first = heap[0], *last = heap[--waiting];
  size_t i = 0;
  for (size_t child; (child = 2 * i + 1) < waiting; i = child) {
    if (child + 1 < waiting && before(heap[child + 1], heap[child])) child++;
    if (!before(heap[child], last)) break;
    heap[i] = heap[child];
  }
  heap[i] = last;
  return first;
}

static void treat(struct queue *q, uint32_t id, const unsigned char *payload, size_t size) {
  static uint64_t order;
  struct packet *p = calloc(1, sizeof *p);
  if (!p || !(p->payload = malloc(size ? size : 1))) die("holding a packet");
  memcpy(p->payload, payload, size);
  p->size = size;
  p->queue = q;
  p->id = id;
  p->order = order++;
  p->came_micros = p->due_micros = now_micros();
  q->seen++;
  for (int i = 0; i < q->stage_count; i++) {
    struct stage *s = &q->stages[i];
    switch (s->kind) {
      case DELAY: {
        int64_t jitter = s->second ? (int64_t)((draw() >> 1) % (2000 * s->second + 1)) - 1000 * s->second : 0;
        int64_t delay = 1000 * s->first + jitter;
        if (delay > 0) p->due_micros += delay;
        break;
      }
      case REORDER:
        if (chance(s->first)) p->due_micros += 1000 * s->second;
        break;
      case DUPLICATE:
        p->copy |= chance(s->first);
        break;
      case CORRUPT:
        if (chance(s->first)) flip(p);
        break;
    }
  }
  if (p->due_micros > p->came_micros) hold(p);
  else let_go(p);
}

/* ---- the loop ---- */

static void understand(struct nlmsghdr *h) {
  if (h->nlmsg_type == NLMSG_ERROR) {
    int error = ((struct nlmsgerr *)NLMSG_DATA(h))->error;
    if (!acknowledged && error) {
      errno = -error;
      die("binding a queue");
    }
    /* A verdict on a packet that is no more (its device went) is none of our concern. */
    acknowledged = 1;
    return;
  }
  if (h->nlmsg_type != ((NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_PACKET)) return;
  struct nfgenmsg *family = NLMSG_DATA(h);
  struct queue *queue = NULL;
  for (int i = 0; i < queue_count; i++) {
    if (queues[i].number == ntohs(family->res_id)) queue = &queues[i];
  }
  uint32_t id = 0;
  const unsigned char *payload = (const unsigned char *)"";
  size_t size = 0;
  int left = h->nlmsg_len - NLMSG_LENGTH(sizeof *family);
  struct nlattr *a = (struct nlattr *)((char *)family + NLMSG_ALIGN(sizeof *family));
  while (left >= (int)NLA_HDRLEN && a->nla_len >= NLA_HDRLEN && a->nla_len <= left) {
    int type = a->nla_type & NLA_TYPE_MASK;
    unsigned char *data = (unsigned char *)a + NLA_HDRLEN;
    if (type == NFQA_PACKET_HDR) id = ntohl(((struct nfqnl_msg_packet_hdr *)data)->packet_id);
    if (type == NFQA_PAYLOAD) {
      payload = data;
      size = a->nla_len - NLA_HDRLEN;
    }
    left -= NLA_ALIGN(a->nla_len);
    a = (struct nlattr *)((char *)a + NLA_ALIGN(a->nla_len));
  }
  if (queue) treat(queue, id, payload, size);
}

static void receive(int64_t until_micros) {
  int64_t wait = until_micros - now_micros();
  struct pollfd ready = {netlink, POLLIN, 0};
  struct timespec timeout = {0, 0};
  if (wait > 0) {
    timeout.tv_sec = wait / 1000000;
    timeout.tv_nsec = wait % 1000000 * 1000;
  }
  /* SIGTERM comes in here and nowhere else, so that none is missed. */
  sigset_t none;
  sigemptyset(&none);
  if (ppoll(&ready, 1, &timeout, &none) <= 0) return;
  ssize_t size = recv(netlink, in, sizeof in, 0);
  if (size < 0) {
    if (errno == EINTR || errno == ENOBUFS) return;
    die("receiving packets");
  }
  for (struct nlmsghdr *h = (struct nlmsghdr *)in; NLMSG_OK(h, size); h = NLMSG_NEXT(h, size)) understand(h);
}

static void write_statistics(const char *file) {
  char temporary[4096];
  snprintf(temporary, sizeof temporary, "%s.new", file);
  FILE *f = fopen(temporary, "w");
  if (!f) die(temporary);
  for (int i = 0; i < queue_count; i++) {
    struct queue *q = &queues[i];
    fprintf(f, "queue %d seen %ld held %ld doubled %ld corrupted %ld least %lld most %lld all %lld\n", q->number, q->seen,
            q->held, q->doubled, q->corrupted, (long long)q->least_micros, (long long)q->most_micros,
            (long long)q->all_micros);
  }
  if (fclose(f) || rename(temporary, file)) die(file);
}

static long happened(void) {
  long sum = 0;
  for (int i = 0; i < queue_count; i++) sum += queues[i].seen + queues[i].held + queues[i].doubled;
  return sum;
}

static void usage(const char *word) {
  fprintf(stderr, "packets: not understood: %s\n", word);
  exit(2);
}

static void parse(char *word) {
  if (queue_count == QUEUES_MAX) usage("too many queues");
  struct queue *q = &queues[queue_count++];
  char *stages = strchr(word, '=');
  if (!stages) usage(word);
  q->number = atoi(word);
  for (char *s = strtok(stages + 1, ","); s; s = strtok(NULL, ",")) {
    if (q->stage_count == STAGES_MAX) usage("too many stages");
    struct stage *stage = &q->stages[q->stage_count++];
    if (sscanf(s, "delay:%d:%d", &stage->first, &stage->second) == 2) stage->kind = DELAY;
    else if (sscanf(s, "reorder:%d:%d", &stage->first, &stage->second) == 2) stage->kind = REORDER;
    else if (sscanf(s, "duplicate:%d", &stage->first) == 1) stage->kind = DUPLICATE;
    else if (sscanf(s, "corrupt:%d", &stage->first) == 1) stage->kind = CORRUPT;
    else usage(s);
  }
}

static void end(int signal) { ended = signal; }

static int raw_socket(int family) {
  int mark = MARK;
  int s = socket(family, SOCK_RAW, IPPROTO_RAW);
  if (s < 0 || setsockopt(s, SOL_SOCKET, SO_MARK, &mark, sizeof mark)) return -1;
  return s;
}

int main(int count, char **words) {
  int trial = count == 2 && !strcmp(words[1], "try");
  if (!trial && count < 3) usage("packets STATISTICS QUEUE=STAGE[,STAGE]... ...");
  for (int i = 2; i < count; i++) parse(words[i]);
  random_state = (uint64_t)now_micros() * 2654435761u + getpid();
  netlink = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
  struct sockaddr_nl self = {AF_NETLINK};
  if (netlink < 0 || bind(netlink, (struct sockaddr *)&self, sizeof self)) die("netlink");
  int size = 16 << 20;
  setsockopt(netlink, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  /* There is none where the kernel has no IPv6; then there is nothing to copy either. */
  raw6 = raw_socket(AF_INET6);
  raw4 = raw_socket(AF_INET);
  if (raw4 < 0) die("raw socket");
  if (trial) {
    bind_queue(65535);
    return 0;
  }
  struct sigaction action = {0};
  action.sa_handler = end;
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigprocmask(SIG_BLOCK, &term, NULL);
  sigaction(SIGTERM, &action, NULL);
  for (int i = 0; i < queue_count; i++) bind_queue(queues[i].number);
  write_statistics(words[1]);
  long written = 0;
  int64_t next_writing = 0;
  while (!ended) {
    int64_t now = now_micros();
    while (waiting && heap[0]->due_micros <= now) let_go(first_due());
    if (happened() != written && now >= next_writing) {
      write_statistics(words[1]);
      written = happened();
      next_writing = now + WRITE_EVERY_MICROS;
    }
    int64_t until = happened() != written ? next_writing : now + 1000000;
    if (waiting && heap[0]->due_micros < until) until = heap[0]->due_micros;
    receive(until);
  }
  while (waiting) let_go(first_due());
  write_statistics(words[1]);
  return 0;
}
