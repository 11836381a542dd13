/*
 * What a node's disk does, as the node sees it: a library that is loaded before libc into the node's process.
 *
 * It keeps count, for every file under /data, of how far it was written and how far it was synced, in a file that is mapped into
 * memory and so outlives SIGKILL. From outside, flags in the same file hold syncs back, slow them down, and let writes fail as a full
 * or a broken disk does. What a power loss would take away is then known exactly: the bytes between "synced" and "written", and those
 * written over zeros.
 *
 * Covers: contents of files that grow at their end, or are filled from front to back after zeros were put there (logs, snapshots).
 * Does not cover: renames and deletions that were not synced with their folder, writes through mmap, other bytes overwritten in place
 * (these are counted, so that nobody relies on what is not known).
 *
 * The file /raftlab/disk, in words of 8 bytes:
 *   0 magic  1 hold syncs  2 slow syncs by ms  3 full  4 broken
 *   5 syncs held now  6 syncs slowed  7 writes refused as full  8 calls failed as broken  9 writes into what was synced before
 *   16… 256 slots of 4 words: inode, synced, written, begin and end (32 bits each) of what was written over zeros and not synced
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define CONTROL "/raftlab/disk"
#define DATA "/data"
#define HEAD 16
#define SLOTS 256
#define OVERWRITE_MAX (4 << 20)
#define WORDS (HEAD + 4 * SLOTS)

enum { MAGIC, HOLD, SLOW, FULL, BROKEN, HELD, SLOWED, REFUSED, FAILED, OVERWRITTEN };

static volatile uint64_t *control;
static dev_t data_device;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off_t);

static void begin(void) {
  real_write = dlsym(RTLD_NEXT, "write");
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real_writev = dlsym(RTLD_NEXT, "writev");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
  struct stat data;
  int fd = open(CONTROL, O_RDWR | O_CLOEXEC);
  if (fd < 0 || stat(DATA, &data) != 0)
    return; /* Nobody controls us: everything passes through. */
  void *at = mmap(0, WORDS * 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (at == MAP_FAILED)
    return;
  data_device = data.st_dev;
  control = at;
  control[MAGIC] = 0x72616674;
  control[HELD] = 0;
}

/* Whether the file is a regular one on the node's data volume. */
static int ours(int fd, struct stat *st) {
  pthread_once(&once, begin);
  return control && fstat(fd, st) == 0 && S_ISREG(st->st_mode) && st->st_dev == data_device;
}

/* The file's slot; a file that is empty now is a new one, also where it has the inode of one that was deleted. */
static volatile uint64_t *slot(const struct stat *st) {
  for (int i = 0; i < SLOTS; i++) {
    volatile uint64_t *s = control + HEAD + 4 * i;
    if (s[0] == (uint64_t)st->st_ino) {
      if (st->st_size == 0)
        s[1] = s[2] = s[3] = 0;
      return s;
    }
    if (s[0] == 0) {
      s[1] = s[2] = st->st_size;
      s[3] = 0;
      s[0] = st->st_ino;
      return s;
    }
  }
  control[OVERWRITTEN]++; /* No slot is left: what is not known is said. */
  return 0;
}

/* 0, or the error that the disk answers a write with. */
static int refusal(void) {
  if (control[BROKEN]) {
    control[FAILED]++;
    return EIO;
  }
  if (control[FULL]) {
    control[REFUSED]++;
    return ENOSPC;
  }
  return 0;
}

static int refused(const struct stat *st) {
  (void)st;
  int error = refusal();
  if (error)
    errno = error;
  return error != 0;
}

/* Opens the slot before the first byte is written: what stands in the file then counts as synced. */
static void before_write(const struct stat *st) {
  pthread_mutex_lock(&lock);
  slot(st);
  pthread_mutex_unlock(&lock);
}

/*
 * Writes into zeros that are in the file already, as a preallocated log's: the file does not grow, but these bytes are lost with the
 * power too. s[3] holds where they begin and end, 32 bits each, 0 for none. Of other bytes it is not known what stood there before.
 */
static void before_overwrite(int fd, const struct stat *st, const char *bytes, size_t count, off_t from) {
  pthread_mutex_lock(&lock);
  volatile uint64_t *s = slot(st);
  uint64_t known = s ? s[1] : 0;
  pthread_mutex_unlock(&lock);
  if (!s || (uint64_t)from >= known)
    return;
  char *old = count <= OVERWRITE_MAX && (uint64_t)from + count < UINT32_MAX ? malloc(count) : 0;
  /* The program may have opened it for writing alone. */
  char path[40];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  int reader = old ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  ssize_t there = reader >= 0 ? pread(reader, old, count, from) : -1;
  if (reader >= 0)
    close(reader);
  int zeros = there == (ssize_t)count;
  size_t same = 0;
  if (zeros) {
    while (same < count && old[same] == bytes[same])
      same++;
    for (size_t i = same; i < count && zeros; i++)
      zeros = old[i] == 0;
  }
  free(old);
  if (zeros && same == count)
    return;
  pthread_mutex_lock(&lock);
  if (zeros) {
    uint64_t begin = from + same, end = from + count;
    if (s[3]) {
      begin = s[3] >> 32 < begin ? s[3] >> 32 : begin;
      end = (s[3] & UINT32_MAX) > end ? s[3] & UINT32_MAX : end;
    }
    s[3] = begin << 32 | end;
  } else {
    control[OVERWRITTEN]++;
  }
  pthread_mutex_unlock(&lock);
}

