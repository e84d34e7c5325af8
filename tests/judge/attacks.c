// Programs that try to get out of a box, or to take more than their share. One binary holds them
// all; standard input says which one to be and whom to attack:
//     NAME TRAINER SIBLING PORT SECRET PLACE
// (process ids, a TCP port, a file that nobody in a box may read, a folder that all may write).
// It prints "contained" when every attempt failed, else a line that begins with ESCAPE. Run it only
// inside a box: outside it does what it says.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct attack {
    const char *name;
    void (*run)(void);
    struct attack *next;
} attack;
static attack *attacks;
static int trainer, sibling, port;
static char secret[256], place[256];
static bool escaped;

#define ATTACK(title)                                                                              \
    static void attack_##title(void);                                                              \
    __attribute__((constructor)) static void attack_add_##title(void) {                            \
        static attack self = {#title, attack_##title, NULL};                                       \
        self.next = attacks, attacks = &self;                                                      \
    }                                                                                              \
    static void attack_##title(void)

// What must not be possible. `call` marks a system call, which must fail.
static void must_not(bool possible, const char *what) {
    if (!possible) return;
    printf("ESCAPE %s\n", what);
    escaped = true;
}
#define REFUSED(call) must_not((call) >= 0, #call)

static void read_file(const char *path) {
    char text[64], what[400];
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
    snprintf(what, sizeof what, "read %.300s", path);
    must_not(n > 0, what);
}
static void write_file(const char *path) {
    char what[400];
    int fd = open(path, O_CREAT | O_WRONLY | O_APPEND, 0666);
    snprintf(what, sizeof what, "wrote %.300s", path);
    must_not(fd >= 0 && write(fd, "x", 1) == 1, what);
}
static void proc_file(int pid, const char *name, bool writes) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    if (writes)
        must_not(open(path, O_RDWR) >= 0, path);
    else
        read_file(path);
}
static void burn(double seconds) {
    struct timespec t;
    do clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    while ((double)t.tv_sec + 1e-9 * (double)t.tv_nsec < seconds);
}
static void touch_memory(size_t most) {
    for (size_t n = 0; n < most; n += 1 << 20) {
        char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED) break;
        memset(p, 1, 1 << 20);
    }
}
static void *thread_waits(void *arg) {
    for (;;) pause();
    return arg;
}
static void *thread_eats(void *arg) {
    touch_memory((size_t)64 << 20);
    return thread_waits(arg);
}

