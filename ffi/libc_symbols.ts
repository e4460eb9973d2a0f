/**
 * The functions of the C library that ntpsd calls, each with its prototype: the one table to audit.
 *
 * The idea: what C says stands beside what the runtime is told.
 * `tests/system/ffi_prototypes_test.ts` gives the prototypes to the C compiler, together with the
 * headers named here, and compares the types. Limits: glibc on Linux, x86_64 and aarch64, where
 * integer arguments of variadic functions (open, ioctl, prctl, syscall) travel like those of
 * ordinary ones. Lengths that the kernel returns are declared as 32-bit integers, because no buffer
 * here is longer than 2^31 - 1 octets.
 *
 * @module
 */

/** The functions by their names; `name` where several go through one. */
export const LIBC_SYMBOLS = {
  // Errors: <errno.h>
  // int *__errno_location(void)
  __errno_location: { parameters: [], result: "pointer" },

  // Time: <time.h>, <sys/timex.h>, <sys/timerfd.h>
  // int clock_gettime(clockid_t id, struct timespec *tp)
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  // int clock_adjtime(clockid_t id, struct timex *tx)
  clock_adjtime: { parameters: ["i32", "buffer"], result: "i32" },
  // int timerfd_create(int id, int flags)
  timerfd_create: { parameters: ["i32", "i32"], result: "i32" },
  // int timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old)
  timerfd_settime: { parameters: ["i32", "i32", "buffer", "buffer"], result: "i32" },

  // Sockets: <sys/socket.h>
  // int socket(int domain, int type, int protocol)
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int bind(int fd, const struct sockaddr *address, socklen_t length)
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int connect(int fd, const struct sockaddr *address, socklen_t length)
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int getsockname(int fd, struct sockaddr *address, socklen_t *length)
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  // int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  // int shutdown(int fd, int how)
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  // ssize_t send(int fd, const void *buffer, size_t length, int flags)
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  // ssize_t sendto(int fd, const void *buffer, size_t length, int flags, const struct sockaddr *to,
  //   socklen_t size)
  sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "i32" },
  // ssize_t recvmsg(int fd, struct msghdr *message, int flags)
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  // int recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags,
  //   struct timespec *timeout)
  recvmmsg: { parameters: ["i32", "buffer", "u32", "i32", "buffer"], result: "i32" },
  // int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags)
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },

  // Readiness: <sys/epoll.h>, <sys/eventfd.h>, <poll.h>, <unistd.h>
  // int epoll_create1(int flags)
  epoll_create1: { parameters: ["i32"], result: "i32" },
  // int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  // int epoll_wait(int epoll, struct epoll_event *events, int count, int timeout)
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  // int eventfd(unsigned int initial, int flags)
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  // int usleep(useconds_t microseconds)
  usleep: { parameters: ["u32"], result: "i32" },
  // int poll(struct pollfd *fds, nfds_t count, int timeout)
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32" },

  // Names and interfaces: <netdb.h>, <ifaddrs.h>
  // int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
  //   struct addrinfo **found)
  getaddrinfo: { parameters: ["buffer", "buffer", "buffer", "buffer"], result: "i32" },
  // void freeaddrinfo(struct addrinfo *found)
  freeaddrinfo: { parameters: ["pointer"], result: "void" },
  // const char *gai_strerror(int code)
  gai_strerror: { parameters: ["i32"], result: "pointer" },
  // int getifaddrs(struct ifaddrs **found)
  getifaddrs: { parameters: ["buffer"], result: "i32" },
  // void freeifaddrs(struct ifaddrs *found)
  freeifaddrs: { parameters: ["pointer"], result: "void" },

  // Files: <fcntl.h>, <unistd.h>, <stdio.h>, <sys/stat.h>, <sys/file.h>, <dirent.h>, <sys/ioctl.h>
  // int open(const char *path, int flags, ...)
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  // int close(int fd)
  close: { parameters: ["i32"], result: "i32" },
  // ssize_t read(int fd, void *buffer, size_t length)
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  // ssize_t pread(int fd, void *buffer, size_t length, off_t offset)
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  // ssize_t pwrite(int fd, const void *buffer, size_t length, off_t offset)
  pwrite: { parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  // ssize_t write(int fd, const void *buffer, size_t length)
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  // off_t lseek(int fd, off_t offset, int whence)
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  // int fcntl(int fd, int command, ...)
  fcntl: { parameters: ["i32", "i32", "u64"], result: "i32" },
  // int fsync(int fd)
  fsync: { parameters: ["i32"], result: "i32" },
  // int fchmod(int fd, mode_t mode)
  fchmod: { parameters: ["i32", "u32"], result: "i32" },
  // int fchown(int fd, uid_t owner, gid_t group)
  fchown: { parameters: ["i32", "u32", "u32"], result: "i32" },
  // int flock(int fd, int operation)
  flock: { parameters: ["i32", "i32"], result: "i32" },
  // int ftruncate(int fd, off_t length)
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  // int rename(const char *from, const char *to)
  rename: { parameters: ["buffer", "buffer"], result: "i32" },
  // int unlink(const char *path)
  unlink: { parameters: ["buffer"], result: "i32" },
  // int mkdir(const char *path, mode_t mode)
  mkdir: { parameters: ["buffer", "u32"], result: "i32" },
  // int access(const char *path, int mode)
  access: { parameters: ["buffer", "i32"], result: "i32" },
  // ssize_t readlink(const char *path, char *buffer, size_t length)
  readlink: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
  // int statx(int folder, const char *path, int flags, unsigned int mask, struct statx *found)
  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
  // DIR *opendir(const char *path)
  opendir: { parameters: ["buffer"], result: "pointer" },
  // struct dirent *readdir(DIR *directory)
  readdir: { parameters: ["pointer"], result: "pointer" },
  // int closedir(DIR *directory)
  closedir: { parameters: ["pointer"], result: "i32" },
  // int ioctl(int fd, unsigned long request, ...)
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },

  // The process: <signal.h>, <sys/wait.h>, <stdlib.h>, <unistd.h>, <sys/resource.h>, <pwd.h>,
  // <grp.h>, <linux/capability.h>, <sys/prctl.h>
  // int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
  pthread_sigmask: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  // int raise(int signal)
  raise: { parameters: ["i32"], result: "i32" },
  // sighandler_t signal(int signal, sighandler_t handler)
  signal: { parameters: ["i32", "u64"], result: "pointer" },
  // int sigaction(int signal, const struct sigaction *action, struct sigaction *old)
  sigaction: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  // pid_t waitpid(pid_t process, int *status, int options)
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  // char *getenv(const char *name)
  getenv: { parameters: ["buffer"], result: "pointer" },
  // int setenv(const char *name, const char *value, int overwrite)
  setenv: { parameters: ["buffer", "buffer", "i32"], result: "i32" },
  // int unsetenv(const char *name)
  unsetenv: { parameters: ["buffer"], result: "i32" },
  // int execv(const char *path, char *const arguments[])
  execv: { parameters: ["buffer", "buffer"], result: "i32" },
  // pid_t getpid(void)
  getpid: { parameters: [], result: "i32" },
  // uid_t getuid(void)
  getuid: { parameters: [], result: "u32" },
  // uid_t geteuid(void)
  geteuid: { parameters: [], result: "u32" },
  // gid_t getgid(void)
  getgid: { parameters: [], result: "u32" },
  // int gethostname(char *name, size_t length)
  gethostname: { parameters: ["buffer", "usize"], result: "i32" },
  // int getrlimit(__rlimit_resource_t resource, struct rlimit *limit)
  getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  // struct passwd *getpwnam(const char *name)
  getpwnam: { parameters: ["buffer"], result: "pointer" },
  // struct passwd *getpwuid(uid_t user)
  getpwuid: { parameters: ["u32"], result: "pointer" },
  // int getgrouplist(const char *user, gid_t group, gid_t *groups, int *count)
  getgrouplist: { parameters: ["buffer", "u32", "buffer", "buffer"], result: "i32" },
  // int setgroups(size_t count, const gid_t *groups)
  setgroups: { parameters: ["usize", "buffer"], result: "i32" },
  // int setgid(gid_t group)
  setgid: { parameters: ["u32"], result: "i32" },
  // int setuid(uid_t user)
  setuid: { parameters: ["u32"], result: "i32" },
  // int capget(cap_user_header_t header, cap_user_data_t data)
  capget: { parameters: ["buffer", "buffer"], result: "i32" },
  // int capset(cap_user_header_t header, const cap_user_data_t data)
  capset: { parameters: ["buffer", "buffer"], result: "i32" },
  // int prctl(int option, ...)
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  // long syscall(long number, ...)
  syscall: { parameters: ["i64", "u64", "u64", "buffer"], result: "i64" },

  // System calls for which the C library has no functions: the first argument is the number of the
  // call, the others those of the
  // prototype, each in a whole register.
  // int landlock_create_ruleset(const struct landlock_ruleset_attr *attr, size_t size, __u32 flags)
  landlock_create_ruleset: {
    name: "syscall",
    parameters: ["i64", "buffer", "u64", "u64"],
    result: "i64",
  },
  // int landlock_add_rule(int ruleset, enum landlock_rule_type type, const void *rule, __u32 flags)
  landlock_add_rule: {
    name: "syscall",
    parameters: ["i64", "i64", "i64", "buffer", "u64"],
    result: "i64",
  },
  // int rt_sigaction(int signal, const struct sigaction *action, struct sigaction *old,
  //   size_t set_size)
  rt_sigaction: {
    name: "syscall",
    parameters: ["i64", "i64", "buffer", "buffer", "u64"],
    result: "i64",
  },
  // int landlock_restrict_self(int ruleset, __u32 flags)
  landlock_restrict_self: { name: "syscall", parameters: ["i64", "i64", "u64"], result: "i64" },
} as const satisfies Deno.ForeignLibraryInterface;
