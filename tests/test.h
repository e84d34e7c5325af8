// test.h - a small test harness. Every test runs in its own process with a time limit, so a crash
// is a failure of that test alone. Included after the implementation of r1.h, in one file only.
//
//     TEST(base_sizes_saturate) { CHECK(r1i_size_mul(2, SIZE_MAX) == SIZE_MAX); }
//
// Options of the program: --filter TEXT, --list. Environment: R1_TEST_FULL=1 runs the long loops,
// R1_REQUIRE=word,word makes a skip whose reason begins with `word:` a failure, R1_TEST_DATA names
// a folder of optional data.
#ifndef R1_TEST_H
#define R1_TEST_H
#include <ftw.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TEST_UNUSED __attribute__((unused))

typedef struct test_case {
    const char *name;
    void (*run)(void);
    struct test_case *next;
} test_case;
static test_case *test_first, **test_last = &test_first;
static char *test_message;    // shared with the child: why it stopped
static char test_folder[256]; // private to the running test
enum { TEST_MESSAGE_BYTES = 2048, TEST_FAILED = 1, TEST_SKIPPED = 77 };

// Defines a test and puts it on the list; tests run in the order of their definition.
#define TEST(title)                                                                                \
    static void test_run_##title(void);                                                            \
    __attribute__((constructor)) static void test_add_##title(void) {                              \
        static test_case self = {#title, test_run_##title, NULL};                                  \
        *test_last = &self;                                                                        \
        test_last = &self.next;                                                                    \
    }                                                                                              \
    static void test_run_##title(void)

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) test_stop(TEST_FAILED, "%s:%d: %s", __FILE__, __LINE__, #condition);     \
    } while (0)
#define CHECK_EQUAL_TEXT(a, b)      test_equal_text(__FILE__, __LINE__, #a, a, b)
#define CHECK_EQUAL_SIZE(a, b)      test_equal_size(__FILE__, __LINE__, #a, a, b)
#define CHECK_NEAR(a, b, tolerance) test_near(__FILE__, __LINE__, #a, a, b, tolerance)
#define SKIP(reason)                test_stop(TEST_SKIPPED, "%s", reason)

__attribute__((noreturn, format(printf, 2, 3))) static void test_stop(int code, const char *format,
                                                                      ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(test_message, TEST_MESSAGE_BYTES, format, args);
    va_end(args);
    fflush(NULL);
    _exit(code);
}
TEST_UNUSED static void test_equal_text(const char *file, int line, const char *what, const char *a,
                                        const char *b) {
    if (a == b || (a && b && strcmp(a, b) == 0)) return;
    test_stop(TEST_FAILED, "%s:%d: %s is \"%.400s\", expected \"%.400s\"", file, line, what,
              a ? a : "(null)", b ? b : "(null)");
}
TEST_UNUSED static void test_equal_size(const char *file, int line, const char *what, size_t a,
                                        size_t b) {
    if (a != b) test_stop(TEST_FAILED, "%s:%d: %s is %zu, expected %zu", file, line, what, a, b);
}
TEST_UNUSED static void test_near(const char *file, int line, const char *what, double a, double b,
                                  double tolerance) {
    if (a == b || fabs(a - b) <= tolerance) return;
    test_stop(TEST_FAILED, "%s:%d: %s is %.9g, expected %.9g within %g (off by %g)", file, line,
              what, a, b, tolerance, fabs(a - b));
}

// True when the long loops are wanted.
TEST_UNUSED static bool test_full(void) {
    const char *full = getenv("R1_TEST_FULL");
    return full && *full && strcmp(full, "0") != 0;
}
// folder/name in one of eight buffers that are used in turn.
__attribute__((noinline)) static const char *test_join(const char *folder, const char *name) {
    static char paths[8][1024];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}
// A path inside the test's own folder, which is removed when the test ends.
TEST_UNUSED static const char *test_path(const char *name) { return test_join(test_folder, name); }

// The path of an optional data file; the test is skipped where there is none.
TEST_UNUSED static const char *test_data(const char *name) {
    const char *folder = getenv("R1_TEST_DATA");
    const char *path = test_join(folder ? folder : "", name);
    if (!folder || access(path, R_OK) != 0)
        test_stop(TEST_SKIPPED, "data: %s is not in the folder R1_TEST_DATA", name);
    return path;
}