// ---- processes ----
ATTACK(fork_bomb) {
    for (;;) fork();
}
ATTACK(fork_count) {
    int n = 0;
    for (; n < 3000; n++) {
        pid_t child = fork();
        if (child < 0) break;
        if (child == 0) thread_waits(NULL);
    }
    must_not(n >= 3000, "3000 processes");
}
ATTACK(thread_count) {
    pthread_attr_t small;
    pthread_t thread;
    int n = 0;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 16384);
    while (n < 3000 && pthread_create(&thread, &small, thread_waits, NULL) == 0) n++;
    must_not(n >= 3000, "3000 threads");
}
ATTACK(daemon) {
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            for (int s = 1; s < 65; s++) signal(s, SIG_IGN);
            close(0), close(1), close(2);
            for (;;) pause();
        }
        _exit(0);
    }
    usleep(20000);
}
ATTACK(fork_chain) { // each process lives only until it has a child: a moving target
    if (fork() == 0) {
        close(0), close(1), close(2);
        for (;;)
            if (fork() > 0) _exit(0);
    }
    usleep(50000);
}
ATTACK(fork_chains) {
    for (int i = 0; i < 8; i++) attack_fork_chain();
}
ATTACK(clone_parent) { // a brother, not a child
    if (syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) == 0) thread_waits(NULL);
}
ATTACK(kill_all) { kill(-1, SIGKILL); }
ATTACK(kill_reaper) {
    kill(getppid(), SIGKILL), kill(getppid(), SIGSTOP), kill(getppid(), SIGTERM);
    usleep(20000);
}
ATTACK(kill_group) { kill(0, SIGTERM); }
ATTACK(signal_trainer) {
    REFUSED(kill(trainer, 0));
    REFUSED(syscall(SYS_tgkill, trainer, trainer, 0));
    REFUSED(syscall(SYS_tkill, trainer, 0));
}
ATTACK(signal_sibling) { REFUSED(kill(sibling, 0)); }
ATTACK(signal_queue) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_code = SI_QUEUE;
    REFUSED(syscall(SYS_rt_sigqueueinfo, trainer, SIGCONT, &info));
}
ATTACK(signal_by_pipe) { // the kernel sends the signal when the pipe can be read
    int ends[2];
    if (pipe(ends) != 0) return;
    REFUSED(fcntl(ends[0], F_SETOWN, trainer));
    REFUSED(fcntl(ends[0], F_SETSIG, SIGCONT));
    struct f_owner_ex owner = {F_OWNER_PID, trainer};
    REFUSED(fcntl(ends[0], F_SETOWN_EX, &owner));
}
ATTACK(ptrace_trainer) {
    REFUSED(ptrace(PTRACE_ATTACH, trainer, 0, 0));
    REFUSED(ptrace(PTRACE_SEIZE, trainer, 0, 0));
}
ATTACK(ptrace_sibling) { REFUSED(ptrace(PTRACE_ATTACH, sibling, 0, 0)); }
ATTACK(ptrace_reaper) { REFUSED(ptrace(PTRACE_ATTACH, getppid(), 0, 0)); }
ATTACK(read_memory) {
    char byte;
    struct iovec here = {&byte, 1}, there = {(void *)attacks, 1};
    REFUSED(process_vm_readv(trainer, &here, 1, &there, 1, 0));
    REFUSED(process_vm_readv(getppid(), &here, 1, &there, 1, 0));
    REFUSED(process_vm_writev(getppid(), &here, 1, &there, 1, 0));
}
ATTACK(proc_memory) {
    proc_file(trainer, "mem", true);
    proc_file(getppid(), "mem", true);
    proc_file(sibling, "mem", true);
}
ATTACK(pidfd) {
    REFUSED(syscall(434, trainer, 0));
    REFUSED(syscall(434, getppid(), 0));
    REFUSED(syscall(438, 0, 0, 0));
}
ATTACK(compare_processes) { REFUSED(syscall(SYS_kcmp, trainer, getpid(), 0, 0, 0)); }
ATTACK(limits_of_trainer) {
    struct rlimit limit = {1, 1};
    REFUSED(prlimit(trainer, RLIMIT_CORE, NULL, &limit));
    REFUSED(prlimit(getppid(), RLIMIT_CORE, &limit, NULL));
    REFUSED(prlimit(sibling, RLIMIT_CPU, &limit, NULL));
}
ATTACK(priority_of_trainer) {
    struct sched_param none = {0};
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    REFUSED(setpriority(PRIO_PROCESS, (id_t)trainer, 19));
    REFUSED(setpriority(PRIO_USER, 0, 19));
    REFUSED(sched_setscheduler(trainer, SCHED_IDLE, &none));
    REFUSED(sched_setaffinity(trainer, sizeof set, &set));
    REFUSED(syscall(SYS_ioprio_set, 1, trainer, 3 << 13));
    REFUSED(syscall(SYS_migrate_pages, trainer, 0, NULL, NULL));
}

