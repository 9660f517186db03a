/*
 * milterload - a load generator that speaks the MTA's side of the milter protocol,
 * version 6, to one filter.
 *
 *     gcc -O2 -o milterload milterload.c
 *     ./milterload -s unix:/run/filter.sock -f message.eml -c 10 -n 5000 -p PID
 *
 * One thread, one epoll loop, closed: each of -c connections sends one message after
 * the other. It does what Postfix does, for that decides what a filter costs:
 *
 *   - it offers all actions and protocol flags, and honours what the filter picks:
 *     SMFIP_NO*, SMFIP_NR_*, SMFIP_SKIP, SMFIP_HDR_LEADSPC, lists of macros;
 *   - commands that get no reply wait in a buffer until one that does is sent;
 *   - macros precede the command that they belong to; those of end-of-headers precede
 *     every header too, and those of commands that the filter declined come all the
 *     same;
 *   - SMFIC_ABORT follows each message; after -k messages SMFIC_QUIT ends the session,
 *     and the next one begins on a new connection.
 *
 * In the headers of the message file @@SENDER@@, @@RCPT@@ and @@N@@ become different
 * for each message. The SASL login is the sender.
 *
 * The result is one line of JSON. Time is milliseconds; CPU time is that of user and
 * system, of all threads dead or alive, from before the first connection until the last
 * one was closed, divided by the number of messages. It is the sum that stands in
 * /proc/PID/stat, without its ticks of 10 ms.
 *
 * Exit status: 0 everything as expected; 1 other verdicts than expected, lost
 * connections, not done in time; 2 could not run.
 *
 * Limits: SMFIC_UNKNOWN is never sent; a message has at most 16 MiB.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { /* SMFIP_*, mfdef.h */
    P_NOCONNECT = 1 << 0,
    P_NOHELO = 1 << 1,
    P_NOMAIL = 1 << 2,
    P_NORCPT = 1 << 3,
    P_NOBODY = 1 << 4,
    P_NOHDRS = 1 << 5,
    P_NOEOH = 1 << 6,
    P_NR_HDR = 1 << 7,
    P_NODATA = 1 << 9,
    P_NR_CONN = 1 << 12,
    P_NR_HELO = 1 << 13,
    P_NR_MAIL = 1 << 14,
    P_NR_RCPT = 1 << 15,
    P_NR_DATA = 1 << 16,
    P_NR_EOH = 1 << 18,
    P_NR_BODY = 1 << 19,
    P_HDR_LEADSPC = 1 << 20,
    P_ALL = 0x1fffff,
};

enum {
    PROTOCOL_VERSION = 6,
    ALL_ACTIONS = 0x1ff,     /* SMFIF_* */
    BODY_CHUNK = 65535,      /* MILTER_CHUNK_SIZE */
    MAX_MESSAGE = 16 << 20,
    MAX_HEADER = 16384,
    MAX_PACKET = 64 << 20,   /* a reply beyond that is no milter */
    MAX_PIDS = 64,
    SETTLE_MS = 100,         /* for the filter to see the last connections end */
};

/* What a connection does next. */
enum step { NEGOTIATE, CONNECT, HELO, MAIL, RCPT, DATA, HEADER, EOH, BODY, EOM };

/* Stages with a list of macros, SMFIM_*. */
enum stage { M_CONNECT, M_HELO, M_MAIL, M_RCPT, M_DATA, M_EOM, M_EOH, STAGES };

/* Postfix 3.7, milter_*_macros. */
static const char *const default_macros[STAGES] = {
    [M_CONNECT] = "j {daemon_name} {daemon_addr} v _",
    [M_HELO] = "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}",
    [M_MAIL] = "{auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} "
               "{mail_mailer}",
    [M_RCPT] = "{rcpt_addr} {rcpt_host} {rcpt_mailer}",
    [M_DATA] = "i",
    [M_EOM] = "i",
    [M_EOH] = "i",
};

enum verdict { ACCEPT, REJECT, DEFER, DISCARD, QUARANTINE, FAILED, VERDICTS };
static const char *const verdict_name[VERDICTS] = {
    "accept", "reject", "defer", "discard", "quarantine", "error",
};

struct buffer {
    char *bytes;
    size_t length, capacity, offset;
};

