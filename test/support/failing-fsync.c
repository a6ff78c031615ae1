/* Preloaded into a gateway: while the file that FAIL_FSYNC names is there, nothing reaches the disk for certain. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int fails(void) {
  const char *flag = getenv("FAIL_FSYNC");
  return flag != NULL && access(flag, F_OK) == 0;
}

static int refuse(void) {
  errno = EIO;
  return -1;
}

int fsync(int file) {
  static int (*real)(int);
  if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  return fails() ? refuse() : real(file);
}

int fdatasync(int file) {
  static int (*real)(int);
  if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  return fails() ? refuse() : real(file);
}
