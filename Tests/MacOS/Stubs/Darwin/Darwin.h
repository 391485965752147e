// What the package takes from macOS, with the types and values of Apple's headers as they are known
// from the system's published sources. It stands in for them where there is no SDK, and proves no
// more than it says.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef uint16_t mode_t;
typedef uint16_t nlink_t;
typedef int32_t dev_t, pid_t, blksize_t, dispatch_once_t;
typedef uint32_t uid_t, gid_t, sigset_t, nfds_t;
typedef uint64_t ino_t, rlim_t;
typedef int64_t off_t, blkcnt_t;
typedef long time_t, ssize_t;

struct timespec {
  time_t tv_sec;
  long tv_nsec;
};

struct stat {
  dev_t st_dev;
  mode_t st_mode;
  nlink_t st_nlink;
  ino_t st_ino;
  uid_t st_uid;
  gid_t st_gid;
  dev_t st_rdev;
  struct timespec st_atimespec, st_mtimespec, st_ctimespec, st_birthtimespec;
  off_t st_size;
  blkcnt_t st_blocks;
  blksize_t st_blksize;
  uint32_t st_flags, st_gen;
  int32_t st_lspare;
  int64_t st_qspare[2];
};
int stat(const char *, struct stat *);
int lstat(const char *, struct stat *);
int fstat(int, struct stat *);
int fchmod(int, mode_t);
int mkdir(const char *, mode_t);

#define STDIN_FILENO 0
#define STDOUT_FILENO 1
#define STDERR_FILENO 2
#define SEEK_CUR 1
#define F_OK 0
#define PATH_MAX 1024
#define AT_FDCWD -2
#define AT_SYMLINK_FOLLOW 0x0040
int access(const char *, int);
int close(int);
int dup(int);
int ftruncate(int, off_t);
int isatty(int);
int linkat(int, const char *, int, const char *, int);
int rename(const char *, const char *);
int unlink(const char *);
off_t lseek(int, off_t, int);
pid_t getpid(void);
ssize_t pread(int, void *, size_t, off_t);
ssize_t pwrite(int, const void *, size_t, off_t);
ssize_t read(int, void *, size_t);
ssize_t write(int, const void *, size_t);
ssize_t readlink(const char *, char *, size_t);
char *realpath(const char *, char *);
void free(void *);
_Noreturn void exit(int);
char *strerror(int);
long sysconf(int);
#define _SC_PAGESIZE 29

#define O_RDONLY 0x0000
#define O_WRONLY 0x0001
#define O_RDWR 0x0002
#define O_NONBLOCK 0x00000004
#define O_NOFOLLOW 0x00000100
#define O_CREAT 0x00000200
#define O_EXCL 0x00000800
#define O_NOCTTY 0x00020000
#define O_DIRECTORY 0x00100000
#define O_CLOEXEC 0x01000000
#define F_GETFD 1
#define F_GETFL 3
#define F_DUPFD_CLOEXEC 67
#define LOCK_EX 0x02
#define LOCK_NB 0x04
struct flock {
  off_t l_start, l_len;
  pid_t l_pid;
  short l_type, l_whence;
};
int flock(int, int);

#define ENOENT 2
#define EINTR 4
#define EEXIST 17
#define EPIPE 32
#define EAGAIN 35
#define EWOULDBLOCK EAGAIN
#define ELOOP 62

struct dirent {
  uint64_t d_ino, d_seekoff;
  uint16_t d_reclen, d_namlen;
  uint8_t d_type;
  char d_name[1024];
};
typedef struct {
  int descriptor;
} DIR;
DIR *opendir(const char *);
struct dirent *readdir(DIR *);
int closedir(DIR *);

#define POLLIN 0x0001
#define POLLOUT 0x0004
struct pollfd {
  int fd;
  short events, revents;
};
int poll(struct pollfd *, nfds_t, int);

struct winsize {
  unsigned short ws_row, ws_col, ws_xpixel, ws_ypixel;
};

#define SIGHUP 1
#define SIGINT 2
#define SIGPIPE 13
#define SIGTERM 15
#define SIGXFSZ 25
#define SIG_BLOCK 1
#define SIG_UNBLOCK 2
typedef void (*sig_t)(int);
struct siginfo;
union __sigaction_u {
  void (*__sa_handler)(int);
  void (*__sa_sigaction)(int, struct siginfo *, void *);
};
struct sigaction {
  union __sigaction_u __sigaction_u;
  sigset_t sa_mask;
  int sa_flags;
};
int sigaction(int, const struct sigaction *restrict, struct sigaction *restrict);
int sigaddset(sigset_t *, int);
int sigemptyset(sigset_t *);
int sigwait(const sigset_t *restrict, int *restrict);
int pthread_sigmask(int, const sigset_t *, sigset_t *);
int raise(int);
void (*signal(int, void (*)(int)))(int);

#define RLIMIT_NOFILE 8
struct rlimit {
  rlim_t rlim_cur, rlim_max;
};
int getrlimit(int, struct rlimit *);
int setrlimit(int, const struct rlimit *);

int sysctlbyname(const char *, void *, size_t *, void *, size_t);