struct connection {
    int fd;
    enum step step;
    uint32_t flags;       /* SMFIP_*, as agreed */
    char *macros[STAGES]; /* lists that the filter asked for, or NULL */
    struct buffer out, in;
    long message;         /* number of the message under way */
    long session;
    int in_session;       /* messages done in this session */
    int recipient, recipients_taken;
    size_t header, body_offset;
    bool skip_body, quarantined, busy;
    uint64_t began_ns;
};

struct header {
    char *name, *value;
    bool dynamic;
    struct buffer wire[2]; /* without and with SMFIP_HDR_LEADSPC */
};

static struct {
    const char *target, *template;
    int connections, per_session, recipients, senders, patience_s;
    int expected; /* a verdict, -1 for any */
    long messages;
    bool anonymous;
    int pids[MAX_PIDS], pid_count;
} option = {
    .connections = 10,
    .per_session = 1,
    .recipients = 1,
    .senders = 100,
    .patience_s = 60,
    .expected = ACCEPT,
    .messages = 5000,
};

static struct header *headers;
static size_t header_count;
static char *body;
static size_t body_length;
static char size_parameter[32]; /* of MAIL, RFC 1870 */
static int poller;
static long issued, finished, unexpected, sessions, changes;
static long verdicts[VERDICTS];
static double *latency_ms;
static uint32_t agreed;

static uint64_t now_ns(clockid_t clock)
{
    struct timespec t;
    if (clock_gettime(clock, &t)) return 0;
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "milterload: %s: %s\n", what,
            errno ? strerror(errno) : "protocol error");
    exit(2);
}

/* Buffers and packets. */

static void put(struct buffer *b, const void *bytes, size_t count)
{
    if (b->length + count > b->capacity) {
        b->capacity = (b->length + count) * 2 + 256;
        b->bytes = realloc(b->bytes, b->capacity);
        if (!b->bytes) die("memory");
    }
    memcpy(b->bytes + b->length, bytes, count);
    b->length += count;
}

static void put_text(struct buffer *b, const char *text)
{
    put(b, text, strlen(text) + 1);
}

static size_t begin_packet(struct buffer *b, char command)
{
    size_t at = b->length;
    put(b, "\0\0\0", 4);
    put(b, &command, 1);
    return at;
}

static void end_packet(struct buffer *b, size_t at)
{
    uint32_t length = htonl((uint32_t)(b->length - at - 4));
    memcpy(b->bytes + at, &length, 4);
}

static void put_command(struct buffer *b, char command)
{
    end_packet(b, begin_packet(b, command));
}

/* Who writes to whom. */

static void sender_of(long message, char *text, size_t size)
{
    long sender = message % option.senders;
    snprintf(text, size, "user%ld@customer%ld.example", sender, sender % 20);
}

static void recipient_of(long message, int number, char *text, size_t size)
{
    long recipient = (message * option.recipients + number) % 1000;
    snprintf(text, size, "rcpt%ld@dest%ld.example", recipient, recipient % 50);
}

static void address_of(long session, char *text, size_t size)
{
    snprintf(text, size, "198.51.100.%ld", session % 50 + 1);
}

static void macro_value(const struct connection *c, const char *name, char *value,
                        size_t size)
{
    static const struct { const char *name, *value; } fixed[] = {
        {"j", "mx.relay.example"},
        {"{daemon_name}", "mx.relay.example"},
        {"v", "Postfix 3.7.11"},
        {"{client_name}", "client.example"},
        {"{client_ptr}", "client.example"},
        {"{client_port}", "40000"},
        {"{daemon_addr}", "127.0.0.1"},
        {"{daemon_port}", "587"},
        {"{mail_host}", "dest.example"},
        {"{rcpt_host}", "dest.example"},
        {"{mail_mailer}", "smtp"},
        {"{rcpt_mailer}", "smtp"},
        {"{tls_version}", "TLSv1.3"},
        {"{cipher}", "TLS_AES_256_GCM_SHA384"},
        {"{cipher_bits}", "256"},
    };
    char address[128];

    *value = 0;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        if (strcmp(name, fixed[i].name)) continue;
        snprintf(value, size, "%s", fixed[i].value);
        return;
    }
    if (!strcmp(name, "i")) {
        snprintf(value, size, "%08lX", c->message);
    } else if (!strcmp(name, "_")) {
        address_of(c->session, address, sizeof address);
        snprintf(value, size, "client.example [%s]", address);
    } else if (!strcmp(name, "{client_addr}")) {
        address_of(c->session, value, size);
    } else if (!strcmp(name, "{auth_authen}")) {
        if (!option.anonymous) sender_of(c->message, value, size);
    } else if (!strcmp(name, "{auth_type}")) {
        if (!option.anonymous) snprintf(value, size, "PLAIN");
    } else if (!strcmp(name, "{mail_addr}")) {
        sender_of(c->message, value, size);
    } else if (!strcmp(name, "{rcpt_addr}")) {
        recipient_of(c->message, c->recipient, value, size);
    }
}

