#include "fw_config.h"
#include "fww_plugin_fence.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "fwpermit_plugin.h"

#define BACKSTOP_MS 1000 /* after SIGALRM */

static const int kept[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE, SIGALRM};
#define KEPT (sizeof(kept) / sizeof(kept[0]))

static struct {
    struct sigaction actions[KEPT];
    sigset_t mask;
    mode_t umask;
    timer_t backstop;
    bool has_backstop;
} fence;

/* ---- time ---- */

void fww_fence_arm(int ms)
{
    struct itimerval alarm = {.it_value = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000}};
    struct itimerspec last = {0};

    if (ms > 0) {
        last.it_value.tv_sec = (ms + BACKSTOP_MS) / 1000;
        last.it_value.tv_nsec = (long)(ms % 1000) * 1000000;
    }
    setitimer(ITIMER_REAL, &alarm, NULL);
    if (fence.has_backstop)
        timer_settime(fence.backstop, 0, &last, NULL);
}

/* ---- what a call may have changed ---- */

static void remember(void)
{
    struct sigevent end = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};

    for (size_t i = 0; i < KEPT; i++)
        sigaction(kept[i], NULL, &fence.actions[i]);
    sigprocmask(SIG_BLOCK, NULL, &fence.mask);
    fence.umask = umask(0077);
    umask(fence.umask);
    fence.has_backstop = timer_create(CLOCK_MONOTONIC, &end, &fence.backstop) == 0;
}

void fww_fence_mend(void)
{
    for (size_t i = 0; i < KEPT; i++)
        sigaction(kept[i], &fence.actions[i], NULL);
    sigprocmask(SIG_SETMASK, &fence.mask, NULL);
    umask(fence.umask);
}

fww_mark fww_fence_mark(int fd)
{
    struct stat st = {0};
    fww_mark out = {0};

    if (fstat(fd, &st) == 0)
        out = (fww_mark){.device = st.st_dev, .inode = st.st_ino};
    return out;
}

bool fww_fence_same(fww_mark a, fww_mark b)
{
    return a.device == b.device && a.inode == b.inode;
}

/* ---- memory and processes ---- */

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__)
#define UNFENCED 1
#elif defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#if !defined(UNFENCED) && defined(ARCH)

#define FIELD(name)  ((uint32_t)offsetof(struct seccomp_data, name))
#define LOAD(at)     BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (at))
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define REFUSE(code) ANSWER(SECCOMP_RET_ERRNO | (code))
/* Refuses one call outright. */
#define NEVER(call, code) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), REFUSE(code)

/* A process: clone without CLONE_THREAD, and all its relatives; a signal: to this process alone. clone3 hides its flags
 * behind a pointer: the C library falls back to clone. */
static bool fence_processes(void)
{
    struct sock_filter program[] = {
        LOAD(FIELD(arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
        REFUSE(ENOSYS),
        LOAD(FIELD(nr)),
#ifdef __x86_64__
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
        REFUSE(ENOSYS),
        NEVER(SYS_fork, EPERM),
        NEVER(SYS_vfork, EPERM),
#endif
        NEVER(SYS_clone3, ENOSYS),
        NEVER(SYS_execve, EPERM),
        NEVER(SYS_execveat, EPERM),
        NEVER(SYS_kill, EPERM),
        NEVER(SYS_tkill, EPERM),
        NEVER(SYS_rt_sigqueueinfo, EPERM),
        NEVER(SYS_rt_tgsigqueueinfo, EPERM),
        NEVER(SYS_pidfd_send_signal, EPERM),
        NEVER(SYS_ptrace, EPERM),
        NEVER(SYS_process_vm_writev, EPERM),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_tgkill, 0, 4),
        LOAD(FIELD(args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 0, 1),
        ANSWER(SECCOMP_RET_ALLOW),
        REFUSE(EPERM),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
        LOAD(FIELD(args[0])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0),
        REFUSE(EPERM),
        ANSWER(SECCOMP_RET_ALLOW),
    };
    struct sock_fprog all = {.len = sizeof(program) / sizeof(program[0]), .filter = program};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all) == 0;
}
#else
static bool fence_processes(void)
{
    return true;
}
#endif

static bool fence_memory(int mb)
{
#ifdef UNFENCED
    (void)mb;
    return true;
#else
    struct rlimit most = {(rlim_t)mb << 20, (rlim_t)mb << 20};

    return setrlimit(RLIMIT_DATA, &most) == 0;
#endif
}

bool fww_fence_raise(const fww_role_env *env, const char *name, int memory_mb)
{
    struct rlimit none = {0, 0};

    remember();
    if (setrlimit(RLIMIT_CORE, &none) == 0 && fence_memory(memory_mb) && fence_processes())
        return true;
    env->log(FWP_LOG_ERROR, "plugin %s: its process cannot be limited: %s", name, strerror(errno));
    return false;
}