// ---- memory ----
ATTACK(memory) { touch_memory((size_t)4 << 30); }
ATTACK(memory_processes) {
    for (int i = 0; i < 16; i++)
        if (fork() == 0) touch_memory((size_t)64 << 20), thread_waits(NULL);
    thread_waits(NULL);
}
ATTACK(memory_threads) {
    pthread_attr_t small;
    pthread_t thread;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 16384);
    for (int i = 0; i < 16; i++) pthread_create(&thread, &small, thread_eats, NULL);
    thread_waits(NULL);
}
static int deeper(int n) {
    volatile char frame[65536];
    frame[n & 65535] = (char)n;
    return n < 0 ? 0 : deeper(n + 1) + frame[n & 65535];
}
ATTACK(memory_stack) { must_not(deeper(1) != 0, "endless stack"); }
ATTACK(memory_reserve) {
    void *p = mmap(NULL, (size_t)1 << 40, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    must_not(p != MAP_FAILED, "1 TiB of addresses");
}
ATTACK(memory_file) {
    REFUSED(syscall(SYS_memfd_create, "x", 0));
    REFUSED(syscall(447, 0)); // memfd_secret
}
ATTACK(memory_shared) {
    REFUSED(syscall(SYS_shmget, 0x7231, 4096, 01000 | 0666));
    REFUSED(syscall(SYS_msgget, 0x7231, 01000 | 0666));
    REFUSED(syscall(SYS_semget, 0x7231, 1, 01000 | 0666));
    REFUSED(syscall(SYS_mq_open, "/r1", O_CREAT | O_RDWR, 0666, NULL));
}
// Pages that are in no process's count: shared ones that were let go, and huge ones.
static void hide_memory(int fd, int flags) {
    enum { PIECE = 16 << 20, PIECES = 20 };
    char *p = mmap(NULL, (size_t)PIECE * PIECES, PROT_READ | PROT_WRITE, flags, fd, 0);
    for (int i = 0; p != MAP_FAILED && i < PIECES; i++) {
        memset(p + (size_t)i * PIECE, 1, PIECE);
        madvise(p + (size_t)i * PIECE, PIECE, MADV_DONTNEED);
        usleep(30000);
    }
    must_not(p != MAP_FAILED, "memory that nobody counts");
}
ATTACK(memory_hidden) {
    static char page[2 * 4096];
    hide_memory(-1, MAP_SHARED | MAP_ANONYMOUS);
    hide_memory(open("/dev/zero", O_RDWR), MAP_SHARED);
    hide_memory(-1, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB);
    REFUSED(madvise((void *)(((uintptr_t)page + 4095) & ~(uintptr_t)4095), 4096, 21)); // page out
}
ATTACK(memory_locked) {
    static char pages[1 << 16];
    REFUSED(mlock(pages, sizeof pages));
    REFUSED(mlockall(MCL_CURRENT));
}
ATTACK(memory_pipes) {
    int ends[2];
    for (int i = 0; i < 100 && pipe(ends) == 0; i++) REFUSED(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20));
    REFUSED(syscall(SYS_vmsplice, 1, NULL, 0, 0));
}
ATTACK(many_files) {
    int n = 0;
    while (n < 3000 && open("/dev/null", O_RDONLY) >= 0) n++;
    must_not(n >= 3000, "3000 descriptors");
}

// ---- time ----
ATTACK(spin) {
    for (int s = 1; s < 65; s++) signal(s, SIG_IGN);
    burn(1e9);
}
ATTACK(spin_processes) { // none of them alone is over the limit soon
    for (int i = 0; i < 8; i++)
        if (fork() == 0) burn(1e9);
    thread_waits(NULL);
}
ATTACK(spin_children) { // one after the other, each short
    for (;;) {
        pid_t child = fork();
        if (child == 0) burn(0.1), _exit(0);
        waitpid(child, NULL, 0);
    }
}
ATTACK(spin_orphans) { // each the child of nobody, and short
    for (;;) {
        pid_t child = fork();
        if (child == 0) {
            if (fork() == 0) burn(0.05);
            _exit(0);
        }
        waitpid(child, NULL, 0);
        usleep(50000);
    }
}
ATTACK(spin_timers) {
    struct itimerval often = {{0, 1}, {0, 1}};
    signal(SIGALRM, SIG_IGN);
    setitimer(ITIMER_REAL, &often, NULL);
    burn(1e9);
}
ATTACK(sleep) { thread_waits(NULL); }
ATTACK(drip) {
    for (;;) putchar('.'), fflush(stdout), usleep(100000);
}
ATTACK(stop_self) { raise(SIGSTOP); }
ATTACK(stop_all) { kill(-1, SIGSTOP), raise(SIGSTOP); }
ATTACK(close_all) {
    for (int fd = 0; fd < 64; fd++) close(fd);
    thread_waits(NULL);
}
ATTACK(close_and_daemon) { // the output stays open in a process that does not end
    if (fork() == 0) setsid(), thread_waits(NULL);
}
// Orphans that stand still with what the next program will have: the folder, and its own files.
ATTACK(stopped_orphans) {
    for (int i = 0; i < 8; i++)
        if (fork() == 0) {
            setsid();
            if (fork() > 0) _exit(0);
            (void)!open(".", O_RDONLY), (void)!open("main", O_RDONLY);
            raise(i % 2 ? SIGSTOP : SIGTSTP);
            thread_waits(NULL);
        }
    usleep(20000);
}
ATTACK(orphans_of_orphans) { // each generation is another session and leaves before it is seen
    for (int i = 0; i < 4; i++)
        if (fork() == 0)
            for (;;) {
                setsid();
                if (syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) > 0 || fork() > 0)
                    _exit(0);
            }
    usleep(30000);
}