static void put_macros(struct connection *c, enum stage stage, char command)
{
    const char *list = c->macros[stage] ? c->macros[stage] : default_macros[stage];
    size_t at = begin_packet(&c->out, 'D');
    char name[64], value[256];

    put(&c->out, &command, 1);
    while (*list) {
        size_t length = strcspn(list, " ,");
        if (length && length < sizeof name) {
            memcpy(name, list, length);
            name[length] = 0;
            macro_value(c, name, value, sizeof value);
            if (*value) {
                put_text(&c->out, name);
                put_text(&c->out, value);
            }
        }
        list += length;
        list += strspn(list, " ,");
    }
    end_packet(&c->out, at);
}

/* The message. */

static const char *expand(const struct connection *c, const char *value)
{
    static char text[MAX_HEADER];
    char word[128];
    size_t length = 0;

    while (*value && length < sizeof text - sizeof word) {
        if (!strncmp(value, "@@SENDER@@", 10)) {
            sender_of(c->message, word, sizeof word);
            value += 10;
        } else if (!strncmp(value, "@@RCPT@@", 8)) {
            recipient_of(c->message, 0, word, sizeof word);
            value += 8;
        } else if (!strncmp(value, "@@N@@", 5)) {
            snprintf(word, sizeof word, "%ld", c->message);
            value += 5;
        } else {
            text[length++] = *value++;
            continue;
        }
        length += (size_t)sprintf(text + length, "%s", word);
    }
    text[length] = 0;
    return text;
}

static void put_field(struct buffer *b, const char *name, const char *value, bool space)
{
    size_t at = begin_packet(b, 'L');
    put_text(b, name);
    if (space) put(b, " ", 1);
    put_text(b, value);
    end_packet(b, at);
}

static void put_header(struct connection *c, struct header *h)
{
    bool space = c->flags & P_HDR_LEADSPC;
    if (h->dynamic)
        put_field(&c->out, h->name, expand(c, h->value), space);
    else
        put(&c->out, h->wire[space].bytes, h->wire[space].length);
}

static void add_header(char *line)
{
    char *colon = strchr(line, ':');
    if (!colon) die("a header without a colon");
    *colon++ = 0;
    if (*colon == ' ') colon++;
    headers = realloc(headers, (header_count + 1) * sizeof *headers);
    if (!headers) die("memory");
    struct header *h = &headers[header_count++];
    memset(h, 0, sizeof *h);
    h->name = strdup(line);
    h->value = strdup(colon);
    h->dynamic = strstr(colon, "@@") != NULL;
    for (int space = 0; space < 2; space++)
        put_field(&h->wire[space], h->name, h->value, space);
}

/* Folds of headers travel as LF, lines of bodies as CRLF. */
static void load_template(const char *path)
{
    static char text[MAX_MESSAGE];
    FILE *file = fopen(path, "rb");
    if (!file) die(path);
    size_t size = fread(text, 1, sizeof text - 1, file), at = 0;
    fclose(file);

    while (at < size && text[at] != '\n') {
        char line[MAX_HEADER];
        size_t length = 0;
        for (;;) {
            size_t end = strcspn(text + at, "\n");
            if (length + end + 2 > sizeof line) die("a header too long");
            memcpy(line + length, text + at, end);
            length += end;
            at += end + 1;
            if (at >= size || (text[at] != ' ' && text[at] != '\t')) break;
            line[length++] = '\n';
        }
        line[length] = 0;
        add_header(line);
    }

    struct buffer b = {0};
    for (at++; at < size; at++) {
        if (text[at] == '\n')
            put(&b, "\r\n", 2);
        else
            put(&b, text + at, 1);
    }
    body = b.bytes;
    body_length = b.length;
    snprintf(size_parameter, sizeof size_parameter, "SIZE=%zu", size);
}