static void after_write(int fd, const struct stat *st, off_t from, ssize_t count) {
  if (count <= 0)
    return;
  int at_once = fcntl(fd, F_GETFL) & (O_SYNC | O_DSYNC);
  pthread_mutex_lock(&lock);
  volatile uint64_t *s = slot(st);
  if (s) {
    if ((uint64_t)from + count > s[2])
      s[2] = from + count;
    if (at_once) { /* Opened so that every write is synced before it returns. */
      s[1] = s[2];
      s[3] = 0;
    }
  }
  pthread_mutex_unlock(&lock);
}

ssize_t write(int fd, const void *bytes, size_t count) {
  struct stat st;
  if (!ours(fd, &st))
    return real_write(fd, bytes, count);
  if (refused(&st))
    return -1;
  before_write(&st);
  if (!(fcntl(fd, F_GETFL) & O_APPEND))
    before_overwrite(fd, &st, bytes, count, lseek(fd, 0, SEEK_CUR));
  ssize_t done = real_write(fd, bytes, count);
  int error = errno;
  /* The position after it, so that O_APPEND is right too. The size before is not 0 any more for slot(). */
  off_t end = lseek(fd, 0, SEEK_CUR);
  st.st_size = end;
  after_write(fd, &st, end - done, done);
  errno = error;
  return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  struct stat st;
  if (!ours(fd, &st))
    return real_writev(fd, parts, count);
  if (refused(&st))
    return -1;
  before_write(&st);
  ssize_t done = real_writev(fd, parts, count);
  int error = errno;
  off_t end = lseek(fd, 0, SEEK_CUR);
  st.st_size = end;
  after_write(fd, &st, end - done, done);
  errno = error;
  return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at) {
  struct stat st;
  if (!ours(fd, &st))
    return real_pwrite(fd, bytes, count, at);
  if (refused(&st))
    return -1;
  before_write(&st);
  before_overwrite(fd, &st, bytes, count, at);
  ssize_t done = real_pwrite(fd, bytes, count, at);
  int error = errno;
  st.st_size = at + (done > 0 ? done : 0);
  if (st.st_size)
    after_write(fd, &st, at, done);
  errno = error;
  return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
  return pwrite64(fd, bytes, count, at);
}

int ftruncate64(int fd, off_t length) {
  struct stat st;
  int known = ours(fd, &st);
  if (known && refused(&st))
    return -1;
  int result = real_ftruncate(fd, length);
  if (known && result == 0) {
    pthread_mutex_lock(&lock);
    volatile uint64_t *s = slot(&st);
    if (s) {
      if ((uint64_t)length < s[1])
        s[1] = length;
      s[2] = length;
    }
    pthread_mutex_unlock(&lock);
  }
  return result;
}

int ftruncate(int fd, off_t length) {
  return ftruncate64(fd, length);
}

static int synced(int fd, int (*real)(int)) {
  struct stat st;
  if (!ours(fd, &st))
    return real(fd);
  if (control[HOLD]) {
    control[HELD]++;
    while (control[HOLD])
      usleep(500);
    control[HELD]--;
  }
  if (control[BROKEN]) {
    control[FAILED]++;
    errno = EIO;
    return -1;
  }
  pthread_mutex_lock(&lock);
  volatile uint64_t *s = slot(&st);
  uint64_t written = s ? s[2] : 0, overwritten = s ? s[3] : 0;
  pthread_mutex_unlock(&lock);
  int result = real(fd);
  int error = errno;
  uint64_t slow = control[SLOW];
  if (slow) {
    usleep(slow * 1000);
    control[SLOWED]++;
  }
  if (result == 0 && s) {
    pthread_mutex_lock(&lock);
    if (written > s[1])
      s[1] = written;
    if (s[3] == overwritten)
      s[3] = 0;
    else if (s[3]) /* More was written meanwhile; logs are written from front to back. */
      s[3] = (overwritten & UINT32_MAX) << 32 | (s[3] & UINT32_MAX);
    pthread_mutex_unlock(&lock);
  }
  errno = error;
  return result;
}

int fsync(int fd) {
  pthread_once(&once, begin);
  return synced(fd, real_fsync);
}

int fdatasync(int fd) {
  pthread_once(&once, begin);
  return synced(fd, real_fdatasync);
}