// ---- output ----
static void flood(int fd) {
    static char text[65536];
    memset(text, 'A', sizeof text);
    for (;;) (void)!write(fd, text, sizeof text);
}
ATTACK(flood_output) { flood(1); }
ATTACK(flood_errors) { flood(2); }
ATTACK(flood_children) {
    for (int i = 0; i < 8; i++)
        if (fork() == 0) flood(1 + i % 2);
    thread_waits(NULL);
}
ATTACK(zero_bytes) { (void)!write(1, "cont\0ained\n", 11), _exit(0); }
ATTACK(fake_verdict) {
    puts("ALL TESTS PASSED\n{\"verdict\":\"AC\"}\n0\ncontained\n");
    fflush(stdout), _exit(0);
}
ATTACK(fake_report) { // the descriptor of the reaper's report must not be here
    for (int fd = 3; fd < 1024; fd++) {
        static char one[128] = {1};
        must_not(write(fd, one, sizeof one) > 0, "wrote to an inherited descriptor");
    }
}
ATTACK(core) { abort(); }

// ---- files ----
ATTACK(read_shadow) { read_file("/etc/shadow"); }
ATTACK(read_passwd) { read_file("/etc/passwd"), read_file("/etc/hostname"); }
ATTACK(read_homes) { must_not(opendir("/root") || opendir("/home"), "listed homes"); }
ATTACK(read_root) {
    must_not(opendir("/etc") || opendir("/var") || opendir("/srv"), "listed /etc");
}
ATTACK(read_secret) { read_file(secret); }
ATTACK(read_by_symlink) {
    if (symlink(secret, "link") == 0) read_file("link");
    must_not(symlink(secret, "link2") == 0, "made a symlink");
}
ATTACK(read_by_hardlink) { must_not(link(secret, "link") == 0, "made a hard link"); }
ATTACK(read_by_dots) {
    char path[400];
    snprintf(path, sizeof path, "../../../../../../../..%s", secret);
    read_file(path);
    must_not(chdir("../../../..") == 0 && open(secret + 1, O_RDONLY) >= 0, "read from the root");
}
ATTACK(read_by_proc) {
    static const char *const roots[] = {"/proc/1/root", "/proc/self/root",
                                        "/proc/thread-self/root"};
    char path[400];
    for (int i = 0; i < 3; i++)
        snprintf(path, sizeof path, "%s%s", roots[i], secret), read_file(path);
    snprintf(path, sizeof path, "/proc/%d/root%s", trainer, secret), read_file(path);
    snprintf(path, sizeof path, "/proc/%d/cwd/README.md", trainer), read_file(path);
}
ATTACK(read_environment) {
    proc_file(trainer, "environ", false);
    proc_file(getppid(), "environ", false);
    proc_file(1, "environ", false);
}
ATTACK(read_commands) { proc_file(trainer, "cmdline", false), proc_file(sibling, "maps", false); }
ATTACK(read_processes) {
    DIR *list = opendir("/proc");
    int n = 0;
    for (struct dirent *row; list && (row = readdir(list));)
        n += row->d_name[0] >= '1' && row->d_name[0] <= '9';
    must_not(n > 0, "listed processes");
}
ATTACK(read_settings) {
    read_file("/proc/cpuinfo"), read_file("/proc/mounts"), read_file("/proc/net/tcp");
    read_file("/sys/kernel/mm/transparent_hugepage/enabled");
}
ATTACK(read_disks) {
    read_file("/dev/vda"), read_file("/dev/sda"), read_file("/dev/mem"), read_file("/dev/kmsg");
    must_not(open("/dev/tty", O_RDWR) >= 0 || open("/dev/ptmx", O_RDWR) >= 0, "a terminal");
    must_not(open("/dev/kvm", O_RDWR) >= 0 || open("/dev/fuse", O_RDWR) >= 0, "a device");
}
ATTACK(read_other_boxes) { must_not(opendir("/tmp") || opendir("/var/tmp"), "listed /tmp"); }
ATTACK(environment) {
    extern char **environ;
    for (char **e = environ; *e; e++) must_not(strstr(*e, "R1_TEST_SECRET") != NULL, *e);
}
ATTACK(descriptors) {
    for (int fd = 3; fd < 4096; fd++) must_not(fcntl(fd, F_GETFD) >= 0, "an inherited descriptor");
}
ATTACK(write_places) {
    char path[400];
    snprintf(path, sizeof path, "%s/escaped", place);
    write_file(path);
    write_file("/tmp/r1-judge-escaped"), write_file("/var/tmp/r1-judge-escaped");
    write_file("/dev/shm/r1-judge-escaped"), write_file("/r1-judge-escaped");
}
ATTACK(write_system) {
    write_file("/usr/bin/r1-judge-escaped"), write_file("/usr/local/r1-judge-escaped");
    write_file("/etc/ld.so.preload"), write_file("/lib/r1-judge-escaped");
}
ATTACK(write_box) {
    write_file("made"), write_file("main"), write_file("./main.py");
    must_not(mkdir("folder", 0777) == 0 || mkfifo("fifo", 0666) == 0, "made a folder or pipe");
    must_not(unlink("main") == 0 || rename("main", "other") == 0, "moved its own program");
    must_not(chmod("main", 0777) == 0 || truncate("main", 0) == 0, "changed its own program");
}
ATTACK(write_own_program) {
    write_file("/proc/self/exe");
    signal(SIGXFSZ, SIG_IGN);
    must_not(ftruncate(0, 0) == 0 || pwrite(0, "x", 1, 0) == 1, "changed its own input");
}
ATTACK(write_settings) {
    write_file("/proc/sys/kernel/core_pattern"), write_file("/proc/self/oom_score_adj");
    write_file("/sys/fs/cgroup/cgroup.procs"), write_file("/sys/fs/cgroup/unified/cgroup.procs");
    write_file("/proc/sysrq-trigger"), write_file("/proc/self/uid_map");
}
ATTACK(fill_disk) {
    size_t sum = 0;
    signal(SIGXFSZ, SIG_IGN);
    for (int i = 0; i < 100; i++) {
        static char block[65536];
        char name[16];
        snprintf(name, sizeof name, "b%d", i);
        int fd = open(name, O_CREAT | O_WRONLY, 0666);
        while (fd >= 0 && sum < 1 << 20 && write(fd, block, sizeof block) > 0) sum += sizeof block;
    }
    must_not(sum > 0, "wrote to a disk");
}
ATTACK(fill_inodes) {
    int n = 0;
    for (int i = 0; i < 1000; i++) {
        char name[16];
        snprintf(name, sizeof name, "i%d", i);
        n += open(name, O_CREAT | O_WRONLY, 0666) >= 0;
    }
    must_not(n > 0, "made files");
}
ATTACK(sparse_file) {
    int fd = open("sparse", O_CREAT | O_RDWR, 0666);
    must_not(fd >= 0 && ftruncate(fd, (off_t)1 << 40) == 0, "a sparse file of 1 TiB");
}
ATTACK(deep_folder) {
    int n = 0;
    while (n < 3000 && mkdir("d", 0777) == 0 && chdir("d") == 0) n++;
    must_not(n > 0, "made folders");
}
ATTACK(file_handle) {
    struct {
        struct file_handle head; // the handle itself follows
        char rest[128];
    } handle;
    int id;
    memset(&handle, 0, sizeof handle);
    handle.head.handle_bytes = 8, handle.head.handle_type = 1;
    memcpy(handle.rest, "\2\0\0\0\0\0\0\0", 8);
    REFUSED(open_by_handle_at(AT_FDCWD, &handle.head, O_RDONLY));
    handle.head.handle_bytes = 128;
    REFUSED(name_to_handle_at(AT_FDCWD, "/usr", &handle.head, &id, 0));
}
ATTACK(device_node) {
    must_not(mknod("disk", S_IFBLK | 0666, 0xfe00) == 0, "a block device");
    must_not(mknod("null", S_IFCHR | 0666, 0x103) == 0, "a character device");
}
ATTACK(lock_files) { // a lock of a reader keeps writers out, and other boxes could see it
    struct flock all = {.l_type = F_RDLCK}, write = {.l_type = F_WRLCK};
    int file = open("/usr/bin/env", O_RDONLY);
    REFUSED(flock(file, LOCK_EX | LOCK_NB));
    REFUSED(fcntl(file, F_SETLK, &all));
    REFUSED(fcntl(file, F_SETLKW, &all));
    REFUSED(fcntl(file, F_GETLK, &write));
    REFUSED(fcntl(file, F_OFD_SETLK, &all));
}
ATTACK(watch_files) {
    REFUSED(syscall(SYS_inotify_init1, 0));
    REFUSED(syscall(SYS_fanotify_init, 0, 0));
}