/* Sockets. */

static int dial(void)
{
    int fd;
    if (!strncmp(option.target, "inet:", 5)) { /* inet:port@address */
        const char *at = strchr(option.target, '@');
        struct sockaddr_in a = {
            .sin_family = AF_INET,
            .sin_port = htons((uint16_t)atoi(option.target + 5)),
        };
        if (inet_pton(AF_INET, at ? at + 1 : "127.0.0.1", &a.sin_addr) != 1)
            die("address");
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a)) die("connect");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    } else {
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        const char *path = option.target;
        if (!strncmp(path, "unix:", 5)) path += 5;
        snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a)) die("connect");
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void watch(struct connection *c, int operation, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = c};
    if (epoll_ctl(poller, operation, c->fd, &e)) die("epoll_ctl");
}

static void open_connection(struct connection *c)
{
    c->fd = dial();
    watch(c, EPOLL_CTL_ADD, EPOLLIN);
    c->step = NEGOTIATE;
    c->session = sessions++;
    c->in_session = 0;
    c->in.length = c->in.offset = c->out.length = c->out.offset = 0;
    for (int stage = 0; stage < STAGES; stage++) {
        free(c->macros[stage]);
        c->macros[stage] = NULL;
    }
}

static void close_connection(struct connection *c)
{
    close(c->fd);
    c->fd = -1;
}

static void flush(struct connection *c)
{
    struct buffer *b = &c->out;
    while (b->offset < b->length) {
        ssize_t n = write(c->fd, b->bytes + b->offset, b->length - b->offset);
        if (n < 0 && errno == EAGAIN) {
            watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            return;
        }
        if (n < 0) return; /* whoever reads sees the end */
        b->offset += (size_t)n;
    }
    b->length = b->offset = 0;
}

/* One message. */

static void start_message(struct connection *c);

static void finish_message(struct connection *c, enum verdict v)
{
    if (v == ACCEPT && c->quarantined) v = QUARANTINE;
    latency_ms[finished++] =
        (double)(now_ns(CLOCK_MONOTONIC) - c->began_ns) / 1e6;
    verdicts[v]++;
    if (option.expected >= 0 && (int)v != option.expected) unexpected++;
    c->busy = false;

    bool ends = ++c->in_session >= option.per_session || issued >= option.messages;
    if (v != FAILED) {
        put_command(&c->out, 'A');
        if (ends) put_command(&c->out, 'Q');
        if (ends) flush(c);
    }
    if (ends || v == FAILED) close_connection(c);
    if (issued >= option.messages) return;
    if (c->fd < 0)
        open_connection(c);
    else
        c->step = MAIL;
    start_message(c);
}

static bool wanted(const struct connection *c, uint32_t declined)
{
    return !(c->flags & declined);
}

static void put_connect(struct connection *c)
{
    char address[64];
    uint16_t port = htons(40000);
    size_t at = begin_packet(&c->out, 'C');
    put_text(&c->out, "client.example");
    put(&c->out, "4", 1);
    put(&c->out, &port, 2);
    address_of(c->session, address, sizeof address);
    put_text(&c->out, address);
    end_packet(&c->out, at);
}

static void put_path(struct connection *c, char command, const char *path,
                     const char *parameter)
{
    char text[200];
    size_t at = begin_packet(&c->out, command);
    snprintf(text, sizeof text, "<%s>", path);
    put_text(&c->out, text);
    if (parameter) put_text(&c->out, parameter);
    end_packet(&c->out, at);
}

