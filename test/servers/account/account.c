// Lets sshd know an account of the user who runs it where the system has none,
// as for a number that only a container knows. Loaded with LD_PRELOAD.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

static struct passwd *account(void) {
	static struct passwd p = {
		.pw_name = "stateroom", .pw_passwd = "x", .pw_gecos = "", .pw_dir = "/", .pw_shell = "/bin/sh",
	};
	p.pw_uid = getuid();
	p.pw_gid = getgid();
	return &p;
}

struct passwd *getpwnam(const char *name) {
	struct passwd *(*known)(const char *) = dlsym(RTLD_NEXT, "getpwnam");
	return strcmp(name, "stateroom") == 0 ? account() : known(name);
}

struct passwd *getpwuid(uid_t uid) {
	struct passwd *(*known)(uid_t) = dlsym(RTLD_NEXT, "getpwuid");
	return uid == getuid() ? account() : known(uid);
}