// ---- network ----
static int reach(int family, int kind, const void *address, size_t size) {
    int fd = socket(family, kind, 0);
    return fd < 0 ? -1 : connect(fd, (const struct sockaddr *)address, (socklen_t)size);
}
ATTACK(tcp) {
    struct sockaddr_in to = {AF_INET, htons((uint16_t)port), {htonl(INADDR_LOOPBACK)}, {0}};
    REFUSED(reach(AF_INET, SOCK_STREAM, &to, sizeof to));
    REFUSED(reach(AF_INET6, SOCK_STREAM, &to, sizeof to));
}
ATTACK(udp) {
    struct sockaddr_in to = {AF_INET, htons((uint16_t)port), {htonl(INADDR_LOOPBACK)}, {0}};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    REFUSED(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to));
}
ATTACK(listen) {
    struct sockaddr_in any = {AF_INET, 0, {INADDR_ANY}, {0}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    must_not(fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof any) == 0, "bound a port");
}
ATTACK(unix_abstract) {
    struct sockaddr_un to = {AF_UNIX, "\0r1-judge-test"};
    REFUSED(reach(AF_UNIX, SOCK_STREAM, &to, sizeof(sa_family_t) + 14));
}
ATTACK(unix_path) {
    struct sockaddr_un to = {AF_UNIX, ""};
    snprintf(to.sun_path, sizeof to.sun_path, "%.90s/socket", place);
    REFUSED(reach(AF_UNIX, SOCK_STREAM, &to, sizeof to));
}
ATTACK(unix_pair) { // a datagram end of a pair could be sent anywhere
    int ends[2];
    REFUSED(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
    REFUSED(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
    REFUSED(socketpair(AF_TIPC, SOCK_STREAM, 0, ends));
    must_not(errno != EPERM, "the kernel was asked for a module");
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return;
    REFUSED(send(ends[0], "x", 1, MSG_OOB));
    struct sockaddr_un to = {AF_UNIX, "\0r1-judge-test"};
    REFUSED(connect(ends[0], (struct sockaddr *)&to, sizeof(sa_family_t) + 14));
    REFUSED(sendto(ends[0], "x", 1, 0, (struct sockaddr *)&to, sizeof(sa_family_t) + 14));
}
ATTACK(netlink) { REFUSED(socket(AF_NETLINK, SOCK_RAW, 0)); }
ATTACK(vsock) { REFUSED(socket(AF_VSOCK, SOCK_STREAM, 0)); }
ATTACK(packets) {
    REFUSED(socket(AF_PACKET, SOCK_RAW, 0));
    REFUSED(socket(AF_INET, SOCK_RAW, 1));
    REFUSED(socket(38, SOCK_SEQPACKET, 0)); // the kernel's ciphers
}

// ---- privileges ----
ATTACK(become_root) {
    REFUSED(setuid(0));
    REFUSED(setresuid(0, 0, 0));
    REFUSED(setgid(0));
    REFUSED(setgroups(0, NULL));
}
ATTACK(run_su) {
    char *su[] = {"/usr/bin/su", "-c", "true", NULL};
    char *mount[] = {"/usr/bin/mount", "-t", "tmpfs", "t", "/usr", NULL};
    for (int i = 0; i < 2; i++) {
        int state = 1;
        if (fork() == 0) execv(i ? mount[0] : su[0], i ? mount : su), _exit(9);
        wait(&state);
        must_not(state == 0, "a program with more rights ran");
    }
}
ATTACK(namespaces) {
    static const int spaces[] = {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET};
    for (int i = 0; i < 4; i++) {
        REFUSED(unshare(spaces[i]));
        long child = syscall(SYS_clone, spaces[i] | SIGCHLD, 0, 0, 0, 0);
        if (child == 0) _exit(0);
        must_not(child > 0, "clone made a namespace");
        uint64_t arguments[11] = {(uint64_t)spaces[i], 0, 0, 0, SIGCHLD};
        child = syscall(435, arguments, sizeof arguments);
        if (child == 0) _exit(0);
        must_not(child > 0, "clone3 made a namespace");
    }
    REFUSED(setns(0, 0));
}
ATTACK(mounts) {
    REFUSED(mount("t", "/tmp", "tmpfs", 0, NULL));
    REFUSED(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
    REFUSED(umount2("/box", MNT_DETACH));
    REFUSED(umount2("/", MNT_DETACH));
    REFUSED(syscall(SYS_pivot_root, ".", "."));
    REFUSED(syscall(428, AT_FDCWD, "/", 1)); // open_tree
    REFUSED(syscall(430, "tmpfs", 0));       // fsopen
    REFUSED(syscall(442, AT_FDCWD, "/", 0, "", 32));
}
ATTACK(change_root) { REFUSED(chroot(".")); }
ATTACK(modules) {
    REFUSED(syscall(SYS_init_module, "", 0, ""));
    REFUSED(syscall(SYS_finit_module, 0, "", 0));
    REFUSED(syscall(SYS_kexec_load, 0, 0, NULL, 0));
}
ATTACK(kernel_log) {
    char text[16];
    REFUSED(syscall(SYS_syslog, 3, text, sizeof text));
}
ATTACK(machine) {
    REFUSED(reboot(RB_DISABLE_CAD));
    REFUSED(sethostname("own", 3));
    REFUSED(setdomainname("own", 3));
    REFUSED(syscall(SYS_swapon, "/usr", 0));
    REFUSED(syscall(SYS_acct, NULL));
    REFUSED(syscall(SYS_quotactl, 0, NULL, 0, NULL));
}
ATTACK(clock) {
    struct timespec t = {1, 0};
    struct timex x;
    memset(&x, 0, sizeof x);
    REFUSED(clock_settime(CLOCK_REALTIME, &t));
    x.modes = 1;
    REFUSED(adjtimex(&x));
}
ATTACK(priority) {
    struct sched_param high = {10};
    REFUSED(setpriority(PRIO_PROCESS, 0, -10));
    REFUSED(sched_setscheduler(0, SCHED_FIFO, &high));
    REFUSED(syscall(SYS_ioprio_set, 1, 0, 1 << 13));
}
ATTACK(limits) {
    static const int which[] = {RLIMIT_CPU, RLIMIT_AS, RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_CORE};
    struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    for (int i = 0; i < 5; i++) {
        REFUSED(setrlimit((__rlimit_resource_t)which[i], &all));
        REFUSED(prlimit(0, (__rlimit_resource_t)which[i], &all, NULL));
    }
}
ATTACK(capabilities) {
    uint32_t head[2] = {0x20080522, 0}, all[6] = {~0u, ~0u, ~0u, ~0u, ~0u, ~0u};
    REFUSED(syscall(SYS_capset, head, all));
    REFUSED(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
    REFUSED(prctl(PR_CAP_AMBIENT, 2, 21, 0, 0));
    REFUSED(prctl(PR_SET_SECUREBITS, 0, 0, 0, 0));
    REFUSED(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

// ---- the surface of the kernel ----
ATTACK(io_uring) {
    static char parameters[256];
    REFUSED(syscall(425, 8, parameters));
}
ATTACK(bpf) {
    static uint32_t map[32] = {2, 4, 8, 1};
    REFUSED(syscall(SYS_bpf, 0, map, 64));
}
ATTACK(keys) {
    REFUSED(syscall(SYS_add_key, "user", "r1", "x", 1, -4));
    REFUSED(syscall(SYS_keyctl, 0, -4, 1));
}
ATTACK(user_faults) { REFUSED(syscall(SYS_userfaultfd, 1)); }
ATTACK(performance_counters) {
    static uint32_t event[32] = {1, 128};
    REFUSED(syscall(SYS_perf_event_open, event, 0, -1, -1, 0));
}
ATTACK(terminal_input) {
    char x = '#';
    REFUSED(ioctl(0, TIOCSTI, &x));
    REFUSED(ioctl(1, TIOCLINUX, &x));
    REFUSED(ioctl(1, FIOASYNC, &x));
}
ATTACK(new_filter) { REFUSED(syscall(SYS_seccomp, 1, 8, NULL)); }
ATTACK(other_calls) {
    REFUSED(syscall(SYS_personality, 0x0040000));
    REFUSED(syscall(SYS_move_pages, trainer, 0, NULL, NULL, NULL, 0));
    REFUSED(syscall(440, 0, NULL, 0, 0, 0)); // process_madvise
    REFUSED(syscall(SYS_lookup_dcookie, 0, NULL, 0));
#ifdef __x86_64__
    REFUSED(syscall(SYS_iopl, 3));
    REFUSED(syscall(SYS_ioperm, 0x80, 1, 1));
    REFUSED(syscall(SYS_modify_ldt, 0, NULL, 0));
    REFUSED(syscall(SYS_uselib, "x"));
#endif
}
ATTACK(old_calls) { // the system calls of 32-bit programs
#ifdef __x86_64__
    int result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
    must_not(result > 0, "a 32-bit system call");
#else
    raise(SIGSYS);
#endif
}
ATTACK(x32_calls) {
#ifdef __x86_64__
    must_not(syscall(0x40000000 + SYS_getpid) > 0, "an x32 system call");
#else
    raise(SIGSYS);
#endif
}

int main(int argc, char **argv) {
    char name[64];
    if (argc > 1 && strcmp(argv[1], "--list") == 0) {
        for (attack *a = attacks; a; a = a->next) puts(a->name);
        return 0;
    }
    if (scanf("%63s %d %d %d %255s %255s", name, &trainer, &sibling, &port, secret, place) != 6)
        return 2;
    for (attack *a = attacks; a; a = a->next)
        if (strcmp(a->name, name) == 0) {
            a->run();
            if (!escaped) puts("contained");
            return 0;
        }
    printf("no such attack: %s\n", name);
    return 2;
}
