// SPDX-License-Identifier: MIT
//
// Groups go first, since a process without root may not change them. All three user ids change, so
// that none is left to return to; that the kernel refuses the way back is tried, not assumed.

#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { NOBODY = 65534 };

// The id in an environment variable, or 0 where that is none of a user but root.
static unsigned id_of(const char *variable)
{
    const char *text = getenv(variable);
    unsigned long id;

    if (!text || !*text || strspn(text, "0123456789") != strlen(text))
        return 0;
    errno = 0;
    id = strtoul(text, NULL, 10);
    return errno || id >= (uid_t)-1 ? 0 : (unsigned)id;
}

static bool are_root(void)
{
    return geteuid() == 0;
}

bool privileges_are_lent(void)
{
    return are_root() && id_of("SUDO_UID");
}

int privileges_drop(void)
{
    bool lent = privileges_are_lent();
    uid_t uid = lent ? id_of("SUDO_UID") : NOBODY;
    gid_t gid = lent && id_of("SUDO_GID") ? id_of("SUDO_GID") : NOBODY;

    if (!are_root())
        return 0;
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    if (setresuid(0, 0, 0) == 0 || setresgid(0, 0, 0) == 0)
        return -EPERM;
    return 0;
}