/* Gives the next command to the buffer; true if its reply must be waited for. */
static bool take_step(struct connection *c)
{
    struct buffer *o = &c->out;
    char path[160];
    size_t at;

    switch (c->step) {
    case NEGOTIATE: {
        uint32_t offer[3] = {
            htonl(PROTOCOL_VERSION), htonl(ALL_ACTIONS), htonl(P_ALL),
        };
        at = begin_packet(o, 'O');
        put(o, offer, sizeof offer);
        end_packet(o, at);
        return true;
    }
    case CONNECT:
        put_macros(c, M_CONNECT, 'C');
        if (wanted(c, P_NOCONNECT)) {
            put_connect(c);
            if (wanted(c, P_NR_CONN)) return true;
        }
        c->step = HELO;
        return false;
    case HELO:
        put_macros(c, M_HELO, 'H');
        if (wanted(c, P_NOHELO)) {
            at = begin_packet(o, 'H');
            put_text(o, "client.example");
            end_packet(o, at);
            if (wanted(c, P_NR_HELO)) return true;
        }
        c->step = MAIL;
        return false;
    case MAIL:
        c->recipient = c->recipients_taken = 0;
        c->header = c->body_offset = 0;
        c->skip_body = c->quarantined = false;
        put_macros(c, M_MAIL, 'M');
        if (wanted(c, P_NOMAIL)) {
            sender_of(c->message, path, sizeof path);
            put_path(c, 'M', path, size_parameter);
            if (wanted(c, P_NR_MAIL)) return true;
        }
        c->step = RCPT;
        return false;
    case RCPT:
        if (c->recipient >= option.recipients) {
            bool asked = wanted(c, P_NORCPT) && wanted(c, P_NR_RCPT);
            c->step = DATA;
            if (asked && !c->recipients_taken) finish_message(c, REJECT);
            return false;
        }
        put_macros(c, M_RCPT, 'R');
        if (wanted(c, P_NORCPT)) {
            recipient_of(c->message, c->recipient, path, sizeof path);
            put_path(c, 'R', path, NULL);
            if (wanted(c, P_NR_RCPT)) return true;
        }
        c->recipient++;
        return false;
    case DATA:
        put_macros(c, M_DATA, 'T');
        if (wanted(c, P_NODATA)) {
            put_command(o, 'T');
            if (wanted(c, P_NR_DATA)) return true;
        }
        c->step = HEADER;
        return false;
    case HEADER:
        if (!wanted(c, P_NOHDRS) || c->header >= header_count) {
            c->step = EOH;
            return false;
        }
        put_macros(c, M_EOH, 'L');
        put_header(c, &headers[c->header]);
        if (wanted(c, P_NR_HDR)) return true;
        c->header++;
        return false;
    case EOH:
        if (wanted(c, P_NOEOH)) {
            put_macros(c, M_EOH, 'N');
            put_command(o, 'N');
            if (wanted(c, P_NR_EOH)) return true;
        }
        c->step = BODY;
        return false;
    case BODY: {
        size_t left = body_length - c->body_offset;
        if (!wanted(c, P_NOBODY) || c->skip_body || !left) {
            c->step = EOM;
            return false;
        }
        if (left > BODY_CHUNK) left = BODY_CHUNK;
        put_macros(c, M_EOM, 'B');
        at = begin_packet(o, 'B');
        put(o, body + c->body_offset, left);
        end_packet(o, at);
        c->body_offset += left;
        return wanted(c, P_NR_BODY);
    }
    case EOM:
        put_macros(c, M_EOM, 'E');
        put_command(o, 'E');
        return true;
    }
    return true;
}

static void go_on(struct connection *c)
{
    long message = c->message;
    while (!take_step(c))
        if (c->message != message || !c->busy) return; /* it ended on the way */
    flush(c);
}

static void start_message(struct connection *c)
{
    c->message = issued++;
    c->busy = true;
    c->began_ns = now_ns(CLOCK_MONOTONIC);
    go_on(c);
}

static void on_negotiated(struct connection *c, const char *data, size_t length)
{
    uint32_t words[3];
    if (c->step != NEGOTIATE || length < sizeof words) {
        finish_message(c, FAILED);
        return;
    }
    memcpy(words, data, sizeof words);
    c->flags = agreed = ntohl(words[2]);
    const char *end = data + length;
    for (const char *at = data + sizeof words; at + 4 < end;) {
        uint32_t stage;
        memcpy(&stage, at, 4);
        stage = ntohl(stage);
        at += 4;
        size_t size = strnlen(at, (size_t)(end - at));
        if (stage < STAGES) {
            free(c->macros[stage]);
            c->macros[stage] = strndup(at, size);
        }
        at += size + 1;
    }
    c->step = CONNECT;
    go_on(c);
}