static int test_remove(const char *path, const struct stat *info, int kind, struct FTW *walk) {
    (void)info, (void)kind, (void)walk;
    return remove(path);
}
// True when R1_REQUIRE holds the word that the reason begins with.
static bool test_required(const char *reason) {
    const char *at = getenv("R1_REQUIRE");
    size_t word = strcspn(reason, ":");
    for (; at && *at; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == word && strncmp(at, reason, word) == 0) return true;
    return false;
}
static void test_child(const test_case *test, unsigned limit) {
    setpgid(0, 0);
    alarm(limit);
    FILE *output = freopen(test_path(".output"), "w", stdout);
    if (!output || dup2(fileno(stdout), STDERR_FILENO) < 0) _exit(TEST_FAILED);
    setvbuf(stdout, NULL, _IOLBF, 0);
    test->run();
    exit(0); // and not _exit: a leak checker works at exit
}
// Shows what a failed test printed, indented so that it is not taken for a result.
static void test_show_output(void) {
    char line[400];
    FILE *output = fopen(test_path(".output"), "r");
    for (int i = 0; output && i < 60 && fgets(line, sizeof line, output); i++) {
        line[strcspn(line, "\n")] = 0;
        printf("     | %s\n", line);
    }
    if (output) fclose(output);
}
// Runs one test and prints its line. Returns 0 passed, 1 failed, 2 skipped.
static int test_one(const test_case *test) {
    unsigned limit = test_full() ? 600 : 120;
    const char *base = getenv("TMPDIR");
    struct timespec begin, end;
    int state = 0;
    snprintf(test_folder, sizeof test_folder, "%s/r1_test.XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(test_folder)) perror(test_folder), exit(2);
    test_message[0] = 0;
    fflush(NULL);
    timespec_get(&begin, TIME_UTC);
    pid_t child = fork();
    if (child < 0) perror("fork"), exit(2);
    if (child == 0) test_child(test, limit);
    waitpid(child, &state, 0);
    kill(-child, SIGKILL); // whatever the test left running
    timespec_get(&end, TIME_UTC);
    double seconds =
        (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
    int code = WIFEXITED(state) ? WEXITSTATUS(state) : -1, result = 1;
    if (WIFSIGNALED(state) && WTERMSIG(state) == SIGALRM)
        printf("FAIL %s: no end after %u s\n", test->name, limit);
    else if (WIFSIGNALED(state))
        printf("FAIL %s: signal %d (%s)\n", test->name, WTERMSIG(state),
               strsignal(WTERMSIG(state)));
    else if (code == 0)
        printf("ok   %s (%.2f s)\n", test->name, seconds), result = 0;
    else if (code == TEST_SKIPPED && !test_required(test_message))
        printf("skip %s: %s\n", test->name, test_message), result = 2;
    else if (code == TEST_SKIPPED)
        printf("FAIL %s: required, but skipped: %s\n", test->name, test_message);
    else
        printf("FAIL %s: %s\n", test->name, test_message[0] ? test_message : "the process ended");
    if (result == 1) test_show_output();
    nftw(test_folder, test_remove, 16, FTW_DEPTH | FTW_PHYS);
    fflush(stdout);
    return result;
}

int main(int argc, char **argv) {
    const char *filter = "", *name = strrchr(argv[0], '/');
    int counts[3] = {0, 0, 0};
    bool list = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0)
            list = true;
        else if (strcmp(argv[i], "--filter") == 0 && i + 1 < argc)
            filter = argv[++i];
        else
            return fprintf(stderr, "usage: %s [--list] [--filter TEXT]\n", argv[0]), 2;
    }
    test_message = (char *)mmap(NULL, TEST_MESSAGE_BYTES, PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (test_message == MAP_FAILED) return perror("mmap"), 2;
    for (const test_case *test = test_first; test; test = test->next) {
        if (!strstr(test->name, filter)) continue;
        if (list)
            puts(test->name);
        else
            counts[test_one(test)]++;
    }
    if (!list)
        printf("%s: %d passed, %d failed, %d skipped\n", name ? name + 1 : argv[0], counts[0],
               counts[1], counts[2]);
    return counts[1] != 0;
}
#endif // R1_TEST_H
