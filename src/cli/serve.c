/* cli/serve.c: see cli/serve.h. */
#include "cli/serve.h"

#include "config.h"

#include "cli/cli.h"

#ifdef HAVE_MICROHTTPD

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 16, MOST_BROWSERS = 32, IDLE_SECONDS = 10, LOOK_MS = 200 };

static int bind_here(int fd, int port) {
  const int yes = 1;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes); /* else the port of a server that ended is taken for a minute */
  return bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 && listen(fd, BACKLOG) == 0 ? 0 : -1;
}

int serve_listen(cldann_error *e, int port, int *taken, int *fd) {
  struct sockaddr_in at;
  socklen_t room = sizeof at;
  int rc = CLDANN_OK;
  *fd = socket(AF_INET, SOCK_STREAM, 0);
  if (*fd < 0 || fcntl(*fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(*fd, F_SETFL, O_NONBLOCK) != 0)
    FAIL(e, CLDANN_E_IO, "cannot make a socket: %s; close some programs", strerror(errno));
  if (bind_here(*fd, port) != 0 && errno == EADDRINUSE)
    FAIL(e, CLDANN_E_IO, "port %d is in use; give another --port, or --port 0 for a free one", port);
  if (getsockname(*fd, (struct sockaddr *)&at, &room) != 0 || ntohs(at.sin_port) == 0)
    FAIL(e, CLDANN_E_IO, "cannot listen on port %d: %s; give another --port", port, strerror(errno));
  *taken = ntohs(at.sin_port);
fail:
  if (rc < 0 && *fd >= 0) close(*fd);
  return rc;
}

/* Takes the text, by malloc, or copies it. */
static enum MHD_Result reply(struct MHD_Connection *c, unsigned code, const char *type, void *text, size_t n,
                             enum MHD_ResponseMemoryMode whose) {
  struct MHD_Response *r = MHD_create_response_from_buffer(n, text, whose);
  enum MHD_Result done = MHD_NO;
  if (!r) {
    if (whose == MHD_RESPMEM_MUST_FREE) free(text);
    return MHD_NO;
  }
  MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
  MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  if (code == MHD_HTTP_METHOD_NOT_ALLOWED) MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  done = MHD_queue_response(c, code, r);
  MHD_destroy_response(r);
  return done;
}

static enum MHD_Result refuse(struct MHD_Connection *c, unsigned code, char *words) {
  return reply(c, code, "text/plain; charset=utf-8", words, strlen(words), MHD_RESPMEM_PERSISTENT);
}

/* Asked for by this machine's own names? Else another site's page may be reading it, under a name that it has for 127.0.0.1. */
static int is_local(struct MHD_Connection *c) {
  static const char *const names[] = {"127.0.0.1", "localhost"};
  const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
  if (!host) return 1;
  for (int i = 0; i < 2; i++) {
    const size_t n = strlen(names[i]);
    if (!strncasecmp(host, names[i], n) && (!host[n] || host[n] == ':')) return 1;
  }
  return 0;
}

/* libmicrohttpd leaves the body out where HEAD is asked for. */
static enum MHD_Result answer(void *user, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                              const char *upload, size_t *upload_size, void **state) {
  static char no_method[] = "GET and HEAD alone\n", no_page[] = "there is one page, /\n", no_memory[] = "out of memory\n",
              not_local[] = "by 127.0.0.1 or localhost alone\n";
  char *text;
  size_t n;
  (void)version, (void)upload, (void)upload_size, (void)state;
  if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
    return refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED, no_method);
  if (!is_local(c)) return refuse(c, MHD_HTTP_FORBIDDEN, not_local);
  if (strcmp(url, "/") != 0) return refuse(c, MHD_HTTP_NOT_FOUND, no_page);
  const int rc = live_page(user, &text, &n);
  if (rc == CLDANN_E_MEM) return refuse(c, MHD_HTTP_INTERNAL_SERVER_ERROR, no_memory);
  return reply(c, rc < 0 ? MHD_HTTP_INTERNAL_SERVER_ERROR : MHD_HTTP_OK, "text/html; charset=utf-8", text, n,
               MHD_RESPMEM_MUST_FREE);
}

/* One wait, so short that a signal is soon heard, and what there is to do then. 1: `until` is at its end. */
static int turn(cldann_error *e, struct MHD_Daemon *d, int until) {
  fd_set in, out, bad;
  int most = until, rc = CLDANN_OK;
  struct timeval wait = {.tv_usec = LOOK_MS * 1000};
  FD_ZERO(&in);
  FD_ZERO(&out);
  FD_ZERO(&bad);
  if (MHD_get_fdset(d, &in, &out, &bad, &most) != MHD_YES)
    FAIL(e, CLDANN_E_IO, "too many files are open to serve the page; close some programs");
  if (until >= 0) FD_SET(until, &in);
  if (select((most > until ? most : until) + 1, &in, &out, &bad, &wait) < 0) {
    if (errno == EINTR) return CLDANN_OK;
    FAIL(e, CLDANN_E_IO, "cannot wait for browsers: %s", strerror(errno));
  }
  if (until >= 0 && FD_ISSET(until, &in)) return 1;
  MHD_run_from_select(d, &in, &out, &bad);
fail:
  return rc;
}

int serve_run(cldann_error *e, int fd, live *l, int until) {
  int rc = CLDANN_OK;
  struct MHD_Daemon *d =
      MHD_start_daemon(MHD_NO_FLAG, 0, NULL, NULL, answer, l, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
                       (unsigned)MOST_BROWSERS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_END);
  if (!d) {
    close(fd);
    FAIL(e, CLDANN_E_IO, "libmicrohttpd does not start: %s", strerror(errno));
  }
  while (rc == CLDANN_OK && !cli_interrupted()) rc = turn(e, d, until);
  MHD_stop_daemon(d); /* closes fd */
fail:
  return rc < 0 ? rc : CLDANN_OK;
}

#else

int serve_listen(cldann_error *e, int port, int *taken, int *fd) {
  (void)port, (void)taken, (void)fd;
  return err_set(e, CLDANN_E_IO, __FILE__, __LINE__,
                 "this cldann was built without libmicrohttpd, which serves the page; install it (Debian: libmicrohttpd-dev) "
                 "and build again");
}

int serve_run(cldann_error *e, int fd, live *l, int until) {
  (void)fd, (void)l, (void)until;
  return serve_listen(e, 0, NULL, NULL);
}

#endif
