/* Preloaded into a server: as long as the file that FAILING_FILES names exists, calls that bring
 * data to a disk fail, with the error whose number it holds. Only files named temp-* are hit. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int failure(int fd) {
  const char* const path = getenv("FAILING_FILES");
  FILE* const file = path == NULL ? NULL : fopen(path, "re");
  if (file == NULL) return 0;
  int number = EIO;
  if (fscanf(file, "%d", &number) != 1) number = EIO;
  fclose(file);
  char link[64];
  char name[4096];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, name, sizeof(name) - 1);
  if (size < 0) return 0;
  name[size] = '\0';
  return strstr(name, "/temp-") == NULL ? 0 : number;
}

ssize_t write(int fd, const void* bytes, size_t size) {
  static ssize_t (*real)(int, const void*, size_t);
  if (real == NULL) real = (ssize_t(*)(int, const void*, size_t))dlsym(RTLD_NEXT, "write");
  const int number = fd <= 2 ? 0 : failure(fd);
  if (number == 0 || number == EDOM) return real(fd, bytes, size);
  errno = number;
  return -1;
}

/* EDOM: writing succeeds, only syncing fails, as when a disk takes data it then cannot keep. */
static int fail_sync(int fd, int (*real)(int)) {
  const int number = failure(fd);
  if (number == 0) return real(fd);
  errno = number == EDOM ? EIO : number;
  return -1;
}

int fsync(int fd) {
  return fail_sync(fd, (int (*)(int))dlsym(RTLD_NEXT, "fsync"));
}

int fdatasync(int fd) {
  return fail_sync(fd, (int (*)(int))dlsym(RTLD_NEXT, "fdatasync"));
}
