/*
 * Preloaded into a gateway: while the file that FAIL_DISK names is there, the disk fails in the way that it says: `fsync`,
 * nothing reaches it for certain; `full`, nothing more fits on it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int fails(const char *how) {
  const char *flag = getenv("FAIL_DISK");
  char said[16] = {0};
  int saved = errno;
  int file = flag == NULL ? -1 : open(flag, O_RDONLY | O_CLOEXEC);
  if (file >= 0) {
    if (read(file, said, sizeof said - 1) < 0) said[0] = 0;
    close(file);
  }
  errno = saved;
  return strcmp(said, how) == 0;
}

static int refuse(int error) {
  errno = error;
  return -1;
}

#define REAL(type, name) ((type)dlsym(RTLD_NEXT, name))
typedef int (*sync_call)(int);
typedef ssize_t (*write_call)(int, const void *, size_t, off64_t);
typedef int (*allocate_call)(int, off64_t, off64_t);

int fsync(int file) {
  static sync_call real;
  if (real == NULL) real = REAL(sync_call, "fsync");
  return fails("fsync") ? refuse(EIO) : real(file);
}

int fdatasync(int file) {
  static sync_call real;
  if (real == NULL) real = REAL(sync_call, "fdatasync");
  return fails("fsync") ? refuse(EIO) : real(file);
}

/* The database's way of writing; sockets and terminals have another. */
ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t at) {
  static write_call real;
  if (real == NULL) real = REAL(write_call, "pwrite64");
  return fails("full") ? refuse(ENOSPC) : real(file, bytes, size, at);
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t at) {
  static write_call real;
  if (real == NULL) real = REAL(write_call, "pwrite64");
  return fails("full") ? refuse(ENOSPC) : real(file, bytes, size, at);
}

int posix_fallocate64(int file, off64_t at, off64_t size) {
  static allocate_call real;
  if (real == NULL) real = REAL(allocate_call, "posix_fallocate64");
  return fails("full") ? ENOSPC : real(file, at, size);
}