static void on_continue(struct connection *c, bool skip)
{
    switch (c->step) {
    case CONNECT: c->step = HELO; break;
    case HELO: c->step = MAIL; break;
    case MAIL: c->step = RCPT; break;
    case RCPT: c->recipient++; c->recipients_taken++; break;
    case DATA: c->step = HEADER; break;
    case HEADER: c->header = skip ? header_count : c->header + 1; break;
    case EOH: c->step = BODY; break;
    case BODY: c->skip_body = skip; break;
    case EOM: finish_message(c, ACCEPT); return;
    default: finish_message(c, FAILED); return;
    }
    go_on(c);
}

/* A reply that ends the wait for the command under way. */
static void on_reply(struct connection *c, char reply, const char *data, size_t length)
{
    enum verdict v;
    switch (reply) {
    case 'O': on_negotiated(c, data, length); return;
    case 'c': on_continue(c, false); return;
    case 's': on_continue(c, true); return;
    case 'a': v = ACCEPT; break;
    case 'd': v = DISCARD; break;
    case 'r': v = REJECT; break;
    case 't': v = DEFER; break;
    case 'y': v = length && data[0] == '4' ? DEFER : REJECT; break;
    default: v = FAILED;
    }
    if (c->step == RCPT && (v == REJECT || v == DEFER)) { /* this recipient alone */
        c->recipient++;
        go_on(c);
        return;
    }
    finish_message(c, v);
}

static void on_readable(struct connection *c)
{
    char chunk[65536];
    for (;;) {
        ssize_t n = read(c->fd, chunk, sizeof chunk);
        if (n < 0 && errno == EAGAIN) break;
        if (n <= 0) {
            if (c->busy)
                finish_message(c, FAILED);
            else
                close_connection(c);
            return;
        }
        put(&c->in, chunk, (size_t)n);
        if ((size_t)n < sizeof chunk) break;
    }
    while (c->fd >= 0 && c->in.length - c->in.offset >= 5) {
        uint32_t length;
        const char *at = c->in.bytes + c->in.offset;
        memcpy(&length, at, 4);
        length = ntohl(length);
        if (!length || length > MAX_PACKET) {
            errno = 0;
            die("length of a reply");
        }
        if (c->in.length - c->in.offset < 4 + (size_t)length) break;
        c->in.offset += 4 + (size_t)length;
        /* The bytes stay where they are until the next put(). */
        if (c->in.offset == c->in.length) c->in.offset = c->in.length = 0;
        switch (at[4]) {
        case 'p': break; /* progress */
        case 'q': c->quarantined = true; changes++; break;
        case 'b': case 'h': case 'i': case 'm': case 'e': case '+': case '-': case '2':
            changes++;
            break;
        default: on_reply(c, at[4], at + 5, length - 1);
        }
    }
}

static void on_events(struct connection *c, uint32_t events)
{
    if (c->fd >= 0 && (events & EPOLLOUT)) {
        flush(c);
        if (!c->out.length) watch(c, EPOLL_CTL_MOD, EPOLLIN);
    }
    if (c->fd >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR))) on_readable(c);
}

/* Measurement. */

static uint64_t cpu_ns(int pid)
{
    clockid_t clock;
    return clock_getcpuclockid(pid, &clock) ? 0 : now_ns(clock);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double share(double part)
{
    if (!finished) return 0;
    return latency_ms[(long)((double)(finished - 1) * part)];
}

static void report(double wall_s, const uint64_t *before_ns)
{
    struct rusage own;
    getrusage(RUSAGE_SELF, &own);
    double own_s = (double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec)
                 + (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec) / 1e6;
    double count = finished ? (double)finished : 1;
    qsort(latency_ms, (size_t)finished, sizeof *latency_ms, by_value);
    printf("{\"messages\":%ld,\"seconds\":%.4f,\"rate\":%.1f,", finished, wall_s,
           (double)finished / wall_s);
    printf("\"p50_ms\":%.3f,\"p95_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,",
           share(.5), share(.95), share(.99), share(1));
    printf("\"generator_cpu_ms\":%.4f,\"cpu_ms\":[", own_s * 1e3 / count);
    for (int i = 0; i < option.pid_count; i++) {
        double used_ms = (double)(cpu_ns(option.pids[i]) - before_ns[i]) / 1e6;
        printf("%s%.4f", i ? "," : "", used_ms / count);
    }
    printf("],\"verdicts\":{");
    bool first = true;
    for (int v = 0; v < VERDICTS; v++) {
        if (!verdicts[v]) continue;
        printf("%s\"%s\":%ld", first ? "" : ",", verdict_name[v], verdicts[v]);
        first = false;
    }
    printf("},\"unexpected\":%ld,\"changes\":%ld,\"flags\":\"%x\"}\n", unexpected,
           changes, agreed);
}

static void usage(int status)
{
    puts("milterload -s unix:/path|inet:port@address -f message.eml [options]\n"
         "  -c N   connections (10)             -n N  messages (5000)\n"
         "  -k N   messages per session (1)     -R N  recipients per message (1)\n"
         "  -S N   senders (100)                -U    sessions without a login\n"
         "  -e V   expected verdict: accept reject defer discard quarantine any\n"
         "  -p PID[,PID...]  whose CPU time to report\n"
         "  -t S   give up after so many seconds (60)");
    exit(status);
}

static int verdict_named(const char *name)
{
    if (!strcmp(name, "any")) return -1;
    for (int v = 0; v < VERDICTS; v++)
        if (!strcmp(name, verdict_name[v])) return v;
    usage(2);
    return -1;
}

static void read_pids(char *list)
{
    for (char *word = strtok(list, ","); word; word = strtok(NULL, ",")) {
        if (option.pid_count == MAX_PIDS) usage(2);
        option.pids[option.pid_count++] = atoi(word);
    }
}

static void read_options(int argc, char **argv)
{
    int letter;
    while ((letter = getopt(argc, argv, "s:f:c:n:k:R:S:Ue:p:t:h")) != -1) {
        switch (letter) {
        case 's': option.target = optarg; break;
        case 'f': option.template = optarg; break;
        case 'c': option.connections = atoi(optarg); break;
        case 'n': option.messages = atol(optarg); break;
        case 'k': option.per_session = atoi(optarg); break;
        case 'R': option.recipients = atoi(optarg); break;
        case 'S': option.senders = atoi(optarg); break;
        case 'U': option.anonymous = true; break;
        case 'e': option.expected = verdict_named(optarg); break;
        case 'p': read_pids(optarg); break;
        case 't': option.patience_s = atoi(optarg); break;
        case 'h': usage(0); break;
        default: usage(2);
        }
    }
    if (!option.target || !option.template || option.connections < 1
        || option.messages < 1 || option.senders < 1)
        usage(2);
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    load_template(option.template);
    latency_ms = calloc((size_t)option.messages, sizeof *latency_ms);
    struct connection *connections =
        calloc((size_t)option.connections, sizeof *connections);
    if (!latency_ms || !connections) die("memory");
    poller = epoll_create1(EPOLL_CLOEXEC);

    uint64_t before_ns[MAX_PIDS];
    for (int i = 0; i < option.pid_count; i++) before_ns[i] = cpu_ns(option.pids[i]);
    uint64_t began_ns = now_ns(CLOCK_MONOTONIC);
    uint64_t patience_ns = (uint64_t)option.patience_s * 1000000000u;
    for (int i = 0; i < option.connections && issued < option.messages; i++) {
        open_connection(&connections[i]);
        start_message(&connections[i]);
    }
    while (finished < option.messages) {
        struct epoll_event ready[256];
        int count = epoll_wait(poller, ready, 256, 1000);
        if (count < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < count; i++) on_events(ready[i].data.ptr, ready[i].events);
        if (now_ns(CLOCK_MONOTONIC) - began_ns > patience_ns) {
            fprintf(stderr, "milterload: gave up after %d s, %ld of %ld messages\n",
                    option.patience_s, finished, option.messages);
            break;
        }
    }
    double wall_s = (double)(now_ns(CLOCK_MONOTONIC) - began_ns) / 1e9;
    usleep(SETTLE_MS * 1000);
    report(wall_s, before_ns);
    bool done = finished == option.messages && !verdicts[FAILED];
    return done && !unexpected ? 0 : 1;
}
